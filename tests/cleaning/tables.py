"""A table of a few rows, and what is sent of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from shared.cleaning.clean import Recipe
from shared.delivery.chunks import Operation, decode
from shared.planning.plan import Plan, chunks, plan
from shared.planning.spool import Spool
from shared.planning.survey import Scope
from shared.sources.source import OWN_COLUMNS, Declared
from shared.state.digests import DigestKey
from shared.state.state import State
from tests.cleaning.recipes import recipe_for
from tests.sources.batches import batch

KEY = DigestKey(b"k" * 32)


@dataclass
class Table:
    """A segment in memory, read in batches of two rows; `reads` counts how often."""

    rows: pl.DataFrame
    name: str = "Segment"
    declared: Mapping[str, Declared] = field(default_factory=dict)
    reads: int = 0

    @property
    def columns(self) -> Sequence[str]:
        return self.rows.columns

    def read(self, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        self.reads += 1
        yield from batch(self.rows).select(*OWN_COLUMNS, *columns).iter_slices(2)


def column(*cells: str | None, **more: Any) -> Table:
    """Make a segment with a person for each cell of one column, `V`."""
    emails = [f"p{place}@example.com" for place in range(len(cells))]
    ids = [f"c{place:07}" for place in range(len(cells))]
    return Table(
        pl.DataFrame({"CustomerId": ids, "Email": emails, "V": list(cells)}, schema_overrides={"V": pl.String}), **more
    )


def rows_of(*rows: tuple[str, str, str | None, str | None], name: str = "Segment") -> Table:
    """Make a segment of rows: CustomerId, Email, City, Company."""
    schema = dict.fromkeys(("CustomerId", "Email", "City", "Company"), pl.String)
    return Table(pl.DataFrame(rows, schema=schema, orient="row"), name=name)


def planned(tables: Sequence[Table], recipe: Recipe, state: State | None = None) -> tuple[Plan, list[Operation]]:
    """Plan and return the plan and its operations; the segments' lists are `list-0`, `list-1` and so on."""
    with Spool() as spool:
        lists = [f"list-{place}" for place in range(len(tables))]
        scope = Scope(remove_leavers=True)
        found = plan(tables, recipe, KEY, state or State.empty(), lists, scope, spool)
        return found, [operation for chunk in chunks(found) for operation in decode(chunk)]


def contacts_of(operations: Sequence[Operation]) -> dict[str, Any]:
    """Return the contacts that operations send, by address."""
    contacts = [operation.fields for operation in operations if operation.fields]
    return {str(contact["Email"]): contact for contact in contacts}


def sent(tables: Sequence[Table], recipe: Recipe, state: State | None = None) -> tuple[Plan, dict[str, Any]]:
    """Plan and return the plan, and the contacts that it sends, by address."""
    found, operations = planned(tables, recipe, state)
    return found, contacts_of(operations)


def values(table: Table, name: str, **settings: Any) -> list[object]:
    """Return what is sent of a segment's column as field `name`; None where it is left out."""
    _, contacts = sent([table], recipe_for({"Email": "Email", name: "V"}, **settings))
    bodies = [contacts[f"p{place}@example.com"] for place in range(table.rows.height)]
    return [body.get(name, body.get("custom", {}).get(name)) for body in bodies]
