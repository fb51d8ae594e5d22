r"""The careful way to read: row by row, and a row that could be read in two ways is broken.

Quotes within quotes are doubled (RFC 4180) or have a backslash before them (Spark's default). A row says itself which:
it is taken only if one of the two gives sound fields, or both give the same.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from shared.sources.blob_export.lines import LONGEST_LINE
from shared.sources.blob_export.lines import lines as lines_of
from shared.sources.blob_export.tables import Dialect

LONGEST_ROW: Final = 1 << 20
"""Characters a row of several lines may have; a quote that is still open then was never meant to be one."""

_CARRIAGE_RETURN: Final = "\ud800"
"""What stands for a carriage return while the csv module reads: it takes one for a line's end, Polars does not."""

_ESCAPED: Final = '\\"'
_BLANK: Final = " \t\r\ufeff\x1a"
"""What a blank line may hold; the last one ends files of old programs."""

# The bounds are ours; the module's own would break rows.
csv.field_size_limit(max(csv.field_size_limit(), LONGEST_ROW + LONGEST_LINE + 1))


class Unreadable(Exception):
    """A partition is not what it is taken for. Says of what it is, after its path: "has …"; never what stands in it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row read carefully, of so many `lines`; of a broken one there are no cells, but its `line`."""

    cells: Sequence[str]
    broken: bool
    lines: int = 1
    line: str = field(default="", repr=False)


def rows(pieces: Iterable[str], dialect: Dialect, *, width: int | None) -> Iterator[Row]:
    """Read text row by row; a row is broken if its quotes make no sense or it has not `width` fields.

    Lines between quotes belong together. Where quotes are never closed as they should be, the first line alone is broken
    and reading goes on with the next one, so that a stray quote spoils nothing but its own line. Where they are, but what
    they make is no sound row, each line is a broken row: there may be somebody's row in any of them. Blank lines are no rows; the next
    row counts them among its lines. Raises Unreadable for rows that end in a carriage return.
    """
    coming = lines_of(pieces, dialect.delimiter, width or 1)
    held: deque[str] = deque()
    skipped, blanks = 0, ("", *_BLANK)
    while (line := held.popleft() if held else next(coming, None)) is not None:
        text = line.removesuffix("\n").removesuffix("\r")
        if text[:1] in blanks and is_blank(text, dialect):
            skipped += 1
            continue
        cells = _parse(text, dialect, width) if len(text) <= LONGEST_LINE else None
        taken = [line]
        if cells is None and dialect.quote and '"' in text:
            cells, taken = _over_lines(line, held, coming, dialect, width)
        if cells is not None:
            yield Row(cells, broken=False, lines=len(taken) + skipped)
        else:
            for part in _parts(text, taken, dialect, width) if "\r" in text else taken:
                yield Row((), broken=True, lines=1 + skipped, line=part)
                skipped = 0
        skipped = 0


def is_blank(line: str, dialect: Dialect) -> bool:
    """Return whether a line holds nothing, and so is no row."""
    return not line.strip(_BLANK.replace(dialect.delimiter, ""))


def _over_lines(
    line: str, held: deque[str], coming: Iterator[str], dialect: Dialect, width: int | None
) -> tuple[list[str] | None, list[str]]:
    """Read a row whose quotes are still open at the line's end; return its cells, if it is sound, and its lines.

    Lines that do not belong to it are held.
    """
    found: list[tuple[list[str], int]] = []
    doubtful = 1
    for escaping in (False, True):
        taken = _take(line, held, coming, escaping=escaping)
        text = "".join(taken).removesuffix("\n").removesuffix("\r")
        cells = _tokens(text, dialect, escaping=escaping) if len(taken) > 1 and len(text) <= LONGEST_ROW else None
        if cells is not None and width in {None, len(cells)} and not swallows(taken, dialect, width):
            found.append((cells, len(taken)))
        elif cells is not None:
            doubtful = max(doubtful, len(taken))
        held.extendleft(reversed(taken[1:]))
        if not escaping and _ESCAPED not in text:
            break
    sound = bool(found) and found[0] == found[-1]
    lines = found[0][1] if sound else max([doubtful, *[lines for _, lines in found]])
    return found[0][0] if sound else None, [line, *[held.popleft() for _ in range(lines - 1)]]


