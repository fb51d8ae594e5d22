"""Which files of a table count, and which blob each of them is: where two readings are left, the table is at fault."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.sources.blob_export.locations import Fault, Place, blob_of, newest_of
from shared.sources.blob_export.model import parse_model
from shared.sources.blob_export.tables import partitions_of
from shared.sources.source import Catalogue
from tests.sources.blob_export.cases import at, blobs, entity

SNAPSHOT = "snapshot=2026-08-25T09:10:00.0000000Z"
OLD, NEW = "VIP/2026/08/24/0210/VIP_{}.csv", "VIP/2026/08/24/0230/VIP_{}.csv"


def catalogue(*entities: dict[str, Any]) -> Catalogue:
    return parse_model(blobs(*entities)["Export/model.json"].data, container="ci", etag="e")


def read(*partitions: dict[str, Any]) -> list[str] | str:
    """Return the paths of a table's files that count, or its fault."""
    found = catalogue(entity("VIP", *partitions))
    return found.faults.get("VIP") or [partition.path for partition in partitions_of(found.table("VIP"))]


def refreshed(path: str, time: str) -> dict[str, Any]:
    return {**at(path), "refreshTime": f"2026-08-24T{time}Z"}


def test_an_older_folder_is_over_if_the_newest_has_all_its_files() -> None:
    assert read(at(OLD.format(1)), at(NEW.format(1)), at(NEW.format(2))) == [NEW.format(1), NEW.format(2)]
    assert read(refreshed(OLD.format(1), "02:10:00"), refreshed(NEW.format(1), "02:30:00")) == [NEW.format(1)]
    assert read(refreshed(OLD.format(1), "02:30:00"), at(NEW.format(1))) == [NEW.format(1)]


@pytest.mark.parametrize(
    "partitions",
    [
        pytest.param((at(OLD.format(1)), at(OLD.format(2)), at(NEW.format(1))), id="a name that only the older has"),
        pytest.param((at("VIP/VIP_1.csv"), at(NEW.format(1))), id="a file beside the folders"),
        pytest.param((at(OLD.format(1)), at("Export/" + NEW.format(1))), id="folders in different places"),
        pytest.param(
            (refreshed(NEW.format(1), "00:30:00"), refreshed(OLD.format(1), "01:10:00")), id="the older refreshed later"
        ),
        pytest.param(
            (
                refreshed(NEW.format(1), "02:30:00"),
                refreshed(NEW.format(2), "00:30:00"),
                refreshed(OLD.format(1), "01:10:00"),
            ),
            id="the older refreshed between",
        ),
    ],
)
def test_folders_of_different_times_of_which_more_than_one_may_count_are_refused(
    partitions: tuple[dict[str, Any], ...],
) -> None:
    for order in (partitions, partitions[::-1]):
        assert "folders of different times, and it cannot be told which count" in str(read(*order))


@given(st.lists(st.sets(st.integers(1, 4), min_size=1), min_size=1, max_size=4))
def test_no_file_is_left_out_unless_the_newest_folder_has_one_of_its_name(folders: list[set[int]]) -> None:
    paths = [
        (hour, number, f"https://a/ci/VIP/2026/08/24/{hour:02}00/VIP_{number}.csv")
        for hour, numbers in enumerate(folders)
        for number in numbers
    ]
    try:
        kept = newest_of("VIP", [Place(path, None) for _, _, path in paths])
    except Fault:
        assert not all(numbers <= folders[-1] for numbers in folders)
        return
    assert {paths[number][:2] for number in kept} == set(product([len(folders) - 1], folders[-1]))
    assert all(numbers <= folders[-1] for numbers in folders)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (f"?versionid=2026&{SNAPSHOT}", "'versionid' in its query"),
        ("?versionid=2026-08-25T09:10:00.0000000Z", "'versionid' in its query"),
        (f"?{SNAPSHOT.title()}", "'Snapshot' in its query"),
        (f"?{SNAPSHOT}&snapshot=2026-08-24T09:10:00Z", "'snapshot' in its query"),
        (f"?{SNAPSHOT}&{SNAPSHOT}", "'snapshot' in its query"),
        ("?snapshot=", "snapshot that is no time"),
        ("?restype=x", "'restype' in its query"),
    ],
)
def test_a_query_that_may_choose_another_version_is_refused(query: str, said: str) -> None:
    assert said in str(read(at(f"VIP.csv{query}")))


def test_a_signature_lets_in_and_chooses_nothing() -> None:
    signature = "sv=2026-02-06&st=2026-08-25T00%3A00%3A00Z&se=2026-09-25T00%3A00%3A00Z&sr=c&sp=rl&sig=x%2By%3D"
    assert blob_of(f"https://a/ci/VIP.csv?{signature}", "VIP", "ci") == ("VIP.csv", None)
    assert blob_of(f"https://a/ci/VIP.csv?{signature}&{SNAPSHOT}", "VIP", "ci") == (
        "VIP.csv",
        SNAPSHOT.partition("=")[2],
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("VIP.csv", f"VIP.csv?{SNAPSHOT}"),
        (f"VIP.csv?{SNAPSHOT}", "VIP.csv?snapshot=2026-08-26T09:10:00Z"),
        ("VIP.csv", "VIP%2Ecsv"),
        ("x/VIP.csv", "x/%56IP.csv?sv=2026"),
    ],
)
def test_a_file_is_part_of_a_table_once_in_whatever_version(first: str, second: str) -> None:
    assert read(at(first), at(second)) == "model.json names a file of table 'VIP' twice. Run the Blob export again."


@pytest.mark.parametrize("path", ["x/./VIP.csv", "x/%2E/VIP.csv"])
def test_a_path_that_is_another_one_is_refused(path: str) -> None:
    assert "can be no blob" in str(read(at(path)))


@pytest.mark.parametrize(
    "path",
    [
        "Export/Team/1.csv",
        "Export/team/2026/08/24/1433/x.csv",
        "Export/Team.csv",
        "Export/te am_17.csv",
        "Team-2.csv.x",
    ],
)
@pytest.mark.parametrize("query", ["", f"?{SNAPSHOT}"])
def test_two_tables_that_name_a_file_of_one_of_them_are_both_at_fault(path: str, query: str) -> None:
    found = catalogue(
        entity("VIP", at(f"{path}{query}")),
        entity("Team", at(path)),
        entity("Other", at("Export/Other/1.csv")),
    )
    assert sorted(found.tables) == ["Other"]
    assert "one file for table 'VIP' and for table 'Team'" in found.faults["VIP"]
    assert "one file for table 'Team' and for table 'VIP'" in found.faults["Team"]


def test_two_tables_that_name_the_file_of_a_third_one_are_at_fault() -> None:
    found = catalogue(entity("A", at("C/1.csv")), entity("B", at("C/1.csv")), entity("C"))
    assert sorted(found.faults) == ["A", "B", "C"]


def test_a_file_that_is_nobodys_by_its_path_may_be_several_tables() -> None:
    found = catalogue(entity("Vienna", at("Export/one.csv")), entity("Graz", at("Export/one.csv")))
    assert sorted(found.tables) == ["Graz", "Vienna"]


def test_places_without_a_time_all_count() -> None:
    places = [Place(f"https://a/ci/part-{number}/x.csv", datetime(2026, 8, 24, tzinfo=UTC)) for number in range(3)]
    assert newest_of("VIP", places) == [0, 1, 2]
