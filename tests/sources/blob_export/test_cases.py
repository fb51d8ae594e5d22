"""Ten people in two files, one of them written in some other way: all ten are read, or the run ends and says of which file."""

from __future__ import annotations

import gzip
from typing import Any

import polars as pl
import pytest

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.sources.blob_export.blocks import BLOCK
from shared.sources.source import MALFORMED, WHERE
from tests.sources.blob_export.cases import (
    BODY,
    COLUMNS,
    HEADER,
    MORE,
    OTHER,
    PEOPLE,
    SEVEN,
    VIP,
    at,
    blobs,
    entity,
    people,
    read,
    refusal,
    turned,
)
from tests.sources.blob_export.memory import Blob, source_of

ROWS = BODY.splitlines()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("CustomerId, FirstName, Email\n" + BODY, {}, id="blanks after the header's commas"),
        pytest.param("\r\n" + HEADER + BODY, {}, id="a blank line before the header"),
        pytest.param(" \t\r\n\n" + HEADER + BODY, {}, id="a line of blanks before the header"),
        pytest.param(HEADER.lower() + BODY, {"columnHeaders": True}, id="a promised header in lower case"),
        pytest.param(HEADER.upper() + BODY, {"columnHeaders": False}, id="a denied header in upper case"),
        pytest.param("\ufeff" + HEADER + BODY + "\x1a", {}, id="a mark before, and an old end of file"),
        pytest.param("\u200bCustomerId,FirstName\ufeff,Email\u00a0\n" + BODY, {}, id="invisible signs in the header"),
        pytest.param("\n".join(map(turned, [HEADER.strip(), *ROWS])) + "\n", {}, id="a header in another order"),
        pytest.param("Id,CustomerId,FirstName,Email\n" + "".join(f"1,{row}\n" for row in ROWS), {}, id="a column more"),
        pytest.param(
            '"' + BODY.strip().replace(",", '","').replace("\n", '"\n"') + '"\n',
            {"quoteStyle": "QuoteStyle.None"},
            id="no quotes told, all quoted",
        ),
        pytest.param(HEADER + BODY, {"encoding": "ASCII"}, id="ASCII"),
        pytest.param(
            HEADER + BODY,
            dict.fromkeys(("columnHeaders", "delimiter", "quoteStyle", "csvStyle", "encoding", "$type")),
            id="null settings",
        ),
        pytest.param(HEADER + BODY, dict.fromkeys(("quoteStyle", "encoding", "$type"), ""), id="empty settings"),
        *[
            pytest.param(HEADER + BODY, {"encoding": encoding}, id=f"encoding {encoding}")
            for encoding in ("utf_8_sig", "UTF-8-BOM", "ANSI_X3.4-1968", 65001)
        ],
        *[
            pytest.param(
                (HEADER + BODY).replace(",", delimiter), {"delimiter": delimiter}, id=f"parted by {delimiter!r}"
            )
            for delimiter in ("\x01", "\x1f", "~")
        ],
        pytest.param(
            BODY.replace("\n", "\r\n") + " \t\x1a", {"columnHeaders": "false"}, id="blanks and an old end of file"
        ),
    ],
)
def test_another_way_to_write_the_same_rows_is_read(text: str, told: dict[str, Any]) -> None:
    vip = entity("VIP", at("Export/VIP/a.csv"), at(OTHER, **told))
    assert people(blobs(vip, b=text.encode())) == PEOPLE


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param((HEADER + BODY).replace("\n", "\r").replace("Name9", '"Name\n9"').encode(), "carriage return", id="CR, and LF in a value"),
        pytest.param((HEADER + BODY).replace("\n", "\r").encode(), "carriage return", id="CR"),
        pytest.param((HEADER + BODY).replace("\n", "\n\r").encode(), "other line breaks", id="LF and CR"),
        pytest.param(HEADER.encode() + BODY.replace("\n", "\r").encode() + BODY.encode(), "carriage return", id="CR from the second line on"),
        pytest.param((HEADER + BODY).replace("\n", "\x85").encode(), "line breaks", id="next line"),
        pytest.param((HEADER + BODY).replace("\n", "\u2028").encode(), "line breaks", id="line separator"),
        pytest.param(gzip.compress((HEADER + BODY).encode()), "gzip", id="gzip"),
        pytest.param(b"PK\x03\x04\x14\x00" + b"\x00" * 40, "Excel", id="a workbook"),
        pytest.param(b"PAR1\x15\x04\x15\x10" + b"\x00\x01\xfe" * 30 + b"PAR1", "Parquet", id="Parquet"),
        pytest.param(b"ORC\x0a\x03\x00\x01\xfe" * 9, "ORC", id="ORC"),
        pytest.param(b"Obj\x01\x04\x16avro.schema", "Avro", id="Avro"),
        pytest.param(b'{"CustomerId": "c0007", "Email": "person7@example.com"}\n', "JSON", id="JSON"),
        pytest.param(b"\xef\xbb\xbf<!DOCTYPE html>\n<html>,,\n", "web page", id="a web page"),
        pytest.param((HEADER + BODY).encode("utf-16"), "UTF-8", id="UTF-16"),
        pytest.param((HEADER + BODY).encode("utf-16-le"), "UTF-8", id="UTF-16 without a mark"),
        pytest.param((HEADER + BODY).encode("cp037"), "UTF-8", id="EBCDIC"),
        pytest.param((HEADER + BODY).replace("Name", "Имя").encode("cp1251"), "UTF-8", id="windows-1251"),
        pytest.param(BODY.replace(",", ";").encode(), "semicolons", id="semicolons"),
        pytest.param((HEADER + BODY).replace(",", "\t").encode(), "tabs", id="tabs"),
        pytest.param((HEADER + BODY).replace(",", "|").encode(), "bars", id="bars"),
        pytest.param(BODY.replace(",", "\x01").encode(), "control characters", id="control characters"),
        pytest.param(BODY.replace("Name", "a, b, Name").replace(",p", ";p").replace("c0", "c;").encode(), "is not|not 3 fields|semicolons", id="semicolons and commas"),
        pytest.param(BODY.replace(",", ", more, ").encode(), "not 3 fields", id="rows of five fields"),
        pytest.param(HEADER.encode() + HEADER.encode() + BODY.encode(), "header among its rows", id="two headers"),
        pytest.param(SEVEN + b"Email,CustomerId,FirstName\nperson7@example.com,c0007,Name7\n", "header among its rows", id="files joined"),
        pytest.param("\n".join(map(turned, ROWS)).encode(), "no address in column", id="another order, no header"),
        pytest.param(b"Kundennummer,Vorname,E-Mail\n" + BODY.encode(), "may be a header", id="a header of other names"),
        pytest.param(b"Kundennummer,Vorname,Email\n" + BODY.encode(), "may be a header", id="a header of mostly other names"),
        pytest.param(HEADER.encode() + BODY.encode() + b"c0010,Na", "middle of a row", id="cut off in a row"),
        pytest.param(b"'" + BODY.strip().replace(",", "','").replace("\n", "'\n'").encode() + b"'\n", "other signs", id="single quotes"),
        pytest.param("”{}”\n".format(BODY.strip().replace(",", "”,”").replace("\n", "”\n”")).encode(), "other signs", id="curly quotes"),
        pytest.param(b"Name,CustomerId,FirstName,Email\n", "no row", id="only a header, of other columns"),
        pytest.param(HEADER.replace("Email", "Email,Email").encode() + BODY.replace("@", "@,@").encode(), "2 columns named 'Email'", id="a column twice"),
        pytest.param(b"x" * 2_000_000, "too long", id="a line without end"),
        pytest.param(HEADER.strip().encode() + b",x" * 4_200 + b"\n", "4,203 columns", id="a header of thousands"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_what_was_told_ends_the_run_and_is_named(data: bytes, said: str) -> None:
    end = refusal(blobs(VIP, b=data))
    assert end.reason is Reason.SOURCE_MALFORMED
    assert OTHER in end.detail
    assert any(text in end.detail for text in said.split("|"))


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("CustomerId,First Name,Email", Reason.COLUMN_MISSING),
        ("CustomerId,FirstName,E-mail", Reason.EMAIL_COLUMN_MISSING),
        ("CustomerId,FirstName,Town", Reason.EMAIL_COLUMN_MISSING),
        ("Id,FirstName,Email", Reason.COLUMN_MISSING),
    ],
)
def test_a_column_that_a_file_does_not_have_is_unknown_not_empty(header: str, reason: Reason) -> None:
    end = refusal(blobs(VIP, b=f"{header}\n{BODY}".encode()))
    assert (end.reason, OTHER in end.detail) == (reason, True)


