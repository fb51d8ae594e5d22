"""The segments of a run are of one refresh: files that are written again, all or some of them, are waited for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Final, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.composition.app import App
from shared.lifecycle.segments import Refresh, open_refresh
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from tests.sources.blob_export.cases import COLUMNS, HEADER, at, blobs, entity
from tests.sources.blob_export.memory import Blob, source_of

QUIET: Final = 60
NOW: Final = datetime(2026, 11, 30, 12, tzinfo=UTC)
MODEL: Final = "Export/model.json"
FILES: Final = tuple(f"Export/VIP/{number}.csv" for number in range(5))


class Export:
    """Files that are written one by one, `age` seconds before now, and the app that reads them."""

    def __init__(self, files: Sequence[str] = FILES[:2], tables: Sequence[str] = ("VIP",)) -> None:
        share = len(files) // len(tables)
        entities = [
            entity(name, *map(at, files[number * share :][:share]), columns=COLUMNS)
            for number, name in enumerate(tables)
        ]
        self.blobs = {MODEL: blobs(*entities)[MODEL]}
        self.tables = tables
        for path in (*files, MODEL):
            self.write(path, 3600)
        settings = SimpleNamespace(settle_seconds=QUIET)
        self.app = cast("App", SimpleNamespace(source=source_of(self.blobs), settings=settings, now=lambda: NOW))

    def write(self, path: str, age: float) -> None:
        row = f"{path},Ann,{path.rpartition('/')[2]}@example.com\n"
        blob = self.blobs.get(path) or Blob((HEADER + row).encode())
        self.blobs[path] = replace(blob, modified=NOW - timedelta(seconds=age))

    def open(self, quiet: float | None = None) -> Refresh:
        return open_refresh(self.app, self.tables, "Email", quiet=quiet)


def unsettled(what: Callable[[], object]) -> str:
    """Do what must end as not settled; return what is said."""
    with pytest.raises(ExportError) as caught:
        what()
    assert (caught.value.reason, caught.value.may_pass) == (Reason.SOURCE_NOT_SETTLED, True)
    return caught.value.detail


@pytest.mark.parametrize("written", range(1, 5))
@pytest.mark.parametrize("quiet", [None, 0])
def test_files_of_which_only_some_are_newer_than_the_model_are_of_two_refreshes(
    written: int, quiet: float | None
) -> None:
    export = Export(FILES)
    for path in FILES[:written]:
        export.write(path, 1800)
    said = unsettled(lambda: export.open(quiet))
    assert FILES[0] in said
    assert FILES[written] in said
    for path in FILES[written:]:
        export.write(path, 1700)
    export.open(quiet).check_unchanged()


def test_files_of_two_segments_are_of_one_refresh_too() -> None:
    export = Export(FILES[:4], ("VIP", "Team"))
    export.open()
    export.write(FILES[3], 1800)
    unsettled(export.open)


@pytest.mark.parametrize("path", FILES)
def test_a_file_that_has_only_just_been_written_is_waited_for(path: str) -> None:
    export = Export(FILES)
    for each in FILES:
        export.write(each, 1800)
    export.write(path, QUIET - 1)
    assert path in unsettled(export.open)
    export.open(quiet=0)
    export.write(path, QUIET)
    export.open()


@pytest.mark.parametrize("files", [FILES[:2], FILES])
@pytest.mark.parametrize("replaced", [0, 1])
def test_a_file_that_is_written_again_after_it_was_read_is_noticed_in_the_end(
    files: Sequence[str], replaced: int
) -> None:
    export = Export(files)
    refresh = export.open()
    batches = refresh.segments[0].read(COLUMNS)
    assert next(batches)["Email"].to_list() == ["0.csv@example.com"]
    export.write(files[replaced], 0)
    for path in files:
        export.write(path, 0)
    if replaced == 0:
        unsettled(lambda: list(batches))
    unsettled(refresh.check_unchanged)


def test_all_files_written_again_before_they_are_read_are_not_those_that_were_settled() -> None:
    export = Export()
    refresh = export.open()
    for path in FILES[:2]:
        export.write(path, 0)
    assert len(list(refresh.segments[0].read(COLUMNS))) == 2
    unsettled(refresh.check_unchanged)


def test_whatever_is_found_wrong_in_files_that_are_written_again_is_only_not_settled() -> None:
    export = Export()
    refresh = export.open()
    export.blobs[FILES[1]] = Blob(b"\x1f\x8b\x00", modified=NOW)
    unsettled(lambda: list(refresh.segments[0].read(COLUMNS)))
    del export.blobs[FILES[1]]
    unsettled(lambda: list(refresh.segments[0].read(COLUMNS)))
    with pytest.raises(ExportError) as caught:
        export.open()
    assert caught.value.reason is Reason.SOURCE_UNREACHABLE


def test_a_snapshot_cannot_be_written_again_and_is_as_old_as_it_is() -> None:
    snapshot = f"{FILES[1]}?snapshot=2026-11-28T10:00:00.0000000Z"
    export = Export()
    export.blobs[MODEL] = replace(blobs(entity("VIP", at(FILES[0]), at(snapshot)))[MODEL], modified=NOW)
    export.write(MODEL, 3600)
    export.write(FILES[0], 1800)
    export.open().check_unchanged()


@given(st.lists(st.integers(QUIET, 7200), min_size=2, max_size=6), st.integers(QUIET, 7200))
def test_files_are_of_one_refresh_if_none_lies_on_the_other_side_of_the_model(ages: list[int], model: int) -> None:
    export = Export([f"Export/VIP/{number}.csv" for number in range(len(ages))])
    export.write(MODEL, model)
    for number, age in enumerate(ages):
        export.write(f"Export/VIP/{number}.csv", age)
    if min(ages) < model <= max(ages):
        unsettled(export.open)
    else:
        export.open().check_unchanged()


def test_files_in_a_folder_of_one_time_may_be_written_before_and_after_the_model() -> None:
    """Microsoft's documents say that each refresh makes such a folder, and not whether `model.json` is written last."""
    files = [f"Export/VIP/2026/11/30/0233/VIP_{number}.csv" for number in (1, 2)]
    export = Export(files)
    export.write(files[0], 3500)
    export.open().check_unchanged()
    export.write(files[0], QUIET - 1)
    assert "younger" in unsettled(export.open)