def swallows(lines: Sequence[str], dialect: Dialect, width: int | None) -> bool:
    """Return whether a row of several lines may be several rows between two stray quotes, as in a file without quoting."""
    if width is None or width < 2:
        return False

    def is_row(line: str) -> bool:
        if line.count(dialect.delimiter) < width - 1:
            return False
        cells = _plain(line.removesuffix("\n").removesuffix("\r"), dialect)
        return cells is not None and len(cells) == width

    first, last = lines[0], lines[-1]
    if first.startswith('"') == last.startswith('"'):
        opening, closing = "".join(first.rsplit('"', 1)), last.replace('"', "", 1)
        if is_row(opening) and is_row(
            closing
        ):  # one alone is what a value of several lines at the row's end looks like
            return True
    return any('"' not in line and line.count(dialect.delimiter) == width - 1 for line in lines[1:-1])


def _take(line: str, held: deque[str], coming: Iterator[str], *, escaping: bool) -> list[str]:
    """Take the lines of one row: more of them as long as a quote is open, within bounds."""
    taken = [line]
    quotes, length = _quotes(line, escaping=escaping), len(line)
    while quotes % 2 and length < LONGEST_ROW:
        following = held.popleft() if held else next(coming, None)
        if following is None:
            break
        taken.append(following)
        length += len(following)
        quotes += _quotes(following, escaping=escaping)
    return taken


def _quotes(text: str, *, escaping: bool) -> int:
    return text.count('"') - (text.count(_ESCAPED) if escaping else 0)


def _parse(text: str, dialect: Dialect, width: int | None) -> list[str] | None:
    """Return the fields of a row of one line, or None if it is not sound, or sound in two ways."""
    if dialect.quote is None:
        cells = text.split(dialect.delimiter)
        return cells if width in {None, len(cells)} and not any(cell.startswith('"') for cell in cells) else None
    if _ESCAPED not in text:
        read = _plain(text, dialect)
        return read if read is not None and width in {None, len(read)} else None
    both = [_tokens(text, dialect, escaping=escaping) for escaping in (False, True)]
    sound = [cells for cells in both if cells is not None and width in {None, len(cells)}]
    return sound[0] if sound and sound[0] == sound[-1] else None


def _plain(text: str, dialect: Dialect) -> list[str] | None:
    """Return the fields of a line whose quotes are doubled, or None if they make no sense."""
    try:
        cells = next(csv.reader([text.replace("\r", _CARRIAGE_RETURN)], delimiter=dialect.delimiter, strict=True))
    except csv.Error:
        return None
    if '"' in text and '"' in "".join(cells):  # the csv module takes quotes amid a field for its own
        return _tokens(text, dialect, escaping=False)
    return [cell.replace(_CARRIAGE_RETURN, "\r") for cell in cells] if "\r" in text else cells


@lru_cache(maxsize=64)
def _field(delimiter: str, *, escaping: bool) -> re.Pattern[str]:
    """Return the pattern of a field, between quotes or without any."""
    within = r'(?:[^"\\]++|\\.)*+' if escaping else r'(?:[^"]++|"")*+'
    return re.compile(rf'"({within})"|([^"{re.escape(delimiter)}\n]*+)', re.DOTALL)


def _tokens(text: str, dialect: Dialect, *, escaping: bool) -> list[str] | None:
    """Return the fields of a row by the letter of one way to quote, or None.

    Where backslashes stand before quotes, one before another is read in either way by different programs: no sound row.
    """
    field = _field(dialect.delimiter, escaping=escaping)
    cells, at = [], -1
    while at < len(text):
        found = field.match(text, at + 1)
        if found is None:
            return None
        quoted, bare = found.groups()
        if quoted is not None and escaping:
            if "\\\\" in quoted:
                return None
            bare = quoted.replace(_ESCAPED, '"')
        elif quoted is not None:
            bare = quoted.replace('""', '"')
        cells.append(bare)
        at = found.end()
        if at < len(text) and text[at] != dialect.delimiter:
            return None
    return cells


def _parts(text: str, taken: list[str], dialect: Dialect, width: int | None) -> list[str]:
    """Return what may be rows of a broken line with carriage returns, and of the lines that go with it.

    Raise Unreadable if several of them are sound rows that end in carriage returns.
    """
    parts = text.split("\r")
    if width is not None and sum(_parse(part, dialect, width) is not None for part in parts) > 1:
        raise Unreadable("has rows that end in a carriage return without a line feed")
    rows = [part for part in parts if part.strip()]
    if len(rows) <= len(taken) or len(text) > LONGEST_LINE:
        return [*taken, *[""] * (len(rows) - len(taken))]
    return [*rows[:-1], "\n".join([rows[-1], *taken[1:]])]