ODD = [
    pytest.param(HEADER.encode() + BODY.encode() + b"email,CUSTOMERID,firstname\na@example.com,c1,Ann\n", "header among", id="joined, in other case"),
    pytest.param(HEADER.encode() + BODY.encode() + b"\xef\xbb\xbfCustomerId,FirstName,Email\n" + BODY.encode(), "header among", id="joined, with a mark"),
    pytest.param(b"sep=,\n" + HEADER.encode() + BODY.encode(), "header among", id="Excel's hint before the header"),
    pytest.param(b"o1,19.90,2026-01-01\no2,5.00,2026-01-02\n", "no address in column 'Email'", id="another table's file"),
    pytest.param(HEADER.encode() + BODY.encode() + b"\0" * 4096, "middle of a row|not a text", id="a tail of zeros"),
    pytest.param(HEADER.encode() + b"".join(b"1," + row.encode() + b"\n" for row in ROWS), "not 3 fields", id="row numbers without a name"),
    pytest.param(HEADER.encode() + BODY.replace("\n", ",\n").encode(), "not 3 fields", id="a comma at each end"),
    pytest.param(HEADER.encode() + BODY.replace(",", ";").encode(), "not 3 fields", id="a header of commas, rows of semicolons"),
    pytest.param(BODY.replace(",", "||").encode(), "not 3 fields|bars", id="two bars"),
    pytest.param(BODY.replace(",", "   ").encode(), "not 3 fields", id="columns of fixed width"),
    pytest.param(b"%PDF-1.7\n1,2,3\n", "PDF", id="a PDF"),
    pytest.param(HEADER.encode() + BODY.encode() * 2_000 + b"c0010,Name10,person10@example.com\r" * 3_000, "carriage return|not 3 fields", id="other line ends after the beginning"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "said"), ODD)
