"""What a round of chaos does, drawn from its seed: a company, an account, and when what goes wrong."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from local.environment import SEGMENTS

STORM_SECONDS: Final = (0.5, 4.0)
TROUBLE_SECONDS: Final = 6.0
"""Within how many seconds of a run's start its troubles begin."""

_STORMS: Final[tuple[dict[str, Any], ...]] = (
    {"faults": {"throttle": 0.4}},
    {"faults": {"error": 0.3, "html": 0.1}},
    {"faults": {"timeout_done": 0.3}},
    {"faults": {"reset": 0.2, "reset_done": 0.2}},
    {"faults": {"drop_row": 0.3}},
    {"latency_ms": 2000, "jitter_ms": 1000},
    {"down": True},
)

_LIES: Final[tuple[dict[str, Any], ...]] = (
    {"html": 0.3},
    {"empty": 0.15, "no_content": 0.15, "null": 0.1},
    {"message": 0.2, "error": 0.1, "no_map": 0.2},
    {"interim": 0.3, "interim_joined": 0.3},
    {"redirect": 0.2, "html_403": 0.1, "html_401": 0.1, "strange": 0.1},
    {"html_404": 0.3},
    {"truncated": 0.15, "bom": 0.1, "unasked_encoding": 0.1, "bad_header": 0.1},
    {"drip_headers": 0.02, "drip_interim": 0.02, "drip_trailers": 0.02, "drip_body": 0.02},
)
"""Answers that are not Autopilot's, to so many calls."""

_TROUBLES: Final[Mapping[str, int]] = {
    "kill a host": 5,
    "kill all hosts": 2,
    "pause a host": 3,
    "duplicate messages": 3,
    "storm": 6,
    "lies": 4,
    "restart storage": 1,
    "restart the vault": 1,
    "vault down": 1,
    "rotate the key": 1,
    "source busy": 3,
    "source drops": 3,
    "refresh meanwhile": 2,
    "no token": 1,
}
"""What can go wrong, and how often beside the others."""

_EARLY: Final = {"source busy", "source drops", "refresh meanwhile", "no token"}
EARLY_SECONDS: Final = 1.5
"""What concerns the source begins while a run is planned, or it meets nobody."""

ODD: Final = ("compressed", "another encoding", "other delimiters", "no addresses")
"""What a partition may turn out to be; a run of it must read it right or end by name, and the next one goes on."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that goes wrong `at` seconds after a run's start, for `seconds`; `host` and `knobs` where they matter."""

    at: float
    kind: str
    seconds: float
    host: int
    skew: float
    knobs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Round:
    """One round: two runs, a first load and a refresh, each with its troubles; in between, perhaps, an odd partition."""

    seed: int
    people: int
    churn: float
    segments: tuple[str, ...]
    rate: float
    knobs: Mapping[str, Any]
    odd: str | None
    troubles: tuple[tuple[Trouble, ...], tuple[Trouble, ...]]


def draw_round(seed: int, hosts: int, kind: str = "autopilot") -> Round:
    """Draw a round on an account of this kind: the same seed gives the same round."""
    dice = random.Random(seed)  # noqa: S311 - to be repeatable
    drawn = _draw(dice, seed, hosts)
    if kind == "autopilot":
        return drawn
    # A hundred people go in one call there: few calls a second, so that a run lasts long enough to be troubled.
    return replace(drawn, rate=round(dice.uniform(0.8, 5), 1), knobs={**_ortto_knobs(dice), "seed": seed})


def _ortto_knobs(dice: random.Random) -> dict[str, Any]:
    """Draw how an Ortto account is, where nobody knows how Ortto is (docs/sandbox.md)."""
    return {
        "latency_ms": dice.choice((0, 0, 20, 200)),
        "jitter_ms": dice.choice((0, 50)),
        "concurrency": dice.choice((None, None, 2)),
        "concurrency_answer": dice.choice(("429", "503", "500", "reset")),
        "ban_answer": dice.choice(("429", "403", "reset")),
        "mixed_batch": dice.choice(("in_place", "only_accepted", "whole_400", "details")),
        "answer_order": dice.choice(("request", "shuffled")),
        "tag_filter": dice.choice(("u4s_is", "unknown_operation", "empty")),
        "tags_in_get_by_ids": dice.choice(("both", "ids_only")),
        "by_id_gone": dice.choice(("invalid", "skipped", "400")),
        "skipped_status": dice.choice(("skipped", "ignored", "absent", "400_if_all")),
        "strategy3_tags": dice.choice(("ignored", "applied")),
        "geo_normalises": dice.choice((False, True)),
    }


def _draw(dice: random.Random, seed: int, hosts: int) -> Round:
    people = dice.randint(50, 700)
    return Round(
        seed=seed,
        people=people,
        churn=dice.uniform(0.02, 0.4),
        segments=tuple(dice.sample(sorted(SEGMENTS), dice.randint(1, len(SEGMENTS)))),
        rate=round(people / dice.uniform(2, 10), 1),
        knobs={
            "bulk_lists": dice.choice(("ignored", "ignored", "honoured", "new_only", f"until:{dice.randint(3, 9)}")),
            "contact_lists": dice.choice(
                ("honoured", "honoured", "ignored", "new_only", f"until:{dice.randint(10, 300)}")
            ),
            "latency_ms": dice.choice((0, 0, 20, 200)),
            "jitter_ms": dice.choice((0, 50)),
            "error_shape": dice.choice(("error", "code")),
            "seed": seed,
        },
        odd=dice.choice((None, *ODD)),
        troubles=(_troubles(dice, hosts), _troubles(dice, hosts)),
    )


def _troubles(dice: random.Random, hosts: int) -> tuple[Trouble, ...]:
    drawn = [_trouble(dice, hosts) for _ in range(dice.randint(1, 5))]
    return tuple(sorted(drawn, key=lambda trouble: trouble.at))


def _trouble(dice: random.Random, hosts: int) -> Trouble:
    kind = dice.choices(list(_TROUBLES), weights=list(_TROUBLES.values()))[0]
    return Trouble(
        at=dice.uniform(0, EARLY_SECONDS if kind in _EARLY else TROUBLE_SECONDS),
        kind=kind,
        seconds=dice.uniform(*STORM_SECONDS),
        host=dice.randrange(hosts),
        skew=dice.choice((0, 0, dice.uniform(-3, 3))),
        knobs={"lies": dice.choice(_LIES), "drip_seconds": 5} if kind == "lies" else dice.choice(_STORMS),
    )
