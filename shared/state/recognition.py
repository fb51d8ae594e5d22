"""Recognition: whose the digests of a state are that does not say by which scheme they were made.

Only evidence tells: an address whose former digest is in the state, or a contact that a list was seen to hold. Row by
row a former digest is replaced by the one that is made now, so that whoever is known stays known. Who left every segment
has no address to be recognised by, and keeps the former digest until a run has taken them off their lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

import polars as pl

from shared.state.digests import SCHEME, DigestKey
from shared.state.former_digests import former_contents, former_people
from shared.state.state import State, bit_none


class Unrecognised(Exception):
    """Nobody of a state is known by any digest that the app has ever made."""


_FOUND: Final = pl.Schema(
    {"now": pl.Int128(), "person": pl.Int128(), "content_now": pl.Int64(), "content_before": pl.Int64()}
)
"""Columns of what is known of a contact: the digests of its person and content that are made now, and the former ones."""


def is_settled(state: State) -> bool:
    """Return whether a state's digests are known to be those that are made now."""
    return state.digests == SCHEME or state.people.is_empty()


def recognise(state: State, contacts: Iterable[pl.DataFrame], key: DigestKey) -> State:
    """Return a state in which everybody among `contacts` is known by the digest that is made now.

    `contacts` has `email` (normalised) and `fields` (the contact as it would be sent, or null), a part at a time. Raise
    Unrecognised where people are on lists, contacts have addresses, and nobody is known.
    """
    if is_settled(state):
        return replace(state, digests=SCHEME)
    held, asked = state.people.select("person"), 0
    current, former = [held.clear()], [pl.DataFrame(schema=_FOUND)]
    for part in contacts:
        digests = _digests(part.filter(pl.col("email").is_not_null()), key)
        asked += digests.height
        current.append(digests.select(pl.col("now").alias("person")).join(held, on="person", how="semi"))
        former.append(digests.join(held, on="person", how="semi"))
    known, found = pl.concat(current), pl.concat(former)
    if found.is_empty() and not known.is_empty():
        return replace(state, digests=SCHEME)
    if not found.is_empty():
        return _renamed(state, found, known)
    if asked and _on_lists(state.people).any():
        raise Unrecognised
    return state


def recognise_members(state: State, members: Iterable[pl.DataFrame]) -> State:
    """Return a state in which everybody whom lists were seen to hold is known by the digest that is made now.

    `members` has `person` and `contact_id` as read back, a list at a time. By which scheme the others are known stays open.
    """
    if is_settled(state):
        return state
    seen = pl.concat(table.select("contact_id", pl.col("person").alias("now")) for table in members)
    told = state.people.join(seen.drop_nulls().unique("contact_id", keep="first"), on="contact_id", how="left")
    is_another_contact = pl.col("now").is_in(state.people["person"].implode()) & ~pl.col("contact_id").is_duplicated()
    now = pl.when(~is_another_contact & (pl.col("now") != pl.col("person"))).then("now")
    return replace(state, people=_together(told.with_columns(now.alias("now"), pl.col("content").alias("content_now"))))


def _digests(rows: pl.DataFrame, key: DigestKey) -> pl.DataFrame:
    """Return the columns of _FOUND for contacts with an address."""
    texts = rows["fields"].fill_null("")
    return pl.DataFrame(
        [
            key.of_people(rows["email"]).alias("now"),
            former_people(key, rows["email"]).alias("person"),
            key.of_contents(texts).alias("content_now"),
            former_contents(key, texts).alias("content_before"),
        ]
    )


def _renamed(state: State, found: pl.DataFrame, known: pl.DataFrame) -> State:
    """Replace former digests; a contact that is as it was stays known so, another is sent again.

    People who are on no list and have no address to be known by are forgotten: nothing has to be done for them.
    """
    same = found.join(state.people.select("person", "content"), on="person").filter(
        pl.col("content_before") == pl.col("content")
    )
    told = found.select("person", "now").unique("person")
    told = told.join(same.select("person", "content_now").unique("person"), on="person", how="left")
    people = _together(state.people.join(told, on="person", how="left"))
    recognised = people["person"].is_in(pl.concat([found["now"], known["person"]]).implode())
    kept = recognised | _on_lists(people)
    return replace(state, people=people.filter(kept), digests=SCHEME if recognised.filter(kept).all() else None)


def _together(told: pl.DataFrame) -> pl.DataFrame:
    """Name people by `now`, with the content `content_now`, where it is there; two rows of one person become one."""
    columns = [name for name in told.columns if name not in {"now", "content_now"}]
    moved = pl.col("now").is_not_null()
    named = told.with_columns(
        moved.alias("moved"),
        pl.coalesce("now", "person").alias("person"),
        pl.when(moved).then("content_now").otherwise("content").alias("content"),
    )
    rest = [name for name in columns if name not in {"person", "lists", "attempted"}]
    several = (
        named.filter(pl.col("person").is_duplicated())
        .sort("moved")  # what is known by the digest of now was delivered last
        .group_by("person")
        .agg(pl.col(rest).drop_nulls().first(), pl.col("lists", "attempted").bitwise_or())
    )
    single = named.filter(~pl.col("person").is_duplicated())
    return pl.concat([single.select(columns), several.select(columns)]).sort("person")


def _on_lists(people: pl.DataFrame) -> pl.Series:
    return people.select((pl.col("lists") | pl.col("attempted")) != bit_none()).to_series()
