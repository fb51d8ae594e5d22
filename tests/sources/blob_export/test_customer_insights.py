"""Reading what Customer Insights writes: through the real SDK and Polars, from Azurite."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from azure.storage.blob import BlobServiceClient
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.sources.blob_export.customer_insights import CustomerInsights
from shared.sources.source import MALFORMED, OWN_COLUMNS, ROW, TRACES, WHERE
from tests.sources.blob_export.export import BODY, COLUMNS, HEADER, TWO, Source


@pytest.mark.parametrize(
    "told", [None, {}, {"columnHeaders": False}, {"columnHeaders": "false"}, {"columnHeaders": True}]
)
@pytest.mark.parametrize("header", [b"", HEADER])
def test_a_header_row_is_known_when_it_is_there_whatever_was_told(
    source: Source, header: bytes, told: dict[str, Any] | None
) -> None:
    source.table(header + BODY, told)
    assert source.rows() == TWO


def test_a_real_header_says_the_order_of_columns(source: Source) -> None:
    source.table(b"Email,CustomerId,FirstName\nann@example.com,1,Ann\nbob@example.com,2,Bob\n")
    assert source.rows() == TWO


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbf" + HEADER + BODY,
        b"\xef\xbb\xbf" + BODY,
        (HEADER + BODY).replace(b"\n", b"\r\n"),
        HEADER + BODY.rstrip(b"\n"),
        HEADER + b"\n" + BODY + b"\n\n",
        b'"CustomerId","FirstName","Email"\n"1","Ann","ann@example.com"\n"2","Bob","bob@example.com"\n',
    ],
    ids=["BOM and header", "BOM", "CRLF", "no last line end", "blank lines", "quoted"],
)
def test_ways_to_write_the_same_rows(source: Source, data: bytes) -> None:
    source.table(data)
    assert source.rows() == TWO


def test_quotes_hold_commas_line_breaks_and_quotes(source: Source) -> None:
    source.table(HEADER + b'1,"Ann, ""the""\r\nfirst",ann@example.com\n')
    assert source.rows() == [("1", 'Ann, "the"\r\nfirst', "ann@example.com")]


def test_another_delimiter_is_used_as_told(source: Source) -> None:
    source.table((HEADER + BODY).replace(b",", b";"), {"delimiter": ";"})
    assert source.rows() == TWO


def test_empty_values_are_null_quoted_or_not(source: Source) -> None:
    source.table(HEADER + b'1,,"a@example.com"\n2,"",b@example.com\n3,Cy,\n')
    assert source.read()["FirstName"].to_list() == [None, None, "Cy"]
    assert source.read()["Email"].to_list() == ["a@example.com", "b@example.com", None]
    assert not source.read()[MALFORMED].any()


@pytest.mark.parametrize(
    "line",
    [
        b"9,too,many,fields\n",
        b"9,few\n",
        b"9\n",
        b'9,"open,z@example.com\n',
        b'9,"a"b,z@example.com\n',
        b"9,\xff\xfe,z@example.com\n",
    ],
    ids=["too many", "too few", "one", "open quote", "stray quote", "not UTF-8"],
)
@pytest.mark.parametrize("quoted", [False, True])
def test_a_broken_row_is_marked_and_no_other_row_is_lost(source: Source, line: bytes, quoted: bool) -> None:
    first, second = BODY.splitlines(keepends=True)
    if quoted:
        first, second = (b'"' + row.strip().replace(b",", b'","') + b'"\n' for row in (first, second))
    source.table(HEADER + first + line + second)
    assert source.rows() == TWO
    broken = source.read().filter(MALFORMED)
    assert broken.select(ROW, *COLUMNS).rows() == [(1, None, None, None)]
    assert broken[WHERE].str.contains(r"^row 2 of Export/VIP/\w+\.csv$").all()


def test_several_partitions_are_one_table_in_order(source: Source) -> None:
    first, second = BODY.splitlines(keepends=True)
    source.model(source.put("Export/VIP/a.csv", first), source.put("Export/VIP/b.csv", HEADER + second))
    assert source.rows() == TWO
    assert source.read()[ROW].to_list() == [0, 1]


def test_only_the_newest_snapshot_folder_counts(source: Source) -> None:
    old = source.put("Export/VIP/2026/08/24/1433/VIP_1.csv", b"8,Old,old@example.com\n")
    new = source.put("Export/VIP/2026/08/25/0910/VIP_1.csv", BODY)
    source.put("Export/VIP/2026/08/26/0000/VIP_1.csv", b"9,Unnamed,unnamed@example.com\n")
    source.model(new, old)
    assert source.rows() == TWO


def test_a_location_may_be_encoded_and_name_another_host(source: Source) -> None:
    source.put("Export/My segment #1/part 1.csv", BODY)
    path = quote("Export/My segment #1/part 1.csv")
    source.model(f"https://acct.dfs.core.windows.net/{source.name}/{path}")
    assert source.rows() == TWO


def test_a_snapshot_of_a_blob_is_read_as_it_was(source: Source) -> None:
    location = source.put("Export/VIP/a.csv", BODY)
    snapshot = source.container.get_blob_client("Export/VIP/a.csv").create_snapshot()["snapshot"]
    source.put("Export/VIP/a.csv", b"9,Later,later@example.com\n")
    source.model(f"{location}?snapshot={snapshot}")
    assert source.rows() == TWO


def test_only_the_columns_asked_for_are_given(source: Source) -> None:
    source.table(HEADER + BODY)
    assert source.read("Email").columns == [*OWN_COLUMNS, *TRACES, "Email"]


@pytest.mark.parametrize("data", [b"", HEADER, b"\xef\xbb\xbf", b"\r\n"], ids=["empty", "header", "BOM", "blank line"])
def test_a_file_without_rows_says_that_the_segment_is_empty(source: Source, data: bytes) -> None:
    source.table(data)
    assert list(source.reader.read(source.reader.catalogue().table("VIP"), COLUMNS)) == []


@pytest.mark.parametrize("quotes", [('="', '"'), (' "', '"')])
@pytest.mark.parametrize("header", [b"", HEADER])
def test_quotes_do_not_become_part_of_values(source: Source, quotes: tuple[str, str], header: bytes) -> None:
    before, after = quotes
    lines = (",".join(f"{before}{cell}{after}" for cell in row) for row in TWO)
    source.table(header + "\n".join(lines).encode())
    assert source.reason().reason is Reason.SOURCE_MALFORMED
    assert "cannot be understood: of 2 rows 2 are not 3 fields" in source.reason().detail


def test_a_file_in_another_encoding_without_many_odd_letters_is_told_that_utf_8_is_read(source: Source) -> None:
    source.table((HEADER + BODY).decode().replace("Ann", "Zoë").replace("Bob", "Jörg").encode("latin-1"))
    assert source.reason().detail.endswith("of 2 rows 2 are not 3 fields parted by ',' in UTF-8.")


def test_a_value_may_begin_and_end_with_an_apostrophe(source: Source) -> None:
    source.table(HEADER + b"1,'Ann',ann@example.com\n2,'Bob',bob@example.com\n")
    assert [name for _, name, _ in source.rows()] == ["'Ann'", "'Bob'"]


def test_a_table_without_a_file_says_nothing_of_its_members(source: Source) -> None:
    source.model()
    assert source.reason().reason is Reason.SOURCE_MALFORMED
    assert "names no file of table 'VIP'" in source.reason().detail


def test_rows_are_counted(source: Source) -> None:
    source.table(HEADER + BODY)
    table = source.reader.catalogue().table("VIP")
    assert [sum(source.reader.count(table, part)) for part in source.reader.parts(table)] == [2]


@pytest.mark.parametrize(
    ("data", "told"), [(BODY.decode().encode("utf-16"), None), (BODY, {"encoding": "Windows-1252"})]
)
def test_another_encoding_is_refused_with_what_to_do(source: Source, data: bytes, told: dict[str, Any] | None) -> None:
    source.table(data, told)
    assert source.reason().reason is Reason.SOURCE_MALFORMED
    assert "UTF-8" in source.reason().detail


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b"{", "Invalid JSON"),
        (b"[]", "should be an object"),
        (b'{"name": "x"}', "entities"),
        (b'{"tables": []}', "entities"),
    ],
)
def test_a_model_that_cannot_be_understood_says_where(source: Source, text: bytes, where: str) -> None:
    source.put("Export/model.json", text)
    assert source.reason().reason is Reason.SOURCE_MALFORMED
    assert where in source.reason().detail


def test_a_location_outside_the_container_is_refused(source: Source) -> None:
    source.model("https://elsewhere.blob.core.windows.net/other/Export/VIP/a.csv")
    assert source.reason().reason is Reason.SOURCE_MALFORMED


@pytest.mark.parametrize("path", ["../secrets/a.csv", "%2E%2E/secrets/a.csv"])
def test_a_location_cannot_climb_out_of_the_container(source: Source, path: str) -> None:
    source.model(f"https://acct.blob.core.windows.net/{source.name}/{path}")
    assert source.reason().reason is Reason.SOURCE_MALFORMED


def test_a_missing_partition_and_a_missing_segment_are_named(source: Source) -> None:
    source.model(source.container.url + "/Export/VIP/gone.csv")
    assert source.reason().reason is Reason.SOURCE_UNREACHABLE
    assert "Export/VIP/gone.csv" in source.reason().detail
    with pytest.raises(ExportError, match="Did you mean 'VIP'") as caught:
        source.reader.catalogue().table("VIPs")
    assert caught.value.reason is Reason.SEGMENT_MISSING


def test_a_table_without_customers_is_not_eligible(source: Source) -> None:
    source.table(b"1,2\n", columns=("A", "B"))
    with pytest.raises(ExportError) as caught:
        source.reader.catalogue().table("VIP")
    assert caught.value.reason is Reason.SEGMENT_NOT_ELIGIBLE


def test_an_account_that_does_not_answer_is_named_without_a_traceback() -> None:
    key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    nobody = f"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={key};BlobEndpoint=http://127.0.0.1:9/devstoreaccount1;"
    service = BlobServiceClient.from_connection_string(nobody, retry_total=0, connection_timeout=1)
    with service, pytest.raises(ExportError) as caught:
        CustomerInsights(service, "ci/Export").catalogue()
    assert caught.value.reason is Reason.SOURCE_UNREACHABLE


def test_a_source_that_is_still_written_is_not_settled(source: Source) -> None:
    source.table(BODY)
    catalogue = source.reader.catalogue()
    now, quiet = datetime.now(UTC), timedelta(seconds=60)
    with pytest.raises(ExportError, match="younger"):
        source.reader.verify_settled(catalogue, ["VIP"], now=now, quiet=quiet)
    source.reader.verify_settled(catalogue, ["VIP"], now=now + quiet * 2, quiet=quiet)
    source.table(BODY)
    with pytest.raises(ExportError, match="changed") as caught:
        source.reader.verify_settled(catalogue, ["VIP"], now=now + quiet * 2, quiet=quiet)
    assert caught.value.reason is Reason.SOURCE_NOT_SETTLED


def test_a_partition_replaced_while_it_is_read_is_not_settled(source: Source) -> None:
    location = source.put("Export/VIP/a.csv", BODY)
    source.model(location)
    batches = source.reader.read(source.reader.catalogue().table("VIP"), COLUMNS)
    next(batches)
    source.put("Export/VIP/a.csv", BODY)
    with pytest.raises(ExportError) as caught:
        list(batches)
    assert caught.value.reason is Reason.SOURCE_NOT_SETTLED


_CONTROLS = "".join(map(chr, [*range(9), *range(14, 32), 127]))  # a table that is full of them is no text


_ENDS = "\r\x85\u2028\u2029"  # nor one whose rows seem to end so


_DELIMITERS = ";|\t"  # nor one of a single row that may as well be parted by them


_cell = st.text(
    st.characters(codec="utf-8", exclude_characters=_CONTROLS + _ENDS + _DELIMITERS + "\x0b\x0c\ufffd\ufeff"),
    max_size=12,
)


@settings(max_examples=40)
@given(
    table=st.lists(st.tuples(st.uuids().map(str), _cell, _cell), min_size=1, max_size=12),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    end=st.sampled_from(["\n", "\r\n"]),
    header=st.booleans(),
    broken=st.sets(st.integers(0, 12), max_size=3),
)
def test_any_table_reads_back_and_broken_lines_spoil_only_themselves(
    module_source: Source, table: list[tuple[str, str, str]], quoting: Any, end: str, header: bool, broken: set[int]
) -> None:
    def line(row: Sequence[str]) -> str:
        text = io.StringIO(newline="")
        csv.writer(text, quoting=quoting, lineterminator=end).writerow(row)
        return text.getvalue()

    broken = broken if len(table) > len(broken) else set()
    text = line(COLUMNS) if header else ""
    for number, row in enumerate(table):
        text += f"broken,2{end}" if number in broken else ""
        text += line(row)
    module_source.table(text.encode())
    expected = [tuple(cell or None for cell in row) for row in table]
    found, lines = module_source.rows(), len([number for number in broken if number < len(table)])
    malformed = int(module_source.read()[MALFORMED].sum())
    if any("\n" in cell and "," in cell for row in table for cell in row):  # may look like several rows
        assert [row for row in expected if row in found] == found
        assert malformed - lines >= len(expected) - len(found)
    else:
        assert (found, malformed) == (expected, lines)
