"""Chunks: the unit of delivery, a bounded set of operations in one blob of JSON lines, named by one queue message."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

CHUNK_SIZE: Final = 500
"""Operations in a chunk: five full bulk calls, or 25 seconds of single calls at 20 requests a second."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What shall become of one person at Autopilot.

    `fields` is the contact as it would be sent (None for someone who left every segment), `upsert` whether it must be
    sent, `add` and `remove` the places of lists among the run's targets. `customer` and `segment` name the row if it
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
    fields: Mapping[str, Any] | None
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
        (head.str.strip_suffix("}") + pl.lit(',"fields":') + pl.col("fields").fill_null("null") + pl.lit("}\n")).alias(
            "line"
        )
    ).to_series()


class Cutter:
    """Cuts a stream of lines into chunks of `size` lines."""

    def __init__(self, size: int = CHUNK_SIZE) -> None:
        self._size = size
        self._waiting = pl.Series(dtype=pl.String)

    def feed(self, text: pl.Series) -> Iterator[bytes]:
        """Take more lines and give the chunks that are full."""
        waiting = pl.concat([self._waiting, text])
        whole = len(waiting) - len(waiting) % self._size
        self._waiting = waiting.slice(whole)
        for start in range(0, whole, self._size):
            yield _joined(waiting.slice(start, self._size))

    def rest(self) -> Iterator[bytes]:
        """Give what is left, if anything is."""
        waiting, self._waiting = self._waiting, self._waiting.clear()
        if not waiting.is_empty():
            yield _joined(waiting)


def _joined(text: pl.Series) -> bytes:
    whole: str = text.str.join("").item()
    return whole.encode()


def decode(chunk: bytes) -> tuple[Operation, ...]:
    """Read a chunk's operations."""
    return tuple(_operation(json.loads(line)) for line in chunk.splitlines())


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
                "add": sum(1 << place for place in operation.add),
                "remove": sum(1 << place for place in operation.remove),
                "tries": operation.tries,
                "fields": operation.fields,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        )
        + "\n"
        for operation in operations
    ).encode()


def _operation(line: dict[str, Any]) -> Operation:
    return Operation(
        person=int(line["person"]),
        customer=line["customer"],
        segment=line["segment"],
        contact_id=line["contact_id"],
        content=line["content"],
        upsert=line["upsert"],
        add=_places(line["add"]),
        remove=_places(line["remove"]),
        fields=line["fields"],
        tries=line.get("tries", 0),
    )


def _places(mask: int) -> tuple[int, ...]:
    return tuple(place for place in range(mask.bit_length()) if mask >> place & 1)
