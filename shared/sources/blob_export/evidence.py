"""What a partition is, by the evidence of its beginning: text or not, which lines, fields and quotes, a header or none.

What `model.json` says must agree with what is found, or nothing is read: a partition taken for what it is not would make
its people leavers and its values empty. No text here says what stands in a file: it may be a person's.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from shared.sources.blob_export.dialect import Row, Unreadable, is_blank, rows
from shared.sources.blob_export.encoding import check_bytes, decoder
from shared.sources.blob_export.model import MOST_COLUMNS
from shared.sources.blob_export.tables import CUSTOMER_ID, Dialect

INVISIBLE: Final = " \t\u00a0\ufeff\u200b\u200c\u200d\u200e\u200f\u2060"
"""What may stand around a name unseen."""

_SAMPLE: Final = 100
"""Rows that are looked at."""

_DELIMITERS: Final = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", "\x01": "control characters (01)"}
_BREAK: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_SIGNS: Final = {
    "''",
    "``",
    "[]",
    "“”",
    "„“",
    "„”",
    "””",
    "‘’",
    "‚‘",
    "‚’",
    "’’",
    "«»",
    "»«",
    "‹›",
    "›‹",
    "＂＂",
    "「」",
    "´´",
    "`´",
}
_OTHER_ENDS: Final = ("\r", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029")
_LINE_END: Final = re.compile(r'"(?:[^"]++|"")*+"|[^"\r\n]++|"|(\r\n|\r|\n)')
_ADDRESS: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True, slots=True)
class Layout:
    """How a partition is really written: a name for each field of a row, and where the first row begins, in bytes.

    `has_header` says whether it names its columns itself, `is_blank` that there is nothing in it, not even a header.
    """

    names: tuple[str, ...]
    dialect: Dialect
    offset: int
    has_header: bool = False
    is_blank: bool = False


def layout_of(
    start: bytes, told: Dialect, columns: Sequence[str], address: str | None = None, *, whole: bool = True
) -> Layout:
    """Find how a partition is written from its beginning, `whole` or cut anywhere; raises Unreadable.

    `address` is the column that holds e-mail addresses, if it is known.
    """
    check_bytes(start, told.delimiter)
    mark = len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0
    if not whole:
        start = start[: start.rfind(b"\n") + 1]  # a row that goes on beyond the beginning would be half a row
        if len(start) <= mark:
            raise Unreadable("begins with a line that is too long to be a row")
    text = decoder().decode(start[mark:], final=True)
    _check_lines(text, told, columns)
    dialect = _quoting(text, told)
    sample = list(islice(rows([text], dialect, width=None), _SAMPLE))
    if not sample and told.header:
        raise Unreadable("is empty, although model.json promises a header. Run the Blob export again")
    if not sample:
        return Layout(tuple(columns), dialect, len(start), is_blank=whole)
    _check_signs(sample)
    names = _header(sample, text, dialect, columns)
    if names is None:
        _check_delimiter(sample, text, dialect, columns)
        _check_order(sample, columns, address)
    else:
        _check_header(names, columns, alone=len(sample) == 1)
    blank = next(number for number, line in enumerate(_split(text)) if not is_blank(line, dialect))
    lines = sample[0].lines if names else blank
    offset = mark + _end_of_line(start[mark:], lines)
    return Layout(names or tuple(columns), dialect, offset, has_header=names is not None)


def _check_signs(sample: Sequence[Row]) -> None:
    """Raise Unreadable if other signs than line feeds end rows, or others than double quotes stand around values."""
    rows = [row.cells for row in sample if not row.broken]
    ended = sum(row[0].strip(" \t").startswith(_OTHER_ENDS) or row[-1].endswith(_OTHER_ENDS) for row in rows)
    if ended * 2 > len(sample):
        raise Unreadable("has rows that begin or end with other line breaks than a line feed")
    if any(_is_signed(row[0].strip()) or sum(map(_is_signed, row)) * 2 > len(row) for row in rows):
        raise Unreadable("has values between other signs than double quotes")


def is_header(cells: Sequence[str], columns: Sequence[str]) -> bool:
    """Return whether a row holds names of columns, and not a person's values."""
    return plain(CUSTOMER_ID) in map(plain, cells) or names_most(cells, columns)


def names_most(cells: Sequence[str], columns: Sequence[str]) -> bool:
    """Return whether most of a row's cells are names of columns."""
    lookup = _lookup(columns)
    known = sum(plain(cell) in lookup for cell in cells)
    return known * 2 > len(cells) and (len(cells) > 1 or len(columns) == 1)


def _check_lines(text: str, dialect: Dialect, columns: Sequence[str]) -> None:
    """Raise Unreadable if rows end in a carriage return alone."""
    if "\r" not in text:
        return
    begun = len(text) - len(text.lstrip("\r\n"))
    for end in _LINE_END.finditer(text, begun):
        if end.group(1):
            break
    else:
        return
    alone = Dialect(dialect.delimiter, dialect.quote)
    first = next(rows([text[begun : end.start()]], alone, width=None), None)
    row = first is not None and (len(first.cells) == len(columns) or is_header(first.cells, columns))
    if end.group(1) == "\r" and (row or "\n" not in text):
        raise Unreadable("has lines that end in a carriage return; only those that end in a line feed are read")


def _quoting(text: str, told: Dialect) -> Dialect:
    """Return the dialect that was told, with quotes if every value stands between them, whatever was told."""
    if told.quote is not None:
        return told
    one = r'(?:"(?:[^"]++|"")*+"|)'
    row = re.compile(rf"{one}(?:{re.escape(told.delimiter)}{one})*+\r?")
    lines = list(islice((line for line in _split(text) if line.strip()), _SAMPLE))
    people = lines[1:] or lines  # a header may be written otherwise
    all_quoted = bool(people) and all('"' in line and row.fullmatch(line) for line in people)
    return replace(told, quote='"') if all_quoted else told


