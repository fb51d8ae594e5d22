"""Trace a contact: which files of the app have it in hand, chapter by chapter, in the order in which they first get it.

A file is on the way if one of its functions is given the contact or returns it, in whatever shape: its row, its address, the
JSON that is sent, its keyed digest, its id at the destination, or a table or blob that holds one of these. Before there is
a contact, it is the run that is handed on: the files that call each other until the run's message is on its queue.

Three kinds of files have it in hand and are not on the way; they are listed apart:

* behind a port: what a source or a destination does with it inside (`ADAPTERS`) is a way of its own. Of such a folder those
  files count that are called from outside it; what they call in turn does not.
* carriers (`CARRIERS`), which would carry anything else as well: they take bytes, or a value of any type.
* nobody else: settings, telemetry, locks, the ledger, the queues' bindings never have it in hand.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

import polars as pl

ROOT: Final = Path(__file__).parents[2]
ROOMS: Final = ("shared", "export_trigger", "export_worker")

ADAPTERS: Final = ("shared/sources/", "shared/destinations/")

CARRIERS: Final = (
    "shared/azure/",
    "shared/http/",
    "shared/lifecycle/each.py",  # any step, for one name after the other
    "shared/reasons/faults.py",  # any function, so that it lets no text of others through
    "shared/sources/ahead.py",  # any work, in threads
    "shared/delivery/sending.py",  # any calls, at the account's pace
    "shared/delivery/isolation.py",  # any items, refused in batches
    "shared/state/seal.py",  # any file's bytes
)

BINDINGS: Final = ("export_trigger/timer.py",)

FINISH: Final = "shared/lifecycle/finish.py"

DEEPEST: Final = 6
"""Levels of values in values that are looked through."""

_TOOL: Final = 4
_EVENTS: Final = sys.monitoring.events


@dataclass(frozen=True, slots=True)
class Contact:
    """The marks of one contact: a word that stands in its row and nowhere else, its digest, and how its id begins."""

    word: str
    digest: int
    id_begins: str

    def is_in(self, value: object, depth: int = 0) -> bool:
        """Return whether a value holds the contact."""
        match value:
            case None | bool() | float():
                return False
            case str():
                return self._in_text(value)
            case int():
                return value == self.digest
            case bytes() | bytearray() | memoryview():
                return self._in_bytes(bytes(value))
            case pl.DataFrame():
                return any(self._in_series(column) for column in value.iter_columns())
            case pl.Series():
                return self._in_series(value)
        if depth > DEEPEST or isinstance(value, type):
            return False
        return any(self.is_in(item, depth + 1) for item in _inside(value))

    def _in_text(self, text: str) -> bool:
        return self.word in text.lower() or text.startswith(self.id_begins)

    def _in_series(self, column: pl.Series) -> bool:
        if column.dtype == pl.Int128:
            return bool((column == self.digest).any())
        return column.dtype == pl.String and any(text and self._in_text(text) for text in column)

    def _in_bytes(self, data: bytes) -> bool:
        if self.word.encode() in data.lower():
            return True
        for read in (pl.read_parquet, pl.read_ipc_stream):
            with suppress(Exception):
                return self.is_in(read(io.BytesIO(data)))
        return False


def _inside(value: object) -> Iterator[object]:
    if isinstance(value, Mapping):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, list | tuple | set | frozenset):
        yield from value
    elif is_dataclass(value):
        yield from (getattr(value, each.name, None) for each in fields(value))


class Chapter(StrEnum):
    """The parts of the way; a message on a queue parts the first three, and the last chunk's outcome the fourth."""

    START = "start"
    PLAN = "plan"
    DELIVER = "deliver"
    FINISH = "finish"


