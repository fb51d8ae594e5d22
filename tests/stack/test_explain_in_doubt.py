"""Find a person of whom a run would do something else than their own row alone says: it waits for another row, or takes nobody off."""

from __future__ import annotations

import pytest

from local.world import World
from tests.stack.conftest import MakeWorld
from tests.stack.test_explain import MAPPING, explain, segment, why


@pytest.fixture(scope="module")
def told(make_lasting_world: MakeWorld) -> World:
    """Return a world in which an export has delivered some, and whose segment has changed since."""
    world = make_lasting_world()
    staff = [(f"c{n}", f"p{n}@example.com", "Pat", "1") for n in range(20)]
    world.publish({"Team": segment(*staff)})
    world.connect()
    settings = {"schedule": {"on": "off"}, "guards": {"max_removed_percent": 100}}
    world.save("team", segments=["Team"], mapping=MAPPING, on_bad_value="reject", **settings)
    world.run("team")
    staff[1] = ("c1", "moved@example.com", "Pat", "a lot")
    twice = [("d1", "twice@example.com", "Ann", "2"), ("d2", "Twice@example.com", "Ann", "a lot")]
    world.publish({"Team": segment(*staff, *twice)})
    return world


def test_a_contact_waits_while_one_of_its_rows_is_rejected(told: World) -> None:
    found = explain(told, "twice@example.com")
    assert why(found) == [("rejected", True, False, False)]
    assert found["contact"] is None
    assert [row["speaks"] for row in found["rows"]] == [False, False]


def test_who_has_another_valid_address_leaves_though_that_row_is_rejected(told: World) -> None:
    found = explain(told, "p1@example.com")
    assert [(row["by_address"], row["reason"]) for row in found["rows"]] == [(False, "value_not_convertible")]
    assert why(found) == [("leaves_with_next_run", False, True, True)]


def test_a_run_does_what_was_told(told: World) -> None:
    run = told.run("team")
    assert (run["counts"]["removed"], run["counts"]["delivered"]) == (1, 0)
    assert why(explain(told, "twice@example.com")) == [("rejected", True, False, False)]
    assert why(explain(told, "p1@example.com")) == [("not_in_segment", False, False, False)]
