"""How a column is written: does its day or its month come first, is its point a decimal sign.

`05/01/1980` alone does not say, nor does `1.000`. What decides is the owner's word, then the source's own
(`model.json`), then the whole column: `25/12/1980` in one row shows how all are meant. Where nothing decides, or rows
contradict each other, such a value is not read.

A table is read once, under what was seen of it so far; only if its end shows that an earlier value was read otherwise
than the whole column says, it is read again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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
    UNUSUAL = auto()
    """A date that its source does not write so, such as 25.12.1980: what is usual there is not assumed of the others."""
    YEAR_DAY_MONTH = auto()
    """A date that begins with its year and can only have its day next, such as 1980-25-12."""
    YEAR_MONTH_DAY = auto()
    GROUPS_BY_POINT = auto()
    """A number whose points part thousands, such as 1.234.567, or a third of a column of whole numbers, 1.500."""
    DECIMAL_COMMA = auto()
    UNCERTAIN = auto()
    """A value that can be read in two ways, so that it matters how the column is written."""


@dataclass(frozen=True, slots=True)
class Notation:
    """How one column is written, as far as it is known.

    `order` is None in doubt; `strict` says that it was told, so that a date which does not fit it is wrong. With
    `year_month_day` a date that begins with its year has its month next, with `plain_signs` a point is a decimal sign and
    commas part thousands.
    """

    order: DateOrder | None = None
    strict: bool = False
    dotted: bool = True
    year_month_day: bool = True
    plain_signs: bool = True
    is_number: bool = False


_Key = tuple[str, str, Declared]
"""A column that is read as values of a kind, and what is said of it: its tables are read alike."""


@dataclass
class Notations:
    """How the columns of an export are written, learnt while they are read. Safe for threads.

    `told` is the owner's word for all dates; `declared` what the source says of the columns of the table at hand. What a
    column shows counts for all tables that are told the same order; where it is told none, that is one group too.
    """

    told: DateOrder | None = None
    declared: Mapping[str, Declared] = field(default_factory=dict)
    _marks: dict[_Key, Mark] = field(default_factory=dict)
    _used: set[tuple[_Key, Notation]] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def under(self, declared: Mapping[str, Declared]) -> Notations:
        """Return the same for another table, of whose columns the source says `declared`; both learn together."""
        return replace(self, declared=declared)

    def learn(self, column: str, kind: str, marks: Mark) -> Notation:
        """Take what some of a column's values show, read as values of a `kind`; return how they are to be read."""
        key = (column, kind, self._said(column))
        with self._lock:
            shown = _alike(key)
            self._marks[shown] = self._marks.get(shown, Mark.NOTHING) | marks
            notation = self._notation(key)
            if Mark.UNCERTAIN in marks:
                self._used.add((key, notation))
            return notation

    def is_number(self, column: str) -> bool:
        """Return whether the source says that a column holds numbers."""
        return self._said(column).is_number

    def is_year_day_month(self, column: str) -> bool:
        """Return whether the source says that a column's dates have their year first, then their day."""
        return self._said(column).year_day_month

    def settle(self) -> bool:
        """Return whether every value was read as the whole column says; if not, the next reading knows it from the start."""
        settled = all(self._notation(key) == notation for key, notation in self._used)
        self._used.clear()
        return settled

    def _said(self, column: str) -> Declared:
        return self.declared.get(column, Declared())

    def _notation(self, key: _Key) -> Notation:
        marks, (*_, declared) = self._marks[_alike(key)], key
        order = self.told or declared.order
        return Notation(
            order=order or _shown(marks) or _assumed(marks, declared),
            strict=order is not None,
            dotted=Mark.DOTTED_MONTH_FIRST not in marks,
            year_month_day=declared.year_day_month or Mark.YEAR_DAY_MONTH not in marks or Mark.YEAR_MONTH_DAY in marks,
            plain_signs=declared.is_number or not marks & (Mark.GROUPS_BY_POINT | Mark.DECIMAL_COMMA),
            is_number=declared.is_number,
        )


def _alike(key: _Key) -> _Key:
    """Return the key of the tables whose values show together how they are written: what is only usual tells none apart."""
    column, kind, declared = key
    return column, kind, replace(declared, usual_order=None)


def _shown(marks: Mark) -> DateOrder | None:
    """Return the order that all dates show which can be read in one way only."""
    day, month = Mark.DAY_FIRST in marks, Mark.MONTH_FIRST in marks
    if day == month:
        return None
    return "day_first" if day else "month_first"


def _assumed(marks: Mark, declared: Declared) -> DateOrder | None:
    """Return the order of a column in which no date shows it: the one in which its source usually writes dates."""
    unseen = not marks & (Mark.DAY_FIRST | Mark.MONTH_FIRST | Mark.UNUSUAL)
    return declared.usual_order if unseen else None