def test_an_odd_file_that_no_list_names_ends_the_run_and_is_named(data: bytes, said: str) -> None:
    end = refusal(blobs(VIP, b=data))
    assert end.reason is Reason.SOURCE_MALFORMED
    assert OTHER in end.detail
    assert any(text in end.detail for text in said.split("|")), end.detail


def test_an_empty_file_that_promises_a_header_has_not_been_written_yet() -> None:
    promised = entity("VIP", at("Export/VIP/a.csv"), at(OTHER, columnHeaders=True))
    assert "is empty, although model.json promises a header" in refusal(blobs(promised)).detail
    assert people(blobs(promised, b=HEADER.encode())) == PEOPLE[:7]


@pytest.mark.parametrize(
    "nothing", [b"", b"\n", b" \r\n\r\n", b"\xef\xbb\xbf"], ids=["no byte", "LF", "blank lines", "BOM"]
)
@pytest.mark.parametrize("first", [True, False])
def test_an_empty_file_beside_files_with_a_header_has_not_been_written_yet(nothing: bytes, first: bool) -> None:
    found = blobs(VIP, b=(HEADER + BODY).encode())
    found["Export/VIP/a.csv" if first else OTHER] = Blob(nothing)
    found[OTHER if first else "Export/VIP/a.csv"] = Blob((HEADER + BODY).encode())
    assert "is empty, although other files of 'VIP' begin with a header" in refusal(found).detail


def test_an_empty_file_beside_files_without_a_header_is_a_part_without_members() -> None:
    found = blobs(VIP)
    found["Export/VIP/a.csv"] = Blob(BODY.encode())
    assert read(found).height == len(BODY.splitlines())


def test_a_footer_is_a_malformed_row_and_nobody_is_missing() -> None:
    table = read(blobs(VIP, b=(HEADER + BODY + "(3 rows affected)\n").encode()))
    found = table.filter(~pl.col(MALFORMED)).select(COLUMNS).rows()
    assert (found, table[MALFORMED].sum()) == (PEOPLE, 1)


def test_a_promised_header_is_one_only_if_its_cells_are_names_of_columns() -> None:
    rows = [f"{','.join(row)},555010{n},{'Email' if n == 7 else 'Post'}\n" for n, row in enumerate(PEOPLE)]
    header = ",".join((*COLUMNS, *MORE)) + "\n"
    parts = (at("Export/VIP/a.csv", columnHeaders=True), at(OTHER, columnHeaders=True))
    found = blobs(entity("VIP", *parts, columns=(*COLUMNS, *MORE)), b="".join(rows[7:]).encode())
    found["Export/VIP/a.csv"] = Blob((header + "".join(rows[:7])).encode())
    assert people(found) == PEOPLE


