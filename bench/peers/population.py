"""The segment that all export: a made-up company in one segment, before and after a churn that is known to the row.

Some rows cannot be delivered: no address, no valid address, and addresses that the sandbox refuses, as Autopilot may.
Whether a number can be read is no question here, so that what is refused is beyond dispute: points are always numbers.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

import polars as pl

from local.environment import Company

REFUSED_EVERY: Final = 300
_KEPT_BACK: Final = ("draw", "valid")


@dataclass(frozen=True, slots=True)
class Churn:
    """How many rows joined, left and changed."""

    joined: int
    left: int
    changed: int

    @classmethod
    def of(cls, profiles: int, share: float) -> Churn:
        """Split a share of the rows into thirds, at least one row each."""
        third = max(1, round(profiles * share / 3))
        return cls(third, third, third)


@dataclass(frozen=True, slots=True)
class Population:
    """The segment's rows at one time, and what an export of them must lead to."""

    rows: pl.DataFrame

    @property
    def table(self) -> pl.DataFrame:
        """The rows as Customer Insights writes them."""
        return self.rows.drop(_KEPT_BACK)

    @property
    def members(self) -> set[str]:
        """Who must be on the list: valid addresses, trimmed, lower case."""
        return set(self.rows.filter("valid")["Email"].str.strip_chars().str.to_lowercase())

    @property
    def points(self) -> dict[str, set[int]]:
        """The points of each member; a set, since two rows may have one address."""
        found: dict[str, set[int]] = {}
        for email, points in self.rows.filter("valid").select("Email", "Points").iter_rows():
            found.setdefault(email.strip().lower(), set()).add(int(points))
        return found

    @property
    def bad_rows(self) -> list[tuple[str, str]]:
        """Identifier and address of each row that cannot be delivered."""
        return self.rows.filter(~pl.col("valid")).select("CustomerId", pl.col("Email").str.strip_chars()).rows()


def two_refreshes(profiles: int, churn: Churn, seed: int = 1) -> tuple[Population, Population]:
    """Return the segment at a first refresh and at the next."""
    people = _people(profiles + churn.joined, seed)
    before, joiners = people.head(profiles), people.tail(churn.joined)
    settled = [place for place, valid in enumerate(before["valid"]) if valid]
    drawn = random.Random(seed).sample(settled, churn.left + churn.changed)  # noqa: S311 - to be repeatable
    left, changed = drawn[: churn.left], drawn[churn.left :]
    place = pl.int_range(pl.len())
    stayed = before.with_columns(
        pl.when(place.is_in(changed)).then(pl.lit("54321")).otherwise("Points").alias("Points")
    ).filter(~place.is_in(left))
    return Population(before), Population(pl.concat([stayed, joiners]))


def _people(count: int, seed: int) -> pl.DataFrame:
    place = pl.int_range(pl.len())
    refused = place % REFUSED_EVERY == REFUSED_EVERY // 2
    email = pl.when(refused).then(pl.format("poison{}@example.com", place)).otherwise("Email")
    points = pl.when(pl.col("Points") == "n/a").then(pl.lit("0")).otherwise("Points")
    valid_address = ~(pl.col("draw") % 101).is_in([1, 2])
    return Company.found(count, seed).profiles.with_columns(
        email.alias("Email"), points.alias("Points"), (valid_address & ~refused).alias("valid")
    )
