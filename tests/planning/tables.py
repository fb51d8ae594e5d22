"""A segment of made-up people in memory, and a recipe that fits it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from shared.sources.source import OWN_COLUMNS, Declared
from shared.state.digests import DigestKey
from tests.cleaning.recipes import recipe_for
from tests.sources.batches import batch

KEY = DigestKey(b"k" * 32)


RECIPE = recipe_for({"Email": "Email", "FirstName": "Name"})


LISTS = ("list-a", "list-b")


People = list[tuple[int, int]]
"""Rows of a segment: a person, and a version of their name; person 0 has no address."""


@dataclass(frozen=True)
class Table:
    """A segment in memory, given in batches of two rows; how often it was read."""

    name: str
    people: People
    reads: list[int]

    @property
    def columns(self) -> Sequence[str]:
        return ("CustomerId", "Email", "Name")

    @property
    def declared(self) -> Mapping[str, Declared]:
        return {}

    def read(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        self.reads.append(len(self.people))
        table = pl.DataFrame(
            {
                "CustomerId": [f"customer-{person}" for person, _ in self.people],
                "Email": [f"p{person}@example.com" if person else None for person, _ in self.people],
                "Name": [f'Name "{version}"' if version % 2 else f"Name {version}" for _, version in self.people],
            },
            schema=dict.fromkeys(self.columns, pl.String),
        )
        for start in range(0, table.height, 2):
            yield batch(table.slice(start, 2), first=start).select(*OWN_COLUMNS, *columns)
