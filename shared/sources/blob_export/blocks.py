r"""Blocks: a partition cut at the ends of rows, each block proved to be regular before Polars reads it.

Polars is quick but takes what it gets: a stray quote makes one field of two people's rows. So each line is matched
against what RFC 4180 calls a row of so many fields, and lines that are none by themselves are matched together. What does
not match is read carefully instead, and no row is ever taken for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

import polars as pl

from shared.sources.blob_export.dialect import swallows
from shared.sources.blob_export.tables import Dialect

BLOCK: Final = 1 << 22
"""Bytes of a block, at most unless a row is longer: some thousands of rows."""

_LINES: Final = 1000
"""Lines that are looked at for a row's end: more than one field has."""


@dataclass(frozen=True, slots=True)
class Grammar:
    """What rows of `width` fields look like: `row` is the pattern of one, without its line end."""

    dialect: Dialect
    width: int
    row: str

    @property
    def alone(self) -> str:
        """The pattern of a line that is a row by itself."""
        return rf"\A{self.row}\z"

    @property
    def rows(self) -> str:
        """The pattern of whole rows and nothing else, their lines without carriage returns at the ends.

        `read_lines` has taken one off each line: another one that is left belongs to no line end.
        """
        return rf"\A(?:{self.row}\n)*\z"


def grammar_of(dialect: Dialect, width: int) -> Grammar:
    """Return the grammar of rows of `width` fields: a field is between quotes, inner ones doubled, or without any.

    Where quotes are told to be none, no field begins with one.
    """
    delimiter = re.escape(dialect.delimiter)
    bare = rf'[^"{delimiter}\r\n]'
    some = "+" if width == 1 else "*"  # a blank line is no row
    if dialect.quote is None:
        one = rf"{bare}[^{delimiter}\r\n]*" + ("" if width == 1 else "|")
        one = f"(?:{one})"
    else:
        one = f'(?:"(?:[^"]|"")*"|{bare}{some})'
    return Grammar(dialect, width, rf"{one}(?:{delimiter}{one}){{{width - 1}}}")


def cut(pieces: Iterable[bytes], grammar: Grammar) -> Iterator[bytes]:
    """Cut a partition into blocks that, if they are regular, end with a row."""
    held = b""
    for piece in pieces:
        held += piece
        start = 0
        while len(held) - start >= BLOCK:
            end = _end_of_rows(held, start, start + BLOCK, grammar)
            yield held[start:end]
            start = end
        held = held[start:]
    held = held.removesuffix(b"\x1a")  # which ends files of old programs
    if held:
        yield held if held.endswith(b"\n") else held + b"\n"


def rows_of_several_lines(block: bytes, grammar: Grammar) -> list[list[str]] | None:
    """Return the lines of each row that has several; None if the block is not UTF-8 and nothing but whole rows.

    Most lines are rows by themselves. One that is not opens a row if the number of its quotes is odd, and the next such
    line closes it; what is between them belongs to it, even a line that looks like a row.
    """
    if not block.endswith(b"\n"):
        return None
    try:
        lines = pl.read_lines(block).to_series()
    except pl.exceptions.ComputeError:
        return None
    others = (~lines.str.contains(grammar.alone)).arg_true()
    if others.is_empty():
        return []
    odd = others.filter(lines.gather(others).str.count_matches('"', literal=True) % 2 == 1)
    if grammar.dialect.quote is None or odd.is_empty() or len(odd) % 2:
        return None
    first, last = odd.gather_every(2), odd.gather_every(2, offset=1)
    places = pl.select(pl.int_ranges(first, last + 1, dtype=pl.UInt32)).to_series().explode()
    within = lines.gather(places)
    is_regular = (within.str.join("\n") + "\n").str.contains(grammar.rows).item()
    if not is_regular or not others.is_in(places.implode()).all():
        return None
    taken = iter(within.to_list())
    return [list(islice(taken, count)) for count in last - first + 1]


def is_doubtful(block: bytes, several: Iterable[Sequence[str]], grammar: Grammar) -> bool:
    """Return whether a regular block, whose rows of several lines are given, could be read in another way.

    A backslash before a quote may be a way to write one, and a row of several lines several rows between two stray quotes.
    """
    if grammar.dialect.quote is None:
        return False
    if b"\\" in block and b'\\"' in block:  # one byte is found ten times as fast
        return True
    return any(swallows(lines, grammar.dialect, grammar.width) for lines in several)


def _end_of_rows(data: bytes, begin: int, limit: int, grammar: Grammar) -> int:
    """Find where the last line within bounds ends that is a row by itself; where there is none, all of it goes together.

    A line within a field could look like a row of so many fields; then the block is not regular as a whole.
    """
    end = data.rfind(b"\n", begin, limit) + 1 or begin
    for _ in range(_LINES):
        start = data.rfind(b"\n", begin, max(begin, end - 1)) + 1 or begin
        if start < end and rows_of_several_lines(data[start:end], grammar) == []:
            return end
        end = start
    return limit
