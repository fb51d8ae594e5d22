r"""Blocks: a partition cut at the ends of rows, each block proved to be regular before Polars reads it.

Polars is quick but takes what it gets: a stray quote makes one field of two people's rows. So each block is matched as
a whole against what RFC 4180 calls rows of so many fields. What does not match is read carefully instead, and no row is
ever taken for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

import polars as pl

from shared.sources.blob_export.dialect import swallows
from shared.sources.blob_export.tables import Dialect

BLOCK: Final = 1 << 22
"""Bytes of a block, at most unless a row is longer: some thousands of rows."""

_LINES: Final = 1000
"""Lines that are looked at for a row's end: more than one field has."""


def cut(pieces: Iterable[bytes], pattern: str) -> Iterator[bytes]:
    """Cut a partition into blocks that, if they are regular, end with a row."""
    held = b""
    for piece in pieces:
        held += piece
        start = 0
        while len(held) - start >= BLOCK:
            end = _end_of_rows(held, start, start + BLOCK, pattern)
            yield held[start:end]
            start = end
        held = held[start:]
    held = held.removesuffix(b"\x1a")  # which ends files of old programs
    if held:
        yield held if held.endswith(b"\n") else held + b"\n"


def rows_of(dialect: Dialect, width: int) -> str:
    """Return the pattern of rows of `width` fields: a field is between quotes, inner ones doubled, or without any.

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
    row = rf"{one}(?:{delimiter}{one}){{{width - 1}}}"
    return rf"\A(?:{row}\r?\n)*\z"


def is_regular(block: bytes, pattern: str) -> bool:
    """Return whether a block is UTF-8 and nothing but whole rows."""
    try:
        text = pl.Series([block]).cast(pl.String)
    except pl.exceptions.ComputeError:
        return False
    return bool(text.str.contains(pattern).item())


def is_doubtful(block: bytes, dialect: Dialect) -> bool:
    """Return whether a regular block could be read in another way: a backslash before a quote may be a way to write one."""
    return dialect.quote is not None and b"\\" in block and b'\\"' in block  # one byte is found ten times as fast


def may_swallow(block: bytes, dialect: Dialect, width: int, rows: int) -> bool:
    """Return whether a row of several lines in a regular block of `rows` may be several rows between two stray quotes."""
    if block.count(b"\n") == rows:
        return False
    taken: list[bytes] = []
    quotes = 0
    for line in block.split(b"\n"):
        taken.append(line)
        quotes += line.count(b'"')
        if quotes % 2 == 0:
            if len(taken) > 1 and swallows([line.decode() for line in taken], dialect, width):
                return True
            taken.clear()
    return False


def _end_of_rows(data: bytes, begin: int, limit: int, pattern: str) -> int:
    """Find where the last line within bounds ends that is a row by itself; where there is none, all of it goes together.

    A line within a field could look like a row of so many fields; then the block is not regular as a whole.
    """
    end = data.rfind(b"\n", begin, limit) + 1 or begin
    for _ in range(_LINES):
        start = data.rfind(b"\n", begin, max(begin, end - 1)) + 1 or begin
        if start < end and is_regular(data[start:end], pattern):
            return end
        end = start
    return limit
