r"""Traces: of a broken line, how many rows may stand in it, and what in it may name somebody.

Both stay within the process. Weight: the most that one of these measures gives, at least 1.

* a service's answer stands in place of any number of rows: UNTOLD;
* characters that are in no text (zeros, bytes that are not UTF-8) by the length of a usual row;
* addresses, by how many a usual row has;
* unless quotes and delimiters are those of one row: delimiters by those of a row, parts between line breaks of any kind, and the whole
  length by four usual rows, so that a long row that somebody meant weighs 1 or 2.

A usual row is the median of the lines in the file's beginning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from statistics import median_low
from typing import Final

from shared.sources.blob_export.lines import UNDECODED, LongLine, Tally

UNTOLD: Final = 1 << 31
"""The weight of a line that may stand in place of any number of rows."""

MOST_OF_LINE: Final = 10_000
"""Candidates that are taken of one line."""

MOST_OF_FILE: Final = 1 << 23
"""Characters of candidates that are taken of a file, about; a line for which none are left is UNTOLD."""

_LONGEST: Final = 400
"""Characters of a candidate: an address with a name before it."""

_LINES: Final = 1_000
_LENIENT: Final = 4

_CELL: Final = re.compile(r"[^\n]+")
_PART: Final = r"\s\x00-\x1f\x7f-\x9f<>()\[\],;:|\"'\\@"
_ADDRESS: Final = re.compile(rf"(?<![^{_PART}])[^{_PART}]++@[^{_PART}]++")
_WORD: Final = re.compile(r"[^\s\x00-\x1f\x7f-\x9f<>()\[\]{},;:|\"'\\/&?!=`]+")
_END_IN_WORDS: Final = re.compile(r"\\[rnt]")
_AROUND: Final = " \t\r\"'\\"


@dataclass(frozen=True, slots=True)
class Usual:
    """A usual row of a file: its length, and its addresses."""

    length: int
    addresses: int = 1


@dataclass(frozen=True, slots=True)
class Trace:
    """What a broken line leaves: its weight, and candidates for keys and addresses."""

    weight: int
    candidates: tuple[str, ...] = field(repr=False)


def usual_row(beginning: bytes, width: int) -> Usual:
    """Return what a usual row is like, by the whole lines of a file's beginning."""
    found = [line for line in beginning.split(b"\n", _LINES)[:_LINES][:-1] if line.strip()]
    if not found:
        return Usual(16 * width)
    return Usual(max(1, median_low(map(len, found))), max(1, median_low(line.count(b"@") for line in found)))


@dataclass(slots=True)
class Tracer:
    """Finds the traces of a file's broken lines, within bounds."""

    delimiter: str
    width: int
    usual: Usual
    left: int = field(default=MOST_OF_FILE)

    def of_line(self, line: str) -> Trace:
        """Return the trace of a line that is no sound row."""
        if isinstance(line, LongLine):
            return self._trace(line.tally, [line, line.tally.tail], whole=line.tally.is_whole)
        tally = Tally(self.delimiter, self.width).take(line)
        return self._trace(tally, [line], whole=tally.is_whole)

    def of_cells(self, cells: Sequence[str]) -> Trace:
        """Return the trace of a row whose fields are sound, but not what stands in them."""
        tally = Tally(self.delimiter, self.width).take("\n".join(cells))
        return self._trace(tally, [self.delimiter.join(cells), "\n".join(cells)], whole=True)

    def _trace(self, tally: Tally, texts: Sequence[str], *, whole: bool) -> Trace:
        if self.left <= 0:
            return Trace(UNTOLD, ())
        found = tuple(dict.fromkeys(islice(self._candidates(texts), MOST_OF_LINE)))
        self.left -= sum(map(len, found))
        return Trace(self._weight(tally, whole=whole), found)

    def _weight(self, tally: Tally, *, whole: bool) -> int:
        damaged = tally.damaged // self.usual.length
        if whole:
            return max(1, damaged, tally.addresses // (2 * self.usual.addresses))
        if tally.answers:
            return UNTOLD
        rows = tally.delimiters // (self.width - 1) if self.width > 1 else 0
        long = tally.length // (_LENIENT * self.usual.length)
        return max(1, damaged, tally.addresses // self.usual.addresses, rows, tally.parts, long)

    def _candidates(self, texts: Sequence[str]) -> Iterator[str]:
        """Return what may be an address, then whole cells, then words."""
        plain = [text.replace(self.delimiter, "\n").replace(UNDECODED, " ") for text in texts]
        worded = (_END_IN_WORDS.sub(" ", text) for text in plain)
        addresses = chain.from_iterable(map(_ADDRESS.finditer, plain))
        cells = chain.from_iterable(map(_CELL.finditer, plain))
        words = chain.from_iterable(map(_WORD.finditer, worded))
        for match in chain(addresses, cells, words):
            if match.end() - match.start() <= _LONGEST and (found := match.group().strip(_AROUND)):
                yield found
