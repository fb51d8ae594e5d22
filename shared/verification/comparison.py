"""Verification: compare what a destination's lists hold with what we know to have delivered.

A contact that is read back is kept as digests only: of its address, and of each value that the export maps. Values are
compared where the segment still says what was delivered, and only those that were sent: what others wrote into other
fields is not ours to judge.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from shared.cleaning.addresses import delivered_as
from shared.cleaning.fields import Fields
from shared.delivery.contacts import Seen
from shared.state.digests import DigestKey
from shared.state.state import State, bit, bit_none, compact, known_or_doubted

OBSERVED: Final = pl.Schema({"person": pl.Int128(), "contact_id": pl.String()})
"""Columns of what was read back, besides one of each field's values."""

_VALUE: Final = "value:"


def compared_fields(mapping: Mapping[str, str], fields: Fields) -> list[str]:
    """Return the fields whose values are compared: all but the address, which is who a contact is, and the permission.

    Who takes back the permission to be mailed, or gives it, does so at the destination: that is never drift.
    """
    permission = fields.permission.field if fields.permission else None
    return [name for name in mapping if name not in {fields.address, permission}]


def observe(contacts: Sequence[Seen], names: Sequence[str], fields: Fields, key: DigestKey) -> pl.DataFrame:
    """Keep of contacts as read back what a comparison needs.

    Return `person` (Int128, null without an address), `contact_id`, and a digest of each field's value (Int64) in
    `value:FirstName` and so on.
    """
    addresses = delivered_as(pl.Series("address", [contact.address for contact in contacts], pl.String))
    table = pl.DataFrame(
        [
            addresses,
            key.of_people(addresses.fill_null("")).alias("person"),
            pl.Series("contact_id", [contact.contact_id for contact in contacts], pl.String),
        ]
    ).select(pl.when(pl.col("address").is_not_null()).then("person").alias("person"), "contact_id")
    values = {name: [fields.read_text(name, contact.document) for contact in contacts] for name in names}
    return table.with_columns(_digests(values, key))


def expect(contacts: pl.DataFrame, names: Sequence[str], fields: Fields, key: DigestKey) -> pl.DataFrame:
    """Return what cleaned rows (`email` and `fields`) would have the destination hold.

    Return `person`, `content` (digest of the whole contact) and a digest of each value that is sent, null for one that
    is not.
    """
    known = contacts.filter(pl.col("email").is_not_null() & pl.col("fields").is_not_null())
    bodies = [json.loads(text) for text in known["fields"]]
    table = pl.DataFrame({"person": key.of_people(known["email"]), "content": key.of_contents(known["fields"])})
    values = {name: [_sent_value(body, name, fields) for body in bodies] for name in names}
    return table.with_columns(_digests(values, key))


@dataclass(frozen=True, slots=True)
class Comparison:
    """How one list compares: counts of members, and `missing` and `drifted` people (Int128)."""

    expected: int
    found: int
    missing: pl.Series
    extra: int
    drifted: pl.Series


