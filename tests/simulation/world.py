"""Small worlds: who is in which segment, what the account does, and what the owner of the export asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from local.sandbox.knobs import Knobs
from tests.simulation.source import Segments

EXPORT: Final = "export"
CONNECTION: Final = "main"
KEY: Final = "sandbox-key"


@dataclass(frozen=True, slots=True)
class World:
    """One world: `versions` of the source, one a refresh; the account; the export's settings; and the owner's steps.

    `at_last` are those that the owner takes when nothing goes wrong any more, where only they make up for what others did.
    """

    name: str
    versions: tuple[Segments, ...]
    owner: tuple[str, ...]
    knobs: Knobs = field(default_factory=Knobs)
    settings: Mapping[str, Any] = field(default_factory=dict)
    at_last: tuple[str, ...] = ()


def _people(*names: str) -> dict[str, str]:
    """Name people as `ann` or, with another first name than her own, `ann=Anne`."""
    parts = [name.partition("=") for name in names]
    return {f"{who}@example.com": called or who.title() for who, _, called in parts}


PLAIN: Final = World(
    "plain",
    (
        {"VIP": _people("ann", "bob", "cid"), "News": _people("cid", "dora")},
        {"VIP": _people("ann=Anne", "cid", "eve"), "News": _people("dora", "eve")},
    ),
    ("start", "rest", "refresh", "rest"),
)

BULK: Final = World(
    "bulk",
    (
        {"VIP": _people("ann", "bob", "cid", "dora")},
        {"VIP": _people("ann", "bob", "dora", "eve", "finn")},
    ),
    ("start", "rest", "refresh", "rest"),
    Knobs(bulk_lists="until:4"),
)

VERIFIED: Final = World(
    "verified",
    (
        {"VIP": _people("ann", "bob", "cid")},
        {"VIP": _people("ann", "cid")},
    ),
    ("start", "rest", "take ann off VIP by hand", "repair", "rest"),
    Knobs(bulk_lists="honoured"),
    {"verification": {"every": 1, "repair": True}},
)

REFUSED: Final = World(
    "refused",
    (
        {"VIP": _people("ann", "poison", "dora")},
        {"VIP": _people("ann", "poison", "dora=Dorothea")},
    ),
    ("start", "rest", "rerun", "rest", "refresh", "rest", "erase ann", "rest"),
    Knobs(contact_lists="ignored"),
)

WORLDS: Final = {world.name: world for world in (PLAIN, BULK, VERIFIED, REFUSED)}
