"""Stored tables are sealed: damage is told before a decoder meets it, which could end the process."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.runs.files import Damaged, parse_table, read_table, write_table
from shared.state.seal import is_broken, is_sealed
from shared.state.state import SCHEMA, Receipt, tabulate

PEOPLE = tabulate([Receipt(n, f"person_{n}", n, added=("l",)) for n in range(50)], ("l",))
FILE = write_table(PEOPLE, ("l",))


def test_a_table_reads_back_as_it_was_written() -> None:
    table, lists = parse_table("state/x", FILE, SCHEMA)
    assert table.equals(PEOPLE)
    assert lists == ("l",)
    assert not is_broken(FILE)


def test_any_version_of_the_app_reads_a_sealed_table() -> None:
    """An older one knows nothing of the seal, and finds an entry more in the table's metadata."""
    assert read_table(FILE)[1]["lists"] == '["l"]'


def test_a_table_without_a_seal_is_read_as_before() -> None:
    blank = pl.DataFrame(schema=SCHEMA)
    data = write_table(blank).replace(b"segment-export-sha256:", b"something-else-......:")
    assert parse_table("state/x", data, SCHEMA)[0].equals(blank)


@given(st.integers(0, len(FILE) - 1), st.integers(1, 255))
def test_a_single_byte_that_changed_is_found(place: int, difference: int) -> None:
    data = bytearray(FILE)
    data[place] ^= difference
    mark = FILE.rfind(b"segment-export-sha256:")
    if mark <= place < mark + 22:  # then there is no seal any more
        return
    with pytest.raises(Damaged):
        parse_table("state/x", bytes(data), SCHEMA)


@pytest.mark.parametrize("keep", [0, 1, 100, len(FILE) // 2, len(FILE) - 1])
def test_a_table_that_was_cut_short_is_damaged(keep: int) -> None:
    with pytest.raises(Damaged):
        parse_table("state/x", FILE[:keep], SCHEMA)


def test_a_table_without_a_seal_that_would_end_the_process_is_damaged() -> None:
    """Found by fuzzing: its footer asks for two exabytes, at which Polars aborts."""
    data = (Path(__file__).parent / "two_exabytes.parquet").read_bytes()
    assert not is_sealed(data)
    with pytest.raises(Damaged):
        parse_table("state/x", data, SCHEMA)


def test_a_table_that_lost_its_seal_with_its_end_is_damaged() -> None:
    with pytest.raises(Damaged):
        parse_table("state/x", FILE[: FILE.rfind(b"segment-export-sha256:")] + FILE[-8:], SCHEMA)
