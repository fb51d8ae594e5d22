"""`python -m bench.calls`: requests sent, divided by the fewest that the API allows, on every transition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import polars as pl
from rich.console import Console

from bench.report import Part
from bench.world import QUICK_ORTTO, open_world
from local.targets import AUTOPILOT, Target
from local.world import World
from shared.delivery.capabilities import ListMethod
from shared.destinations.autopilot.list_methods import BULK, CONTACT

PROFILES: Final = 100_000
BULK_KNOBS: Final = {BULK: "honoured", CONTACT: "ignored"}
"""What the sandbox's bulk call does with lists, by the call that fills them."""

Members = Mapping[str, Mapping[str, int]]
"""Who is in which segment: a version of their profile by address, by segment."""


@dataclass(frozen=True, slots=True)
class Bound:
    """The fewest calls: what goes by the hundred does, the rest one by one, a call a removal and a new list.

    `upserts` are contacts to send, `joining` those of them that go on a list as well.
    """

    upserts: int
    joining: int
    adds: int
    removals: int
    lists: int

    def calls(self, method: ListMethod) -> int:
        """Count them; a call for one contact sends it and puts it on a list, a bulk call does so for 100 if it fills lists."""
        others = self.removals + self.lists
        if method is BULK:
            return math.ceil(max(self.upserts, self.adds) / 100) + others
        alone = self.upserts - self.joining if method is CONTACT else self.upserts
        return math.ceil(alone / 100) + self.adds + others


def bound(before: Members, after: Members) -> Bound:
    """Return the fewest calls from one state of the segments to the next."""
    known = {email: version for members in before.values() for email, version in members.items()}
    wanted = {email: version for members in after.values() for email, version in members.items()}
    sent = {email for email, version in wanted.items() if known.get(email) != version}
    joined = {email for name, members in after.items() for email in members.keys() - before.get(name, {}).keys()}
    return Bound(
        upserts=len(sent),
        joining=len(sent & joined),
        adds=sum(len(members.keys() - before.get(name, {}).keys()) for name, members in after.items()),
        removals=sum(len(members.keys() - after.get(name, {}).keys()) for name, members in before.items()),
        lists=len(after.keys() - before.keys()),
    )


def transitions(size: int) -> list[tuple[str, Members]]:
    """Return the states of the segments, one after the other, each with what leads to it."""
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
    """Return the first load of three lists that overlap."""
    everybody = [f"p{n}@example.com" for n in range(size)]
    segments = {name: dict.fromkeys(everybody[::step], 0) for name, step in (("One", 1), ("Two", 3), ("Three", 4))}
    return [("first load, three lists, overlapping", segments)]


def run() -> Part:
    """Go through all transitions on a plain and on a list-honouring account, and load three lists at once on each."""
    rows: list[tuple[str, ...]] = []
    met = True
    for method, steps in [(method, way(PROFILES)) for method in BULK_KNOBS for way in (at_once, transitions)]:
        with open_world(knobs={"bulk_lists": BULK_KNOBS[method]}) as world:
            world.connect(rate_limit=10_000)
            before: Members = {}
            for name, after in steps:
                sent, writes = _requests(world, after)
                fewest = bound(before, after).calls(method)
                fine = writes == 0 if fewest == 0 else sent / fewest <= 1.02
                met = met and fine
                shown = f"{writes} writes" if fewest == 0 else f"{sent / fewest:.3f}"
                rows.append(
                    (method.name, f"{PROFILES:,}", name, f"{sent:,}", f"{fewest:,}", shown, "" if fine else "over")
                )
                before = after
    for way in (at_once, transitions):
        more, fine = _at_ortto(way(PROFILES))
        rows, met = [*rows, *more], met and fine
    notes = [
        "Ours has some calls of its own: the lists are read once a run (the key works, a deleted list is filled anew), a",
        "first run proves which call fills lists (seven calls at most), and a run whose calls filled lists confirms it with two",
        "calls a list. On a plain account a contact and its first list are one call, `POST /contact`, which also names who is",
        "refused: fewer than a bulk call and a membership each, which is what was sent until 2026-11-25.",
        "At Ortto one call takes 100 people with all their tags, and one more reads them back: the answer names nobody.",
    ]
    columns = ("lists filled by", "profiles", "transition", "requests", "fewest", "ratio", "")
    return Part(
        "Calls against the lower bound", "at most 1.02, at Ortto 1.05; no change: 0 writes", columns, rows, met, notes
    )


def touched(before: Members, after: Members) -> int:
    """Return how many people have new values, join a segment or leave one."""
    people = {email for members in (*before.values(), *after.values()) for email in members}

    def of(email: str, state: Members) -> tuple[object, ...]:
        return next((m[email] for m in state.values() if email in m), None), *sorted(
            n for n in state if email in state[n]
        )

    return sum(of(email, before) != of(email, after) for email in people)


def _at_ortto(steps: list[tuple[str, Members]]) -> tuple[list[tuple[str, ...]], bool]:
    """Go through transitions on an Ortto account; the fewest calls are one for 100 people, and one that reads them back."""
    rows: list[tuple[str, ...]] = []
    met = True
    with open_world(knobs={"ban": None}, target=QUICK_ORTTO) as world:
        world.connect(rate_limit=10_000, **QUICK_ORTTO.connection)
        before: Members = {}
        for name, after in steps:
            sent, writes = _requests(world, after, QUICK_ORTTO)
            fewest = 2 * math.ceil(touched(before, after) / 100)
            fine = writes == 0 if fewest == 0 else sent / fewest <= 1.05
            met = met and fine
            shown = f"{writes} writes" if fewest == 0 else f"{sent / fewest:.3f}"
            rows.append(
                ("tags (Ortto)", f"{PROFILES:,}", name, f"{sent:,}", f"{fewest:,}", shown, "" if fine else "over")
            )
            before = after
    return rows, met


def _requests(world: World, members: Members, target: Target = AUTOPILOT) -> tuple[int, int]:
    """Bring the segments to a state, run, and return the requests and the writes that it took."""
    world.publish({name: _table(people) for name, people in members.items()})
    world.save(
        "all",
        segments=list(members),
        mapping=target.simple,
        max_profiles=1_000_000,
        schedule={"on": "off"},
        **target.export,
    )
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
