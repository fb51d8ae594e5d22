"""Lines of a text in pieces: whole within a bound; of a longer one only the beginning is kept, and what it holds is counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

LONGEST_LINE: Final = 1 << 20
"""Characters of a line that are looked at; a longer one is broken, and its rest is passed over."""

UNDECODED: Final = "\udfff"
"""What stands for bytes that are not UTF-8 until their row is marked."""

_CUT: Final = LONGEST_LINE + 1
_TAIL: Final = 1 << 16
_MOST: Final = 10_000
"""Quotes or breaks that are looked at one by one in a piece of text."""

_BREAK: Final = re.compile(r"\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]|\\r\\n|\\[rn]")
"""What ends lines, in whatever program, or stands for that in words."""

_DAMAGE: Final = re.compile(rf"[\x00-\x08\x0e-\x1b\x7f{UNDECODED}]")
_ANSWER: Final = re.compile(
    r'\{\s*"(?:error|code|message|odata\.error)"|<\?xml|<!doctype|<html|<(?:error|code)>', re.IGNORECASE
)
"""How answers of services begin, and web pages: they stand in place of what was asked for."""


@dataclass(slots=True)
class Tally:
    """What a line holds, counted piece by piece.

    `delimiters` are all, `outside` those that no quotes surround (-1 if that cannot be said); `parts` between line breaks of any kind hold at
    least half of a row's delimiters, or an address. `damaged` characters are in no text. `answers` are signs of an answer of a service.
    """

    delimiter: str
    width: int
    length: int = 0
    delimiters: int = 0
    outside: int = 0
    quotes: int = 0
    addresses: int = 0
    damaged: int = 0
    parts: int = 0
    answers: int = 0
    tail: str = ""

    def take(self, text: str) -> Tally:
        """Count a piece."""
        self.length += len(text)
        self.delimiters += text.count(self.delimiter)
        self.addresses += text.count("@")
        self.damaged += sum(1 for _ in _DAMAGE.finditer(text))
        self.answers += _ANSWER.search(text) is not None
        self.parts += self._parts(text)
        self._quoted(text)
        self.tail = (self.tail + text)[-_TAIL:]
        return self

    @property
    def is_whole(self) -> bool:
        """Return whether its quotes and delimiters are those of one row."""
        return self.quotes % 2 == 0 and self.outside == self.width - 1

    def _quoted(self, text: str) -> None:
        quotes = text.count('"')
        if quotes > _MOST or self.outside < 0:
            self.outside = -1
        else:
            self.outside += sum(part.count(self.delimiter) for part in text.split('"')[self.quotes % 2 :: 2])
        self.quotes += quotes

    def _parts(self, text: str) -> int:
        breaks = sum(1 for _ in _BREAK.finditer(text))
        if not breaks or breaks > _MOST:
            return breaks
        least = max(1, (self.width - 1) // 2)
        return sum(
            "@" in part or (part.count(self.delimiter) >= least if self.width > 1 else bool(part.strip()))
            for part in _BREAK.split(text)
        )


class LongLine(str):
    """The beginning of a line that is too long, and the `tally` of all of it."""

    __slots__ = ("tally",)
    tally: Tally

    @classmethod
    def of(cls, beginning: str, tally: Tally) -> LongLine:
        """Make one of its beginning."""
        line = cls(beginning)
        line.tally = tally
        return line


def lines(pieces: Iterable[str], delimiter: str, width: int) -> Iterator[str]:
    """Cut text into lines that keep their ends; of a line that is too long only the beginning comes, a little too long."""
    rest, long = "", None
    for piece in pieces:
        *whole, last = piece.split("\n")
        for line in whole:
            if long is None and len(rest) + len(line) <= LONGEST_LINE:
                yield rest + line + "\n"
            else:
                tally = (long or Tally(delimiter, width).take(rest)).take(line)
                yield LongLine.of((rest + line)[:_CUT] + "\n", tally)
            rest, long = "", None
        if long is None and len(rest) + len(last) > LONGEST_LINE:
            long = Tally(delimiter, width).take(rest)
        if long is not None:
            long.take(last)
        rest = (rest + last)[:_CUT]
    if rest:
        yield rest if long is None else LongLine.of(rest, long)