def _header(sample: Sequence[Row], text: str, dialect: Dialect, columns: Sequence[str]) -> tuple[str, ...] | None:
    """Return the columns that the first row names, or None if it is a person's row; raises Unreadable in doubt.

    Customer Insights' own reader takes a row with a cell `CustomerId` for a header, whatever was told.
    """
    first = sample[0]
    if first.broken:
        line = next(line for line in _split(text) if not is_blank(line, dialect))
        cells = [cell.strip('"\r ') for cell in line.split(dialect.delimiter)]
        if is_header(cells, columns):
            raise Unreadable("has a header whose quotes make no sense")
        return None
    lookup = _lookup(columns)
    if is_header(first.cells, columns):
        return tuple(_name(cell, columns, lookup) for cell in first.cells)
    others = any(_is_wordy(row.cells) for row in sample[1:])
    named = dialect.header or any(lookup.get(plain(cell)) for cell in first.cells)
    if _is_wordy(first.cells) and (named or (len(sample) > 1 and not others)):
        raise Unreadable(
            "has a first row that may be a header, but does not name the columns of model.json. Run the Blob export again"
        )
    return None


def _is_signed(value: str) -> bool:
    """Return whether a value stands between signs that some programs take for quotes."""
    return len(value) > 1 and f"{value[0]}{value[-1]}" in _SIGNS


def _check_header(names: Sequence[str], columns: Sequence[str], *, alone: bool) -> None:
    """Raise Unreadable for a header that is more than one: rows may be in it that end as no row does."""
    if len(names) > MOST_COLUMNS:
        raise Unreadable(f"has a header of {len(names):,} columns; {MOST_COLUMNS:,} are read")
    if any(_BREAK.search(name) for name in names):
        raise Unreadable("has a header with line breaks or control characters in a name")
    if alone and not set(names) <= set(columns):
        raise Unreadable("has a header that names other columns than model.json, and no row. Run the Blob export again")


def _is_wordy(cells: Sequence[str]) -> bool:
    """Return whether a row could be a header: several cells, all of words, no number and no address among them."""
    return len(cells) > 1 and all(cell.strip() and not re.search(r"[\d@]", cell) for cell in cells)


def _lookup(columns: Sequence[str]) -> Mapping[str, list[str]]:
    """Return the columns by their names without case and invisible characters."""
    found: dict[str, list[str]] = {}
    for column in dict.fromkeys(columns):
        found.setdefault(plain(column), []).append(column)
    return found


def _name(cell: str, columns: Sequence[str], lookup: Mapping[str, list[str]]) -> str:
    name = _visible(cell)
    if name in columns:
        return name
    meant = lookup.get(plain(cell), [])
    if len(meant) > 1:
        raise Unreadable(f"has a header with a name that may be {' or '.join(map(repr, meant))}")
    return meant[0] if meant else name


def _visible(name: str) -> str:
    """Return a name as it looks: without white space and invisible characters around it."""
    return re.sub(r"^[\s\ufeff\u200b-\u200f\u2060]+|[\s\ufeff\u200b-\u200f\u2060\x1a]+$", "", name)


def plain(name: str) -> str:
    """Return a column's name as it is compared: without case and invisible characters around it."""
    return unicodedata.normalize("NFC", _visible(name)).casefold()


def _check_delimiter(sample: Sequence[Row], text: str, told: Dialect, columns: Sequence[str]) -> None:
    """Raise Unreadable if another delimiter gives a header, or no fewer rows than the one that was told."""
    width = len(columns)
    sound = sum(len(row.cells) == width for row in sample)
    if width == 1 and sound:
        return
    for delimiter, name in _DELIMITERS.items():
        other = replace(told, delimiter=delimiter)
        found = list(islice(rows([text], other, width=None), _SAMPLE)) if delimiter != told.delimiter else []
        fitting = sum(len(row.cells) == width for row in found)
        header = bool(found) and len(found[0].cells) > 1 and is_header(found[0].cells, columns)
        if header or fitting > sound or fitting == sound > 0:
            expected = _DELIMITERS.get(told.delimiter, repr(told.delimiter))
            raise Unreadable(
                f"has fields parted by {name}, while model.json says {expected}. Run the Blob export again"
            )


def _check_order(sample: Sequence[Row], columns: Sequence[str], address: str | None) -> None:
    """Raise Unreadable if, without a header, the column of addresses has none: it is another column, or another table."""
    if address not in columns:
        return
    people = [row.cells for row in sample if len(row.cells) == len(columns)]
    there = [
        bool(_ADDRESS.search(cells[columns.index(address)]))
        for cells in people
        if cells[columns.index(address)].strip()
    ]
    elsewhere: Counter[int] = Counter(n for cells in people for n, cell in enumerate(cells) if _ADDRESS.search(cell))
    moved = bool(elsewhere) and elsewhere.most_common(1)[0][1] * 2 >= len(people)
    if there and not any(there) and (moved or len(there) > 1):
        raise Unreadable(
            f"has no header, and by the order of model.json no address in column {address!r}. Run the Blob export again"
        )


def _split(text: str) -> Iterator[str]:
    at = 0
    while (end := text.find("\n", at)) >= 0:
        yield text[at:end]
        at = end + 1
    yield text[at:]


def _end_of_line(start: bytes, lines: int) -> int:
    """Return where the so-manyth line ends."""
    end = 0
    for _ in range(lines):
        end = start.find(b"\n", end) + 1 or len(start)
    return end
