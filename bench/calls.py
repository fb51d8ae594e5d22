"""`python -m bench.calls`: requests sent, divided by the fewest that the API allows, on every transition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl
from rich.console import Console

from bench.report import Part
from bench.world import open_world
from local.world import SIMPLE, World

SIZES: Final = {"ignored": 20_000, "honoured": 100_000}
"""Profiles, by what the account's bulk call does with lists: where it fills them, calls are so few that ours show."""

Members = Mapping[str, Mapping[str, int]]
"""Who is in which segment: a version of their profile by address, by segment."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The fewest calls: upserts and list memberships by bulk where they may, the others one by one, a call a new list."""

    upserts: int
    adds: int
    removals: int
    lists: int

    def calls(self, *, bulk_lists: bool) -> int:
        """Count them; a contact of a bulk call goes on one list at most."""
        if bulk_lists:
            return math.ceil(max(self.upserts, self.adds) / 100) + self.removals + self.lists
        return math.ceil(self.upserts / 100) + self.adds + self.removals + self.lists


def bound(before: Members, after: Members) -> Bound:
    """Give the fewest calls from one state of the segments to the next."""
    known = {email: version for members in before.values() for email, version in members.items()}
    wanted = {email: version for members in after.values() for email, version in members.items()}
    return Bound(
        upserts=sum(known.get(email) != version for email, version in wanted.items()),
        adds=sum(len(members.keys() - before.get(name, {}).keys()) for name, members in after.items()),
        removals=sum(len(members.keys() - after.get(name, {}).keys()) for name, members in before.items()),
        lists=len(after.keys() - before.keys()),
    )


def transitions(size: int) -> list[tuple[str, Members]]:
    """Give the states of the segments, one after the other, each with what leads to it."""
    everybody = {f"p{n}@example.com": 0 for n in range(size)}
    churned = {email: 0 for n, email in enumerate(everybody) if n >= size // 200}
    churned |= {f"new{n}@example.com": 0 for n in range(size // 200)}
    changed = {email: int(n % 20 == 0) for n, email in enumerate(churned)}
    first = {"One": everybody}
    three = {
        "One": changed,
        "Two": {email: changed[email] for n, email in enumerate(changed) if n % 3 == 0},
        "Three": {email: changed[email] for n, email in enumerate(changed) if n % 4 == 0},
    }
    leaving = [email for n, email in enumerate(three["Two"]) if n % 20 == 1 and email not in three["Three"]]
    moved = {
        **three,
        "Two": {email: version for email, version in three["Two"].items() if email not in set(leaving)},
        "Three": {**three["Three"], **{email: changed[email] for email in leaving}},
    }
    return [
        ("first load, one list", first),
        ("1% churn", {"One": churned}),
        ("5% with new values", {"One": changed}),
        ("two more lists, overlapping", three),
        ("moved between segments", moved),
        ("no change", moved),
    ]


def at_once(size: int) -> list[tuple[str, Members]]:
    """Give the first load of three lists that overlap."""
    everybody = [f"p{n}@example.com" for n in range(size)]
    segments = {name: dict.fromkeys(everybody[::step], 0) for name, step in (("One", 1), ("Two", 3), ("Three", 4))}
    return [("first load, three lists, overlapping", segments)]


def run() -> Part:
    """Go through all transitions on a plain and on a list-honouring account, and load three lists at once on each."""
    rows, met = [], True
    for kind, size, steps in [
        (kind, size, way(size)) for kind, size in SIZES.items() for way in (at_once, transitions)
    ]:
        with open_world(knobs={"bulk_lists": kind}) as world:
            world.connect(rate_limit=10_000)
            before: Members = {}
            for name, after in steps:
                sent, writes = _requests(world, after)
                fewest = bound(before, after).calls(bulk_lists=kind == "honoured")
                fine = writes == 0 if fewest == 0 else sent / fewest <= 1.02
                met = met and fine
                shown = f"{writes} writes" if fewest == 0 else f"{sent / fewest:.3f}"
                rows.append((kind, f"{size:,}", name, f"{sent:,}", f"{fewest:,}", shown, "" if fine else "over"))
                before = after
    notes = [
        "Ours has some calls of its own: the lists are read once a run (the key works, a deleted list is filled anew), a",
        "first run proves whether the bulk call fills lists (five calls), and a run whose bulk calls filled lists confirms",
        "it with two calls a list. On a plain account they vanish beside a call a membership; where a run has ten calls in",
        "all, the one that reads the lists is a tenth.",
    ]
    columns = ("bulk lists", "profiles", "transition", "requests", "fewest", "ratio", "")
    return Part("Calls against the lower bound", "at most 1.02; no change: 0 writes", columns, rows, met, notes)


def _requests(world: World, members: Members) -> tuple[int, int]:
    """Bring the segments to a state, run, and give the requests and the writes that it took."""
    world.publish({name: _table(people) for name, people in members.items()})
    world.save("all", segments=list(members), mapping=SIMPLE, max_profiles=1_000_000, schedule={"on": "off"})
    world.reset_statistics()
    run = world.wait("all", world.start("all"), seconds=600)
    assert run["status"] == "Successful", run
    seen = world.look("stats")
    return int(seen["requests"]), int(seen["writes"])


def _table(people: Mapping[str, int]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "CustomerId": [f"c-{email}" for email in people],
            "Email": list(people),
            "FirstName": [f"Version {version}" for version in people.values()],
        }
    )


if __name__ == "__main__":
    run().show(Console())
