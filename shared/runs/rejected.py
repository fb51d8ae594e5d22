"""The rejected-rows file: a CSV for its owner, safe to open in a spreadsheet, without an address in it."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Final

import polars as pl

from shared.azure.storage import Container, Storage, TooLarge
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.reasons.rows import Hint, RowReason

HEADER: Final = ("CustomerId", "Segment", "Field", "Reason", "What to do", "Where")

LONGEST_CELL: Final = 32_000
"""Characters of a cell, as many as a spreadsheet takes; more stand in no sound CustomerId."""

EXAMPLES: Final = 5
"""Rows with one fault that are shown."""

_ADDRESS: Final = re.compile(r"[^@＠\s][@＠][^@＠\s]+[.．。][^@＠\s]")
_UNNAMED: Final = "a row whose CustomerId is an e-mail address"

_MARK: Final = "'"

_SEPARATORS: Final = ",;|\t\r\n"
"""What a program may part cells or rows at that takes the file for another kind of CSV; then quotes part nothing."""

_FORMULA: Final = "=+@\t\r\n\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b\u2212-"
"""What a formula begins with, in the plain form and in those that East Asian spreadsheets take for it."""

_PASSED_OVER: Final = r'(?:[^\S\t\r\n]|["\u200b\u2060\ufeff])*'
"""What may stand before a formula and be dropped: blanks, quotes, invisible characters."""

_OPEN: Final = re.compile(rf"(?:^|(?<=[{_SEPARATORS}]))(?={_MARK}|{_PASSED_OVER}[{_FORMULA}])")
_MARKED: Final = re.compile(rf"(?:^|(?<=[{_SEPARATORS}])){_MARK}")


def write_rejected(rejected: pl.DataFrame, segments: Sequence[str]) -> bytes:
    """Write the rejected rows: whose row, where, what is wrong and what to do.

    A row may have an address in the place of its CustomerId, where its cells have moved: it is not written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for customer, segment_index, field, reason, where, hint in _sorted(rejected):
        segment = "" if segment_index is None else segments[segment_index]
        if customer and _ADDRESS.search(customer):
            customer, where = None, where or _UNNAMED
        cells = [escape_formulas(text)[:LONGEST_CELL] for text in (customer, segment, field)]
        writer.writerow([*cells, reason, _advice(reason, hint), escape_formulas(where)])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _advice(reason: str, hint: str | None) -> str:
    """Return what to do: what the value looks like says it best."""
    if hint is None:
        return RowReason(reason).advice
    omitted = "The contact was delivered without this value. " if reason == RowReason.VALUE_OMITTED else ""
    return omitted + Hint(hint).advice


def rejected_customers(storage: Storage, path: str) -> frozenset[str]:
    """Return whose rows were rejected; empty if the file has expired. Raise ExportError if it is not as we wrote it."""
    try:
        found = storage.get(Container.REJECTED, path)
        rows = csv.DictReader(io.StringIO(found[0].decode("utf-8-sig"), newline="")) if found else []
        return frozenset(unescape_formulas(row["CustomerId"] or "") for row in rows)
    except (csv.Error, ValueError, KeyError, TooLarge):
        raise ExportError(
            Reason.INTERNAL_ERROR, f"rejected/{path} cannot be read. An ordinary run tries rejected rows again too."
        ) from None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with rows alike: the reason's code, the fields at fault, and what to do."""

    reason: str
    field: str
    advice: str


@dataclass(slots=True)
class Faulty:
    """The rows with one fault: how many, by segment, and the first few as CustomerId, segment and place."""

    rows: int = 0
    segments: Counter[str] = dataclass_field(default_factory=Counter)
    examples: list[tuple[str, str, str]] = dataclass_field(default_factory=list)


def faults(file: bytes) -> dict[Fault, Faulty] | None:
    """Return what is wrong with the rows of a file that `write_rejected` wrote; None if it is another."""
    found: dict[Fault, Faulty] = {}
    try:
        rows = csv.reader(io.StringIO(file.decode("utf-8-sig"), newline=""))
        if tuple(next(rows, ()))[: len(HEADER) - 1] != HEADER[:-1]:
            return None
        for customer, segment, field, reason, advice, *where in rows:
            faulty = found.setdefault(Fault(reason, unescape_formulas(field), advice), Faulty())
            faulty.rows += 1
            faulty.segments[unescape_formulas(segment)] += 1
            if len(faulty.examples) < EXAMPLES:
                faulty.examples.append(
                    (unescape_formulas(customer), unescape_formulas(segment), unescape_formulas("".join(where)))
                )
    except (csv.Error, ValueError):
        return None
    return found


def escape_formulas(text: str | None) -> str:
    """Return a cell that no spreadsheet takes for a formula, also one that parts cells at other characters than commas.

    A mark stands before whatever could begin a formula, and before what is such a mark itself: so it can be undone.
    """
    return _OPEN.sub(_MARK, text or "")


def unescape_formulas(text: str) -> str:
    """Return a cell as it was before `escape_formulas`."""
    return _MARKED.sub("", text)


def _sorted(rejected: pl.DataFrame) -> Iterator[tuple[str | None, int | None, str | None, str, str | None, str | None]]:
    return rejected.sort("segment", "customer", "reason", nulls_last=True, maintain_order=True).iter_rows()