class ListComparison:
    """Compares one list: `known` is `State.on_lists`, `list_index` the list's bit, `observed` what was read back."""

    def __init__(self, known: pl.DataFrame, list_index: int, observed: pl.DataFrame) -> None:
        # Who has no id is suppressed: not there, and not missing.
        self._ours = known.filter(((pl.col("lists") & bit(list_index)) != 0) & pl.col("contact_id").is_not_null())
        self._asked = known.filter(((pl.col("lists") | pl.col("attempted")) & bit(list_index)) != 0)
        self._observed = observed.filter(pl.col("contact_id").is_null() | pl.col("contact_id").is_first_distinct())
        self._compared = _by_person(self._observed, known)
        self._drifted = [self._moved()]

    def look_at(self, expected: pl.DataFrame) -> None:
        """Take rows of the list's segment, as `expect` returns them, and note who holds other values."""
        values = [name for name in self._compared.columns if name.startswith(_VALUE) and name in expected.columns]
        delivered = expected.join(self._ours.select("person", "content"), on=["person", "content"], how="semi")
        both = delivered.join(self._compared, on="person", how="inner", suffix="_read")
        differs = pl.any_horizontal(
            pl.lit(value=False),
            *(pl.col(name).is_not_null() & (pl.col(name) != pl.col(f"{name}_read")) for name in values),
        )
        self._drifted.append(both.filter(differs)["person"])

    def result(self) -> Comparison:
        """Return the comparison."""
        return Comparison(
            expected=self._ours.height,
            found=self._observed.height,
            missing=self._ours.join(self._observed, on="person", how="anti")["person"],
            extra=self._observed.join(self._asked, on="person", how="anti").height,
            drifted=pl.concat(self._drifted).unique(),
        )

    def _moved(self) -> pl.Series:
        """Return members who are there under another id: the contact was merged, or created again."""
        both = self._ours.join(self._compared, on="person", how="inner", suffix="_read")
        return both.filter(pl.col("contact_id") != pl.col("contact_id_read"))["person"]


def correct(state: State, list_ids: Sequence[str], observed: Sequence[pl.DataFrame], drifted: pl.Series) -> State:
    """Bring the state to what the lists `list_ids` were seen to hold.

    Who is missing is on that list no more, and is sent again by the address: the contact that was known may be gone, or
    be somebody else's by now. Who was asked for and is there was added by us; who drifted is sent again.
    """
    names = (*list_ids, *(list_id for list_id in state.lists if list_id not in list_ids))
    known = state.on_lists(names)
    people = known.with_columns(
        pl.when(pl.col("person").is_in(drifted.implode())).then(None).otherwise("content").alias("content")
    )
    for list_index, table in enumerate(observed):
        there = _by_person(table.filter(pl.col("person").is_not_null()), known)
        there = there.unique("person", keep="first", maintain_order=True)
        seen = people.join(there.select("person", pl.col("contact_id").alias("read")), on="person", how="left")
        asked = ((pl.col("lists") | pl.col("attempted")) & bit(list_index)) != 0
        others = ~bit(list_index)
        is_missing = ((pl.col("lists") & bit(list_index)) != 0) & pl.col("read").is_null()
        people = seen.with_columns(
            pl.when(~(is_missing & pl.col("contact_id").is_not_null())).then("content").alias("content"),
            pl.coalesce("read", "contact_id").alias("contact_id"),
            (
                (pl.col("lists") & others)
                | pl.when(asked & pl.col("read").is_not_null()).then(bit(list_index)).otherwise(bit_none())
            ).alias("lists"),
            (pl.col("attempted") & others).alias("attempted"),
        ).drop("read")
    return compact(replace(state, lists=names, people=known_or_doubted(people)))


def _by_person(observed: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """Return who was read back; of several contacts with one address only the one that is known, if it is among them."""
    told = observed.join(known.select("person", own="contact_id"), on="person", how="left", maintain_order="left")
    is_own = (pl.col("contact_id") == pl.col("own")).fill_null(value=False)
    return told.filter(is_own | ~is_own.any().over("person")).drop("own")


def _digests(values: Mapping[str, Sequence[str | None]], key: DigestKey) -> list[pl.Series]:
    """Digest the values of each field, null for one that is not there."""
    return [
        pl.select(
            pl.when(pl.Series([text is not None for text in texts], dtype=pl.Boolean)).then(
                key.of_contents(pl.Series([text or "" for text in texts], dtype=pl.String))
            )
        )
        .to_series()
        .alias(_VALUE + name)
        for name, texts in values.items()
    ]


def _sent_value(body: Mapping[str, Any], name: str, fields: Fields) -> str | None:
    group = fields.group_of(name)
    part = body if group is None else body.get(group, {})
    return fields.sent_text(name, part[name]) if name in part else None
