"""What is in doubt in the state: it may be done or not, so the next run does it again, whoever it concerns."""

from __future__ import annotations

from shared.delivery.chunks import Operation
from shared.lifecycle.undone import doubts
from shared.state.state import Receipt, State, merge, tabulate

LISTS = ("list-a", "list-b")


def masks(state: State) -> tuple[int, int]:
    held = state.on_lists(LISTS)
    return held["lists"].item(), held["attempted"].item()


def test_an_addition_and_a_removal_in_doubt_are_neither_held_nor_gone() -> None:
    before = merge(State.empty(), tabulate([Receipt(1, "person_1", 7, added=LISTS[1:])], LISTS), LISTS)
    assert masks(before) == (0b10, 0)
    operation = Operation(1, "c-1", 0, "person_1", 7, upsert=False, add=(0,), remove=(1,), fields={"Email": "a@b.c"})
    after = merge(before, tabulate(doubts([operation], LISTS), LISTS), LISTS)
    assert masks(after) == (0, 0b11)
    again = merge(after, tabulate([Receipt(1, "person_1", 7, added=LISTS[:1], removed=LISTS[1:])], LISTS), LISTS)
    assert masks(again) == (0b01, 0)


def test_of_values_in_doubt_none_is_known() -> None:
    """Somebody may have sent them: who takes the former ones for known leaves the destination with the others."""
    before = merge(State.empty(), tabulate([Receipt(1, "person_1", 7, added=LISTS[:1])], LISTS), LISTS)
    operation = Operation(1, "c-1", 0, "person_1", 8, upsert=True, add=(), remove=(), fields={"Email": "a@b.c"})
    after = merge(before, tabulate(doubts([operation], LISTS), LISTS), LISTS)
    assert after.people["content"].to_list() == [None]
    assert masks(after) == (0b01, 0)
