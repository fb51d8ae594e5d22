"""Any bytes as a partition, in any dialect: every row is read or named malformed, and counted; sound rows stay sound."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from local.azurite import Azurite
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.sources.blob_export.dialect import LONGEST_ROW, is_blank, rows
from shared.sources.blob_export.lines import LONGEST_LINE
from shared.sources.blob_export.partition import body, carefully
from shared.sources.blob_export.tables import Dialect, partitions_of
from shared.sources.source import CANDIDATES, KEY, MALFORMED, ROW, WEIGHT, WHERE
from tests.sources.blob_export.export import BODY, COLUMNS, HEADER, TWO, Source

MEBIBYTE = 1 << 20
TRACED: dict[str, Any] = {WEIGHT: pl.UInt32, CANDIDATES: pl.List(pl.String)}


@pytest.fixture(scope="module")
def source(azurite: Azurite) -> Iterator[Source]:
    made = Source(azurite)
    yield made
    made.service.close()


def read(source: Source, columns: Sequence[str] = COLUMNS) -> pl.DataFrame | ExportError:
    """Read the table; anything but rows or the source's own reason is a fault of ours."""
    own = {ROW: pl.UInt64, KEY: pl.String, MALFORMED: pl.Boolean, WHERE: pl.String}
    nothing = pl.DataFrame(schema={**own, **TRACED, **dict.fromkeys(columns, pl.String)})
    try:
        table = source.reader.catalogue().table("VIP")
        return pl.concat([nothing, *source.reader.read(table, columns)])
    except ExportError as end:
        assert end.reason in {Reason.SOURCE_MALFORMED, Reason.COLUMN_MISSING}
        return end


def read_carefully(source: Source, columns: Sequence[str] = COLUMNS) -> pl.DataFrame:
    """Read the table row by row, as the reader does from the first broken row on."""
    table = source.reader.catalogue().table("VIP")
    file = source.reader.find(table, partitions_of(table)[0])
    batches = carefully(body(file), file, columns)
    nothing = pl.DataFrame(schema={MALFORMED: pl.Boolean} | TRACED | dict.fromkeys(columns, pl.String))
    return pl.concat([nothing, *batches])


_told = st.fixed_dictionaries(
    {},
    optional={
        "delimiter": st.sampled_from([",", ";", "|", "\t", " ", "\\", "1", "'"]),
        "quoteStyle": st.sampled_from(["QuoteStyle.Csv", "QuoteStyle.None"]),
        "columnHeaders": st.booleans(),
    },
)
_scraps = st.sampled_from(
    [
        b",",
        b";",
        b'"',
        b'""',
        b"\n",
        b"\r",
        b"\r\n",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xef\xbf\xbd",
        b"CustomerId",
        b"1",
        b" ",
        b"\\",
        b"'",
        b"\t",
        b"Email",
        b"a@example.com",
        "é".encode(),
        b"\x85",
        b"\xe2\x80\xa8",
        b"\x0b\x0c",
    ]
)
_text = st.lists(_scraps | st.binary(max_size=3), max_size=30).map(b"".join)


@settings(max_examples=250)
@given(data=_text, told=_told)
@example(data=b"CustomerId,FirstName,Email\r1,Ann,a@example.com\r", told={})
@example(data=b"1,A\rnn,a@example.com\r\r\n2,few\n", told={})
@example(data=b"\xef\xbb\xbf", told={})
@example(data=b"\xef\xbb\xbf\xef\xbb\xbf,,", told={})
@example(data=b"\r\n\r\n", told={})
@example(data=BODY * 40 + b"1," + b"\0" * 16 + b",z@example.com\n", told={})
@example(data=BODY * 40 + b"1," + b"\0" * 8 + b"," + b"\0" * 8 + b"\n", told={})
def test_a_sound_row_is_the_same_however_it_is_read(source: Source, data: bytes, told: dict[str, Any]) -> None:
    source.table(data, told)
    found = read(source)
    if isinstance(found, pl.DataFrame):
        assert found[ROW].to_list() == list(range(found.height))
        assert found.height <= data.count(b"\n") + data.count(b"\r") + 1
        carefully = read_carefully(source)
        assert carefully.height == found.height
        assert carefully.filter(~pl.col(MALFORMED)).equals(found.drop(ROW, KEY, WHERE).filter(~carefully[MALFORMED]))


_garbage = st.lists(_scraps.filter(lambda scrap: b"\n" not in scrap) | st.binary(max_size=3), max_size=8).map(
    lambda scraps: b"".join(scraps).replace(b"\n", b"")
)


@settings(max_examples=150)
@given(garbage=st.lists(_garbage, min_size=1, max_size=6), delimiter=st.sampled_from([",", ";", "\t"]))
@example(garbage=[b'9,"open'], delimiter=",")
@example(garbage=[b'9,x,"'], delimiter=",")
@example(garbage=[b"", b"\r", b"\0"], delimiter=",")
def test_sound_rows_next_to_broken_ones_are_read_and_all_are_counted(
    source: Source, garbage: list[bytes], delimiter: str
) -> None:
    def sound(number: int) -> bytes:
        return delimiter.join(f'"{cell}"' for cell in (f"sound-{number}", "Ann", "a@example.com")).encode() + b"\n"

    lines = [line for number, broken in enumerate(garbage) for line in (sound(number), broken + b"\n")]
    source.table(
        HEADER.replace(b",", delimiter.encode()) + b"".join([*lines, sound(len(garbage))]), {"delimiter": delimiter}
    )
    found = read(source)
    if isinstance(found, ExportError):  # so much garbage that it may be anything
        assert any(text in found.detail for text in ("is not a text", "other line breaks", "other signs", "cannot be"))
        return
    kept = found.filter(~pl.col(MALFORMED) & pl.col("CustomerId").str.starts_with("sound-"))
    assert kept["CustomerId"].to_list() == [f"sound-{number}" for number in range(len(garbage) + 1)]
    dialect = Dialect(delimiter)
    lines_of_garbage = [line.decode(errors="replace") for line in garbage]
    least = len(garbage) + 1 + sum(not is_blank(line, dialect) for line in lines_of_garbage)
    assert least <= found.height <= least + sum(line.count("\r") for line in lines_of_garbage)  # each may end a row


