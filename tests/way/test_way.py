"""The way of a contact, traced on the real app: few files, each in one chapter, and the README's map names them in order.

What counts as on the way, and what has the contact in hand beside it, `tests.way.trace` says. `python -m tests.way` prints
the way.
"""

from __future__ import annotations

import re
from typing import Final

import pytest

from local.warm import Shared
from tests.way.journey import journey
from tests.way.trace import ADAPTERS, BINDINGS, CARRIERS, FINISH, ROOT, Chapter, Way

MOST_FILES: Final = 25

FORMATS: Final = {
    "shared/delivery/chunks.py",
    "shared/runs/files.py",
    "shared/lifecycle/record.py",
    "shared/state/state.py",
}
"""What one chapter writes and a later one reads: such a file holds both ends of its format, so it is entered at both."""

MAP: Final = (ROOT / "README.md").read_text().partition("\n* **Start.**")[2].partition("\n\n")[0]
"""The list of files in the README's chapter on the way of a contact."""


@pytest.fixture(scope="module")
def way(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Way:
    """Return the way of a contact that is delivered for the first time, and goes on a list."""
    traced, run = journey(tmp_path_factory.mktemp("way"), shared_parts)
    assert run.status == "Successful"
    assert (run.counts.delivered, run.counts.joiners) == (1, 1)
    return traced


def test_a_contact_passes_few_files_from_the_trigger_to_the_state(way: Way) -> None:
    assert len(way.files) <= MOST_FILES
    assert [next(iter(files)) for files in way.chapters.values()] == [
        "export_trigger/steps/tick.py",
        "export_trigger/steps/plan_run.py",
        "export_worker/deliver_chunk.py",
        FINISH,
    ]


def test_no_file_is_entered_in_two_chapters_but_a_format_and_the_account_that_is_asked_again(way: Way) -> None:
    account = "shared/destinations/autopilot/account.py"
    assert set(way.returned_to) == {*FORMATS, account}
    assert way.returned_to[account] == [Chapter.DELIVER, Chapter.FINISH]


def test_the_readmes_map_names_the_files_in_the_order_in_which_they_are_entered(way: Way) -> None:
    named = re.findall(r"\]\(((?:shared|export_trigger|export_worker)/[\w/]+\.py)\)", MAP)
    assert named == way.files


def test_what_is_not_counted_has_the_contact_in_hand_all_the_same(way: Way) -> None:
    """So nothing is kept off the way by a name that nobody bears any more."""
    for prefix in (*ADAPTERS, *CARRIERS):
        assert [name for name in (*way.aside, *way.entered[Chapter.START]) if name.startswith(prefix)], prefix
    assert all((ROOT / binding).is_file() for binding in BINDINGS)
