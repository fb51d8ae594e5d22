r"""Blocks: a partition cut at the ends of rows, each block proved to be regular before Polars reads it.

Polars is quick but takes what it gets: a stray quote makes one field of two people's rows. So each block is matched as
a whole against what RFC 4180 calls rows of so many fields; that costs a tenth of the parsing. What does not match is
read carefully instead, and no row is ever taken for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from shared.source.catalogue import Dialect

BLOCK: Final = 1 << 23
"""Bytes of a block, at least: some tens of thousands of rows."""


@dataclass(frozen=True, slots=True)
class Block:
    """Text that is read at once, if it is regular: whole rows, each with all its fields.

    An irregular block is the last one: where its rows end nobody knows, so it brings all that is left, piece by piece.
    """

    data: bytes
    is_regular: bool
    rest: Iterator[bytes] = field(default_factory=lambda: iter(()))


def cut(pieces: Iterable[bytes], dialect: Dialect, width: int) -> Iterator[Block]:
    """Cut a partition of `width` columns into regular blocks; the first that is irregular takes the rest with it."""
    pattern = _rows_of(dialect, width)
    held = b""
    coming = iter(pieces)
    for piece in coming:
        held += piece
        if len(held) < BLOCK:
            continue
        end = _end_of_rows(held, dialect)
        if not end or not _is_regular(held[:end], pattern):
            yield Block(held, False, coming)
            return
        yield Block(held[:end], True)
        held = held[end:]
    if held:
        yield Block(held, _is_regular(held, pattern))


def _rows_of(dialect: Dialect, width: int) -> str:
    """Give the pattern of rows: a field is between quotes, inner ones doubled, or without any; the last line may be open."""
    delimiter = re.escape(dialect.delimiter)
    bare = rf"[^{delimiter}\r\n]" if dialect.quote is None else rf'[^"{delimiter}\r\n]'
    some = "+" if width == 1 else "*"  # a blank line is no row
    one = f"{bare}{some}" if dialect.quote is None else f'(?:"(?:[^"]|"")*"|{bare}{some})'
    row = rf"{one}(?:{delimiter}{one}){{{width - 1}}}"
    return rf"\A(?:{row}\r?\n)*(?:{row})?\z"


def _is_regular(data: bytes, pattern: str) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return bool(pl.Series([text]).str.contains(pattern).item())


def _end_of_rows(data: bytes, dialect: Dialect) -> int:
    """Find the last line feed that is outside quotes, and give the place behind it; 0 if there is none."""
    end = data.rfind(b"\n") + 1
    if dialect.quote is None:
        return end
    quote = dialect.quote.encode()
    quotes = data.count(quote, 0, end)
    while quotes % 2 and end:
        before = data.rfind(b"\n", 0, end - 1) + 1
        quotes -= data.count(quote, before, end)
        end = before
    return end
