"""`make demo SEGMENTS=table.csv`: what spreadsheets save is read, or answered by one sentence that says what to save."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from local.commands import CannotGoOn
from local.demo import own_scenes
from local.own_table import read_own_table

HEADER = "CustomerId,FirstName,Email"
ROWS = ("C1,Zoë,zoe@example.com", "C2,Müller,m@example.com")
TEXT = "\r\n".join((HEADER, *ROWS, ""))


def write(folder: Path, data: bytes) -> Path:
    file = folder / "table.csv"
    file.write_bytes(data)
    return file


@pytest.mark.parametrize(
    ("encoding", "delimiter", "said"),
    [
        ("utf-8", ",", "UTF-8, cells parted by ','"),
        ("utf-8-sig", ";", "UTF-8, cells parted by ';'"),
        ("utf-16", "\t", "UTF-16, cells parted by tabs"),
        ("cp1252", ";", "Windows-1252 (it is not UTF-8), cells parted by ';'"),
    ],
)
def test_what_spreadsheets_save_is_read(tmp_path: Path, encoding: str, delimiter: str, said: str) -> None:
    table = read_own_table(write(tmp_path, TEXT.replace(",", delimiter).encode(encoding)))
    assert table.read_as == f"read as {said}"
    assert table.rows["FirstName"].to_list() == ["Zoë", "Müller"]
    assert table.mapping == {"Email": "Email", "FirstName": "FirstName"}
    assert table.expected_members() == {"zoe@example.com", "m@example.com"}


@pytest.mark.parametrize("name", ["EMailAddress1", "email_address", "Email Address", "MAIL"])
def test_the_address_is_found_as_the_api_suggests_it(tmp_path: Path, name: str) -> None:
    table = read_own_table(write(tmp_path, TEXT.replace("Email", name).encode()))
    assert table.mapping["Email"] == name


def test_lines_may_end_as_on_an_old_macintosh(tmp_path: Path) -> None:
    table = read_own_table(write(tmp_path, TEXT.replace("\r\n", "\r").replace(",", ";").encode()))
    assert table.expected_members() == {"zoe@example.com", "m@example.com"}


def test_a_cell_may_hold_delimiters_and_line_breaks_in_quotes(tmp_path: Path) -> None:
    text = HEADER + '\nC1,"Zoë, ""Z""\nof X",z@example.com\n\nC2,,y@example.com\n'
    table = read_own_table(write(tmp_path, text.encode()))
    assert table.rows["FirstName"].to_list() == ['Zoë, "Z"\nof X', None]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (TEXT.replace("C2,", "C2,more,than,").encode(), ("Line 3", "5 cells", "its header 3")),
        ((HEADER + '\nC1,"a\nb",x@example.com\nC2,x\n').encode(), ("Line 4", "2 cells")),
        (TEXT.replace("CustomerId", "Id").encode(), ("no column CustomerId", "'Id', 'FirstName', 'Email'")),
        (TEXT.replace("Email", "Contact").encode(), ("no column Email", "'Contact'")),
        (TEXT.replace("FirstName", "Email").encode(), ("two columns named 'Email'",)),
        (b"PK\x03\x04" + b"0" * 50, ("a workbook", "CSV UTF-8")),
        (b"PAR1" + b"0" * 50, ("Parquet",)),
        (TEXT.encode() + b"C3,\x81,x@example.com\n", ("neither UTF-8 nor Windows-1252 in line 4", "CSV UTF-8")),
        (b"\xff\xfe" + TEXT.encode("utf-16-le") + b"\x00\xd8x", ("not UTF-16", "CSV UTF-8")),
        ((HEADER + '\nC1,"x"y,z@example.com\n').encode(), ("Line 2", "no CSV")),
        (HEADER.encode(), ("no rows",)),
        (
            (HEADER.replace("CustomerId", "x").replace("Email", "y") + "\n1,2,3").encode(),
            ("no column CustomerId and no column Email",),
        ),
        (b"", ("no rows",)),
    ],
)
def test_anything_else_is_one_sentence(tmp_path: Path, data: bytes, words: tuple[str, ...]) -> None:
    with pytest.raises(CannotGoOn) as refusal:
        read_own_table(write(tmp_path, data))
    assert [word for word in words if word not in str(refusal.value)] == []
    assert "\n" not in str(refusal.value)


def test_a_first_line_without_end_is_one_sentence(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    before = csv.field_size_limit(1 << 17)  # Python's own: reading a Blob export raises it for the whole process
    request.addfinalizer(lambda: csv.field_size_limit(before))
    with pytest.raises(CannotGoOn, match=r"Line 1 of .* is no CSV .*CSV UTF-8"):
        read_own_table(write(tmp_path, HEADER.encode() + b"x" * 200_000))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotGoOn, match=r"There is no file .*nowhere\.csv"):
        read_own_table(tmp_path / "nowhere.csv")


def test_the_demo_says_which_rows_it_leaves_out_of_somebodys_own_table(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("CustomerId,Email\n" + "".join(f"c{n},p{n}@example.com\n" for n in range(1100)))
    first, second = own_scenes(file, read_own_table(file))
    assert "leaves 22 of 1,100 rows out" in second.refresh
    assert first.tables["own"].height - second.tables["own"].height == 22
