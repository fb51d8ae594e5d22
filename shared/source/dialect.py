"""How a partition is really written: header or not, whatever was told, and the careful way to read a broken one."""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from shared.reasons import Reason, RunEnded
from shared.source.catalogue import CUSTOMER_ID, Dialect

LONGEST_LINE: Final = 1 << 20
"""Characters of a line that are looked at; a longer one is broken, and its rest is passed over."""

LONGEST_ROW: Final = 1 << 16
"""Characters a row of several lines may have; a quote that is still open then was never meant to be one."""

_CUT: Final = LONGEST_LINE + 1
_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CARRIAGE_RETURN: Final = "\uffff"
"""What stands for a carriage return while the csv module reads: it takes one for a line's end, Polars does not."""

_UTF8: Final = {"utf-8", "utf8", "utf_8", "utf-8-sig", "65001"}


def check_encoding(start: bytes, dialect: Dialect, path: str) -> None:
    """Raise RunEnded SOURCE_MALFORMED unless the partition is UTF-8, by what is told and by its first bytes."""
    if dialect.encoding not in _UTF8 or start.startswith(_UTF16) or b"\0" in start[:2]:
        raise RunEnded(
            Reason.SOURCE_MALFORMED,
            f"{path} is not UTF-8. Export the segments again as UTF-8, without another encoding.",
        )
    if b"\r" in start and b"\n" not in start:
        raise RunEnded(
            Reason.SOURCE_MALFORMED,
            f"The lines of {path} do not end in a line feed. Export the segments again.",
        )


def header_of(start: bytes, dialect: Dialect, columns: Iterable[str]) -> tuple[str, ...] | None:
    """Give the header row that a partition begins with, or None if its first row is data.

    A first row with a cell `CustomerId` is a header whatever was told (Microsoft's own reader decides so); a header
    that was promised is one if any cell is a column's name.
    """
    text = start.decode("utf-8", errors="replace").removeprefix("\ufeff")
    first = next(rows([text], dialect, width=None), None)
    if first is None or first.broken:
        return None
    if CUSTOMER_ID in first.cells or (dialect.header and set(first.cells) & set(columns)):
        return tuple(first.cells)
    return None


@dataclass(frozen=True, slots=True)
class Row:
    """One row read carefully; of a broken one the cells are what can be made out."""

    cells: Sequence[str]
    broken: bool


def rows(pieces: Iterable[str], dialect: Dialect, *, width: int | None) -> Iterator[Row]:
    """Read text row by row; a row is broken if its quotes make no sense or it has not `width` fields.

    Lines between quotes belong together. Where that gives no sound row, the first line alone is broken and reading
    goes on with the next one, so that a stray quote spoils nothing but its own line. Blank lines are no rows.
    """
    coming = _lines(pieces)
    held: deque[str] = deque()
    while True:
        taken = _take(held, coming, dialect)
        if not taken:
            return
        text = "".join(taken).removesuffix("\n").removesuffix("\r")
        if not text:
            continue
        cells = _parse(text, dialect) if len(text) <= LONGEST_LINE else None
        if cells is not None and width in {None, len(cells)}:
            yield Row(cells, broken=False)
            continue
        held.extendleft(reversed(taken[1:]))
        alone = taken[0].rstrip("\r\n")
        yield Row(_parse(alone, dialect) or alone.split(dialect.delimiter), broken=True)


def _take(held: deque[str], coming: Iterator[str], dialect: Dialect) -> list[str]:
    """Take the lines of one row: more of them as long as a quote is open, within bounds."""
    taken: list[str] = []
    quotes = length = 0
    while not taken or (quotes % 2 and length < LONGEST_ROW):
        line = held.popleft() if held else next(coming, None)
        if line is None:
            break
        taken.append(line)
        length += len(line)
        quotes += line.count(dialect.quote) if dialect.quote else 0
    return taken


def _parse(text: str, dialect: Dialect) -> list[str] | None:
    """Give a row's fields, or None if its quotes make no sense."""
    if dialect.quote is None:
        return text.split(dialect.delimiter)
    try:
        plain = io.StringIO(text.replace("\r", _CARRIAGE_RETURN), newline="\n")
        found = list(csv.reader(plain, delimiter=dialect.delimiter, strict=True))
    except csv.Error:
        return None
    if len(found) != 1:
        return None
    return [cell.replace(_CARRIAGE_RETURN, "\r") for cell in found[0]] if "\r" in text else found[0]


def _lines(pieces: Iterable[str]) -> Iterator[str]:
    """Cut text into lines that keep their ends; of a line that is too long only the beginning comes, a little too long."""
    rest = ""
    for piece in pieces:
        *whole, last = piece.split("\n")
        for line in whole:
            yield (rest + line)[:_CUT] + "\n"
            rest = ""
        rest = (rest + last)[:_CUT]
    if rest:
        yield rest