@dataclass
class Way:
    """What was seen: by chapter the files that had the contact in hand, each with its first function; and the others."""

    contact: Contact
    chapter: Chapter = Chapter.START
    entered: dict[Chapter, dict[str, str]] = field(default_factory=lambda: {chapter: {} for chapter in Chapter})
    in_hand: dict[Chapter, set[str]] = field(default_factory=lambda: {chapter: set() for chapter in Chapter})
    aside: dict[str, str] = field(default_factory=dict)

    @property
    def chapters(self) -> dict[Chapter, dict[str, str]]:
        """The files on the way by chapter, each with its first function, whoever calls before those that are called."""
        return {
            chapter: {name: function for name, function in entered.items() if name in self.in_hand[chapter]}
            for chapter, entered in self.entered.items()
        }

    @property
    def files(self) -> list[str]:
        """The files on the way, in the order in which they are first entered."""
        return list(dict.fromkeys(name for files in self.chapters.values() for name in files))

    @property
    def returned_to(self) -> dict[str, list[Chapter]]:
        """The files that are entered in more than one chapter, with their chapters."""
        found = {name: [chapter for chapter in Chapter if name in self.chapters[chapter]] for name in self.files}
        return {name: chapters for name, chapters in found.items() if len(chapters) > 1}

    def note(self, frame: FrameType) -> None:
        """Note that a function has the contact in hand."""
        stack = _stack(frame)
        (name, function), *callers = stack
        if name.startswith(CARRIERS) or _is_behind_a_port(name, [caller for caller, _ in callers]):
            self.aside.setdefault(name, function)
            return
        chapter = Chapter.FINISH if any(called == FINISH for called, _ in stack) else self.chapter
        self.in_hand[chapter].add(name)
        for called, by in reversed(stack):
            self.entered[chapter].setdefault(called, by)

    def note_message(self, frame: FrameType) -> None:
        """Note who put the run's message on its queue."""
        for name, function in reversed(_stack(frame)):
            self.entered[self.chapter].setdefault(name, function)
            if not name.startswith((*CARRIERS, *BINDINGS)):
                self.in_hand[self.chapter].add(name)


def _stack(frame: FrameType | None) -> list[tuple[str, str]]:
    """Return the app's functions that are being called, the innermost first, each with its file."""
    found = []
    while frame is not None:
        if name := name_of(frame.f_code):
            found.append((name, frame.f_code.co_qualname))
        frame = frame.f_back
    return found


def _is_behind_a_port(name: str, callers: Sequence[str]) -> bool:
    """Return whether an adapter calls a file, be it through others. The innermost caller may be the file itself."""
    outside = [caller for caller in callers if caller != name]
    return any(caller.startswith(ADAPTERS) and not caller.startswith(CARRIERS) for caller in outside)


_names: dict[str, str | None] = {}


def name_of(code: CodeType) -> str | None:
    """Return the path of the app's file that code stands in; None for any other code."""
    if code.co_filename not in _names:
        path = Path(code.co_filename)
        inside = path.is_relative_to(ROOT) and path.relative_to(ROOT).parts[0] in ROOMS
        _names[code.co_filename] = path.relative_to(ROOT).as_posix() if inside else None
    return _names[code.co_filename]


@contextmanager
def traced(contact: Contact) -> Iterator[Way]:
    """Trace what runs within, in all threads."""
    way = Way(contact)

    def started(code: CodeType, _: int) -> Any:
        name = name_of(code)
        if name is None:
            return sys.monitoring.DISABLE
        frame = sys._getframe(1)
        if code.co_name != "<module>":
            if code.co_qualname == "Storage.send" and way.chapter is Chapter.START:
                way.note_message(frame)
            given = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
            if any(contact.is_in(frame.f_locals.get(argument)) for argument in given):
                way.note(frame)
        return None

    def returned(code: CodeType, _: int, value: object) -> Any:
        if name_of(code) is None:
            return sys.monitoring.DISABLE
        if contact.is_in(value):
            way.note(sys._getframe(1))
        return None

    sys.monitoring.use_tool_id(_TOOL, "the way of a contact")
    try:
        sys.monitoring.register_callback(_TOOL, _EVENTS.PY_START, started)
        sys.monitoring.register_callback(_TOOL, _EVENTS.PY_RETURN, returned)
        sys.monitoring.register_callback(_TOOL, _EVENTS.PY_YIELD, returned)
        sys.monitoring.set_events(_TOOL, _EVENTS.PY_START | _EVENTS.PY_RETURN | _EVENTS.PY_YIELD)
        yield way
    finally:
        sys.monitoring.set_events(_TOOL, 0)
        sys.monitoring.free_tool_id(_TOOL)
