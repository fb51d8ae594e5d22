"""Chunks: the unit of delivery, a bounded set of operations in one blob of JSON lines, named by one queue message."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from shared.azure.records import FIRST, check_version

CHUNK_SIZE: Final = 500
"""Operations in a chunk: five full bulk calls, or 25 seconds of single calls at 20 requests a second."""

VERSION: Final = FIRST
"""The version of an operation in a chunk."""

MOST_OPERATIONS: Final = 10 * CHUNK_SIZE
"""Operations in a chunk that is believed; a plan of any version writes fewer."""

_DEEPEST_FIELDS: Final = 2
"""Levels of a contact: its fields, and `custom` with those of the account's own."""


class UnreadableChunk(Exception):
    """A chunk is not what a plan wrote. The text names no value of it: a parser's own error may quote an address."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What shall become of one person at the destination.

    `fields` is the contact as it would be sent (None for someone who left every segment), `upsert` whether it must be
    sent, `add` and `remove` the indices of lists among the run's targets. `customer` and `segment` name the row if it
    is rejected. `tries` counts how often it failed while others went through.
    """

    person: int
    customer: str | None
    segment: int | None
    contact_id: str | None
    content: int | None
    upsert: bool
    add: tuple[int, ...]
    remove: tuple[int, ...]
    fields: Mapping[str, object] | None
    tries: int = 0

    @property
    def is_row(self) -> bool:
        """Whether it stands for a row that is to be delivered, and so counts among the rows."""
        return self.content is not None


def lines(operations: pl.DataFrame) -> pl.Series:
    """Encode operations, one JSON line each.

    Takes the columns of `Difference.operations` plus `customer` and `fields` (JSON text or null).
    """
    head = pl.struct(
        pl.col("person").cast(pl.String),
        "customer",
        "segment",
        "contact_id",
        "content",
        "upsert",
        "add",
        "remove",
    ).struct.json_encode()
    return operations.select(
        (
            head.str.strip_suffix("}")
            + pl.lit(f',"version":{VERSION},"fields":')
            + pl.col("fields").fill_null("null")
            + pl.lit("}\n")
        ).alias("line")
    ).to_series()


class Cutter:
    """Cuts a stream of lines into chunks of `size` lines."""

    def __init__(self, size: int = CHUNK_SIZE) -> None:
        self._size = size
        self._waiting = pl.Series(dtype=pl.String)

    def feed(self, text: pl.Series) -> Iterator[bytes]:
        """Take more lines and return the chunks that are full."""
        waiting = pl.concat([self._waiting, text])
        whole = len(waiting) - len(waiting) % self._size
        self._waiting = waiting.slice(whole)
        for start in range(0, whole, self._size):
            yield _joined(waiting.slice(start, self._size))

    def rest(self) -> Iterator[bytes]:
        """Yield what is left, if anything is."""
        waiting, self._waiting = self._waiting, self._waiting.clear()
        if not waiting.is_empty():
            yield _joined(waiting)


def _joined(text: pl.Series) -> bytes:
    whole: str = text.str.join("").item()
    return whole.encode()


def decode(chunk: bytes, *, lists: int = 64) -> tuple[Operation, ...]:
    """Return a chunk's operations, on lists by index below `lists`; raise UnreadableChunk for what no plan writes.

    Raise NewerVersion for a chunk that this code cannot read.
    An empty chunk is none: a plan that has nothing to do writes no chunk.
    """
    text = chunk.split(b"\n")
    if not chunk or text.pop() or len(text) > MOST_OPERATIONS:
        raise UnreadableChunk("it is empty, cut short or too long")
    try:
        return tuple(_operation(_LINE.decode(line.decode()), lists) for line in text)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        raise UnreadableChunk("an operation is not as a plan writes it") from None


def encode(operations: Iterable[Operation]) -> bytes:
    """Write operations as a chunk: what `decode` reads."""
    return "".join(
        json.dumps(
            {
                "person": str(operation.person),
                "customer": operation.customer,
                "segment": operation.segment,
                "contact_id": operation.contact_id,
                "content": operation.content,
                "upsert": operation.upsert,
                "add": sum(1 << list_index for list_index in operation.add),
                "remove": sum(1 << list_index for list_index in operation.remove),
                "tries": operation.tries,
                "version": VERSION,
                "fields": operation.fields,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        + "\n"
        for operation in operations
    ).encode()


def _operation(line: dict[str, Any], lists: int) -> Operation:
    check_version("The chunk", line.get("version"), VERSION)
    operation = Operation(
        person=_whole(int(_text(line["person"])), -(1 << 127), 1 << 127),
        customer=_maybe(_text, line["customer"]),
        segment=None if line["segment"] is None else _whole(line["segment"], 0, lists),
        contact_id=_maybe(_text, line["contact_id"]),
        content=None if line["content"] is None else _whole(line["content"], -(1 << 63), 1 << 63),
        upsert=_flag(line["upsert"]),
        add=_indices(_whole(line["add"], 0, 1 << lists)),
        remove=_indices(_whole(line["remove"], 0, 1 << lists)),
        fields=_fields(line["fields"]),
        tries=_whole(line.get("tries", 0), 0, 1 << 16),
    )
    if not (operation.upsert or operation.add or operation.remove):
        raise ValueError("nothing to do")
    if operation.upsert and not operation.fields:
        raise ValueError("nobody to send")
    return operation


def check_addresses(operations: Iterable[Operation], field: str) -> None:
    """Raise UnreadableChunk for a contact without an address in `field`: a destination may make somebody of it."""
    for operation in operations:
        address = operation.fields.get(field) if operation.fields else "nobody is sent"
        if not (isinstance(address, str) and address):
            raise UnreadableChunk("a contact has no address")


def _indices(mask: int) -> tuple[int, ...]:
    return tuple(list_index for list_index in range(mask.bit_length()) if mask >> list_index & 1)


def _refuse(constant: str) -> float:
    raise ValueError(constant)


_LINE: Final = json.JSONDecoder(parse_constant=_refuse)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    raise TypeError("not a text")


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError("not a flag")


def _whole(value: object, least: int, end: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and least <= value < end:
        return value
    raise TypeError("not a whole number that fits")


def _maybe[T](kind: Callable[[object], T], value: object) -> T | None:
    return None if value is None else kind(value)


def _fields(value: object) -> Mapping[str, object] | None:
    """Return a contact; raise TypeError for anything but scalars, and lists or objects of them one level down."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise TypeError("not a contact")
    level: list[object] = list(value.values())
    for _ in range(_DEEPEST_FIELDS):
        if any(isinstance(item, float) and not math.isfinite(item) for item in level):
            raise ValueError("not a number")
        level = [inner for item in level if isinstance(item, dict | list) for inner in _inner(item)]
    if level:
        raise TypeError("too deep")
    return value


def _inner(item: dict[str, object] | list[object]) -> list[object]:
    return list(item.values()) if isinstance(item, dict) else item
