"""A table of the user's own, as spreadsheets save it: encoding and delimiter are found out, what is wrong is a sentence."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from export_trigger.http.mapping import suggestion
from local.commands import CannotGoOn
from local.targets import AUTOPILOT, Target
from shared.cleaning.addresses import normalised
from shared.destinations.registry import DESTINATIONS
from shared.sources.blob_export.tables import CUSTOMER_ID, BlobTable

SAVE_AS: Final = "Save it as 'CSV UTF-8' instead"

_DELIMITERS: Final = ",;\t|"
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_TEXT: Final = ((b"PK", "a workbook or an archive"), (b"PAR1", "Parquet"), (b"\x1f\x8b", "compressed (gzip)"))


@dataclass(frozen=True, slots=True)
class OwnTable:
    """A table, all columns as text; the mapping that the app suggests for it; and how it was read, for people.

    `address` is the column that holds the e-mail addresses.
    """

    rows: pl.DataFrame
    mapping: dict[str, str]
    address: str
    read_as: str

    def without_some(self) -> OwnTable:
        """Return the same table with a few rows gone."""
        return replace(self, rows=self.rows.filter(pl.int_range(pl.len()) % 50 != 7))

    def expected_members(self) -> set[str]:
        """Return the addresses that an export of the table must deliver."""
        return set(normalised(self.rows[self.address]).drop_nulls())


def read_own_table(file: Path, target: Target = AUTOPILOT) -> OwnTable:
    """Read a table; raises CannotGoOn with what is wrong, where, and what to save instead."""
    fields = DESTINATIONS[target.kind].fields
    text, encoding = _text(file)
    delimiter = _delimiter(text)
    header, rows = _rows(file, text, delimiter)
    table = pl.DataFrame(rows, schema=dict.fromkeys(header, pl.String), orient="row")
    mapping = suggestion(BlobTable(name=file.stem, columns=tuple(header), partitions=()), fields)
    missing = [
        name
        for name, there in ((CUSTOMER_ID, CUSTOMER_ID in header), ("Email", fields.address in mapping))
        if not there
    ]
    if missing:
        found = ", ".join(map(repr, header[:20]))
        raise CannotGoOn(f"{file} has no column {' and no column '.join(missing)}. It has {found}.")
    shown = {"\t": "tabs"}.get(delimiter, repr(delimiter))
    return OwnTable(table, mapping, mapping[fields.address], f"read as {encoding}, cells parted by {shown}")


def _text(file: Path) -> tuple[str, str]:
    """Decode a file: by its byte-order mark, else as UTF-8, else as what Excel saves as plain CSV in the West."""
    if not file.is_file():
        raise CannotGoOn(f"There is no file {file}.")
    data = file.read_bytes()
    for start, kind in _NOT_TEXT:
        if data.startswith(start):
            raise CannotGoOn(f"{file} is {kind}, not CSV. {SAVE_AS}.")
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding), encoding.removesuffix("-sig").upper()
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise CannotGoOn(
                f"{file} is not {encoding.upper()} in line {_line(data, error.start)}. {SAVE_AS}."
            ) from None
    try:
        return data.decode("cp1252"), "Windows-1252 (it is not UTF-8)"
    except UnicodeDecodeError as error:
        raise CannotGoOn(
            f"{file} is neither UTF-8 nor Windows-1252 in line {_line(data, error.start)}. {SAVE_AS}."
        ) from None


def _line(data: bytes, place: int) -> int:
    return data.count(b"\n", 0, place) + 1


def _delimiter(text: str) -> str:
    """Find what parts the header's cells: what makes a cell CustomerId of it, else what stands in it most often."""
    header = re.split(r"[\r\n]", text, maxsplit=1)[0]  # a carriage return alone ends lines on an old Macintosh
    names = [f'"{CUSTOMER_ID}"', CUSTOMER_ID]
    parted = [one for one in _DELIMITERS if any(name in header.split(one) for name in names)]
    return max(parted or _DELIMITERS, key=header.count)


def _rows(file: Path, text: str, delimiter: str) -> tuple[list[str], list[list[str | None]]]:
    """Return header and rows; raises CannotGoOn naming the first line that does not fit."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str | None]] = []
    try:
        header = next(reader, [])
        double = [name for name, times in Counter(header).items() if times > 1]
        if double:
            raise CannotGoOn(f"{file} has two columns named {double[0]!r}. Name each once.")
        begin = reader.line_num + 1
        for row in reader:
            if row and len(row) != len(header):
                raise CannotGoOn(
                    f"Line {begin} of {file} has {len(row)} cells, its header {len(header)}. Correct that line: a cell that "
                    f"holds {delimiter!r} stands in quotes."
                )
            if row:
                rows.append([cell or None for cell in row])
            begin = reader.line_num + 1
    except csv.Error as error:
        raise CannotGoOn(f"Line {reader.line_num} of {file} is no CSV ({error}). {SAVE_AS}.") from None
    if not rows:
        raise CannotGoOn(f"{file} has no rows.")
    return header, rows
