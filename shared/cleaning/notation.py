"""How a column is written: does its day or its month come first, is its point a decimal sign.

`05/01/1980` alone does not say, nor does `1.000`. What decides is the owner's word, then the source's own
(`model.json`), then the whole column: `25/12/1980` in one row shows how all are meant. Where nothing decides, or rows
contradict each other, such a value is not read.

A table is read once, under what was seen of it so far; only if its end shows that an earlier value was read otherwise
than the whole column says, it is read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Flag, auto
from threading import Lock

from shared.sources.source import DateOrder, Declared


class Mark(Flag):
    """What values of a column show of how it is written."""

    NOTHING = 0
    DAY_FIRST = auto()
    """A date that can only have its day first, such as 25/12/1980."""
    MONTH_FIRST = auto()
    DOTTED_MONTH_FIRST = auto()
    """The same with dots, which are written with the day first as a rule."""
    GROUPS_BY_POINT = auto()
    """A number whose points part thousands, such as 1.234.567, or a third of a column of whole numbers, 1.500."""
    DECIMAL_COMMA = auto()
    UNCERTAIN = auto()
    """A value that can be read in two ways, so that it matters how the column is written."""


def agreed(tables: Iterable[Mapping[str, Declared]]) -> dict[str, Declared]:
    """Return what several tables say of a column alike; where they do not, nothing is said."""
    first, *others = [*tables] or [{}]
    return {name: told for name, told in first.items() if all(table.get(name) == told for table in others)}


@dataclass(frozen=True, slots=True)
class Notation:
    """How one column is written, as far as it is known.

    `order` is None in doubt; `strict` says that it was told, so that a date which does not fit it is wrong. With
    `plain_signs` a point is a decimal sign and commas part thousands.
    """

    order: DateOrder | None = None
    strict: bool = False
    dotted: bool = True
    plain_signs: bool = True
    is_number: bool = False


@dataclass
class Notations:
    """How the columns of an export are written, learnt while they are read. Safe for threads.

    `told` is the owner's word for all dates; `declared` what the source says of its columns.
    """

    told: DateOrder | None = None
    declared: Mapping[str, Declared] = field(default_factory=dict)
    _marks: dict[tuple[str, str], Mark] = field(default_factory=dict)
    _used: set[tuple[tuple[str, str], Notation]] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def learn(self, column: str, kind: str, marks: Mark) -> Notation:
        """Take what some of a column's values show, read as values of a `kind`; return how they are to be read."""
        key = (column, kind)
        with self._lock:
            self._marks[key] = self._marks.get(key, Mark.NOTHING) | marks
            notation = self._notation(key)
            if Mark.UNCERTAIN in marks:
                self._used.add((key, notation))
            return notation

    def is_number(self, column: str) -> bool:
        """Return whether the source says that a column holds numbers."""
        return self.declared.get(column, Declared()).is_number

    def settle(self) -> bool:
        """Return whether every value was read as the whole column says; if not, the next reading knows it from the start."""
        settled = all(self._notation(key) == notation for key, notation in self._used)
        self._used.clear()
        return settled

    def _notation(self, key: tuple[str, str]) -> Notation:
        marks, declared = self._marks[key], self.declared.get(key[0], Declared())
        order = self.told or declared.order
        return Notation(
            order=order or _shown(marks) or _assumed(marks, declared),
            strict=order is not None,
            dotted=Mark.DOTTED_MONTH_FIRST not in marks,
            plain_signs=declared.is_number or not marks & (Mark.GROUPS_BY_POINT | Mark.DECIMAL_COMMA),
            is_number=declared.is_number,
        )


def _shown(marks: Mark) -> DateOrder | None:
    """Return the order that all dates show which can be read in one way only."""
    day, month = Mark.DAY_FIRST in marks, Mark.MONTH_FIRST in marks
    if day == month:
        return None
    return "day_first" if day else "month_first"


def _assumed(marks: Mark, declared: Declared) -> DateOrder | None:
    """Return the order of a column in which no date shows it: the one in which its source usually writes dates."""
    unseen = not marks & (Mark.DAY_FIRST | Mark.MONTH_FIRST)
    return declared.usual_order if unseen else None