def test_names_that_differ_by_case_only_are_told_apart_or_refused() -> None:
    columns = ("CustomerId", "Email", "EMAIL")
    rows = "c1,a@example.com,b@example.com\n"
    vip = entity("VIP", at(OTHER), columns=columns)
    assert read(blobs(vip, b=f"CustomerId,EMAIL,Email\n{rows}".encode()), columns).select(columns).rows() == [
        ("c1", "b@example.com", "a@example.com")
    ]
    assert (
        "may be 'Email' or 'EMAIL'" in refusal(blobs(vip, b=f"CustomerId,email,Email\n{rows}".encode()), columns).detail
    )


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate"])
def test_nothing_is_unpacked_however_small(encoding: str) -> None:
    end = refusal(blobs(VIP, b=Blob(gzip.compress(BODY.encode()), encoding)))
    assert end.reason is Reason.SOURCE_MALFORMED
    assert f"{OTHER} is stored with the Content-Encoding '{encoding}'" in end.detail
    found = blobs(VIP, b=BODY.encode())
    found["Export/model.json"] = Blob(found["Export/model.json"].data, encoding)
    with pytest.raises(ExportError, match="Content-Encoding"):
        source_of(found).catalogue()


def test_a_value_that_was_damaged_long_ago_is_a_value() -> None:
    found = blobs(VIP, b=(HEADER + BODY.replace("Name8", "M\ufffdller") + "few\n").encode())
    assert read(found)["FirstName"].to_list()[7:] == ["Name7", "M\ufffdller", "Name9", None]


def test_quotes_after_a_backslash_are_read_where_a_row_cannot_be_read_otherwise() -> None:
    rows = 'c1,"Ann \\"Annie\\" Lee",a@example.com\nc2,"C:\\",b@example.com\nc3,"x \\"y\\"\nz",c@example.com\n'
    names = read(blobs(entity("VIP", at(OTHER)), b=rows.encode()))["FirstName"].to_list()
    assert names == ['Ann "Annie" Lee', "C:\\", 'x "y"\nz']


@pytest.mark.parametrize(
    "rows",
    [
        'c1,"Ann,a@example.com\nc2,Bob,b@example.com\nc3,Cy",c@example.com\n',
        'c1,"Ann,a@example.com\nc2,Bob",b@example.com\n',
        'c1,"Ann \\"",a@example.com\nc2,", Jr,",b@example.com\nc3,Cy,c@example.com\n',
        'c1,x,"Ann\nc2,Bob,b@example.com\nLee",a@example.com\n',
    ],
    ids=["three in one", "two in one", "backslash before the end", "a field too many"],
)
@pytest.mark.parametrize("many", [1, 4_000], ids=["small", "in blocks"])
def test_rows_between_stray_quotes_are_never_taken_for_one_or_for_people(rows: str, many: int) -> None:
    name = "Ann" * (1 if many == 1 else 70)
    sound = "".join(f"s{n},{name},s{n}@example.com\n" for n in range(5 * many))
    assert (len(sound) > BLOCK) is (many > 1)
    table = read(blobs(entity("VIP", at(OTHER)), b=(sound + rows + sound).encode()))
    found = [row for row in table.filter(~pl.col(MALFORMED)).select(COLUMNS).rows() if not str(row[0]).startswith("s")]
    assert set(found) <= {
        ("c1", 'Ann "', "a@example.com"),
        ("c2", "Bob", "b@example.com"),
        ("c2", ", Jr,", "b@example.com"),
        ("c3", "Cy", "c@example.com"),
    }
    assert len(found) + table[MALFORMED].sum() >= rows.count("@")
    assert table.height - len(found) - table[MALFORMED].sum() == 10 * many


def test_values_of_several_lines_in_a_narrow_table_are_read() -> None:
    rows = 'c1,Ann,"Flat 3\nRome"\nc2,"Bo\nLee",b@example.com\n"c\n3",Cy,c@example.com\n'
    table = read(blobs(entity("VIP", at(OTHER)), b=rows.encode()), COLUMNS[:2])
    assert table.select(COLUMNS[:2]).rows() == [("c1", "Ann"), ("c2", "Bo\nLee"), ("c\n3", "Cy")]


def test_a_value_of_many_lines_or_of_200_kilobytes_that_nobody_asked_for_is_one_row() -> None:
    long = '"' + "line\n" * 701 + '"'
    longer = "x" * 200_000
    table = read(
        blobs(entity("VIP", at(OTHER)), b=f"c1,{long},a@example.com\nc2,{longer},b@example.com\n".encode()), ("Email",)
    )
    assert table["Email"].to_list() == ["a@example.com", "b@example.com"]


def test_a_malformed_row_has_a_place_and_no_content() -> None:
    found = read(blobs(VIP, b=f"{BODY}person10@example.com,x\n".encode()))
    (row,) = found.filter(MALFORMED).select(WHERE, *COLUMNS).rows()
    assert row == (f"row 4 of {OTHER}", None, None, None)