MANY = 100_000


@pytest.mark.parametrize(
    ("data", "height", "malformed"),
    [
        pytest.param(HEADER + b"\n" * 1_000_000 + BODY, 2, 0, id="a million blank lines"),
        pytest.param(HEADER + BODY + b"1," + b"a" * 50_000_000 + b",z@example.com\n", 3, 1, id="a line of 50 MB"),
        pytest.param(HEADER + BODY + b"," * 2_000_000 + b"\n", 3, 1, id="two million fields"),
        pytest.param(HEADER + b'1,"Ann,a@example.com\n' * MANY + BODY, 0, 0, id="a stray quote a row"),
        pytest.param(HEADER + b'1,"' + b"x,y,z\n" * MANY + BODY, MANY + 2, 1, id="a quote that stays open"),
        pytest.param(
            HEADER + BODY + b'1,Ann,"' + b"x,y,z\n" * MANY + b'"\n', 0, 0, id="a field of many thousand lines"
        ),
        pytest.param(HEADER + BODY + b'1,"' + b"a" * 200_000 + b'",z@example.com\n', 3, 1, id="a field of 200 kB"),
        pytest.param(HEADER.strip() + b'",\nn",\n' + BODY, 0, 0, id="a header with a stray quote"),
        pytest.param(HEADER + BODY + b'8,"A\n9,"B"",x\n', 4, 2, id="two rows that stray quotes would join"),
        pytest.param(
            HEADER + b'8,a,b,"x\n' + BODY + b'9,y",z\n', 0, 0, id="rows between two stray quotes, in a field too many"
        ),
        pytest.param(b"\0" * 3 + b"\n" + BODY, 0, 0, id="NUL from the beginning"),
        pytest.param(HEADER + BODY + b"1,A\0nn,a@example.com\n", 3, 0, id="NUL within a value"),
        pytest.param((HEADER + BODY).replace(b"\n", b"\r"), 0, 0, id="lines that end in a carriage return"),
        pytest.param((HEADER + BODY).decode().encode("utf-16-le"), 0, 0, id="UTF-16 without a mark"),
        pytest.param((HEADER + BODY).decode().encode("utf-32"), 0, 0, id="UTF-32"),
        pytest.param(HEADER + BODY + b"1,\xc3\x28,a@example.com\n", 3, 1, id="a byte that is no UTF-8"),
        pytest.param(HEADER + BODY + b"1,A\rnn,a@example.com\n9,few\n", 4, 1, id="a carriage return within a value"),
        pytest.param(HEADER.strip() + b",x" * 50_000 + b"\n" + BODY, 0, 0, id="a header beyond the beginning"),
    ],
)
def test_a_hostile_table_is_read_and_counted_or_refused(
    source: Source, data: bytes, height: int, malformed: int
) -> None:
    source.table(data)
    found = read(source)
    if height == 0:
        assert isinstance(found, ExportError)
    else:
        assert isinstance(found, pl.DataFrame)
        assert (found.height, found[MALFORMED].sum()) == (height, malformed)
        assert set(TWO) <= set(found.filter(~pl.col(MALFORMED)).select(COLUMNS).rows())


@pytest.mark.parametrize("name", ["row", "malformed", "surplus", "0", "text", "reason", '"', "\ufffd"])
@pytest.mark.parametrize("broken", [b"", b"9,few\n"], ids=["clean", "with a broken row"])
def test_a_column_may_bear_any_name(source: Source, name: str, broken: bytes) -> None:
    columns = ("CustomerId", name, "Email")
    source.table(BODY + broken, columns=columns)
    found = read(source, columns)
    assert isinstance(found, pl.DataFrame)
    assert found.filter(~pl.col(MALFORMED)).select(columns).rows() == TWO


@pytest.mark.parametrize("piece", ["a", ",", '"', 'a,"b'], ids=repr)
def test_a_line_without_end_takes_no_more_memory_than_its_bound(piece: str) -> None:
    pieces = repeat(piece * (MEBIBYTE // len(piece)), 64)
    tracemalloc.start()
    try:
        (broken,) = rows(pieces, Dialect(), width=3)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert broken.broken
    assert sum(map(len, broken.cells)) <= LONGEST_LINE + 1
    assert peak < 80 * LONGEST_LINE


def test_a_quote_that_stays_open_is_looked_for_in_bounds() -> None:
    lines = ['1,"x\n', *["y,z\n"] * (4 * LONGEST_ROW)]
    read = iter(lines)
    first = next(rows(read, Dialect(), width=2))
    assert first.broken
    assert sum(map(len, read)) > sum(map(len, lines)) - 2 * LONGEST_ROW
