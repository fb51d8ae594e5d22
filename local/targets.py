"""The kinds of destination as the demo, the benchmarks and chaos set them up: a sandbox, a connection, a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import requests


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of destination: its sandbox's module, and what a connection, an export and a mapping have of their own.

    `simple` maps `local.world.people`, `mapping` the made-up company; `custom` are the types of the custom fields that the
    mapping needs, by name, made in the sandbox by `furnish`. `lists` is what people there call a list.
    """

    kind: str
    title: str
    sandbox: str
    lists: str
    mapping: Mapping[str, str]
    simple: Mapping[str, str]
    connection: Mapping[str, Any] = field(default_factory=dict)
    export: Mapping[str, Any] = field(default_factory=dict)
    custom: Mapping[str, str] = field(default_factory=dict)

    @property
    def setting(self) -> str:
        """The app setting that says where its API is."""
        return f"{self.kind.upper()}_URL"

    def furnish(self, sandbox_url: str, key: str) -> None:
        """Make the custom fields of the mapping in an empty sandbox."""
        for name, kind in self.custom.items():
            requests.post(
                f"{sandbox_url}/v1/person/custom-field/create",
                json={"name": name, "type": kind},
                headers={"X-Api-Key": key},
                timeout=60,
            ).raise_for_status()


AUTOPILOT: Final = Target(
    "autopilot",
    "Autopilot",
    "local.sandbox",
    "list",
    {
        "Email": "Email",
        "FirstName": "FirstName",
        "LastName": "LastName",
        "MailingCity": "City",
        "string--Loyalty--Tier": "LoyaltyTier",
        "integer--Loyalty--Points": "Points",
        "date--Last--Purchase": "LastPurchase",
    },
    {"Email": "Email", "FirstName": "FirstName"},
)

ORTTO: Final = Target(
    "ortto",
    "Ortto",
    "local.ortto",
    "tag",
    {
        "str::email": "Email",
        "str::first": "FirstName",
        "str::last": "LastName",
        "geo::city": "City",
        "str:cm:loyalty-tier": "LoyaltyTier",
        "int:cm:loyalty-points": "Points",
        "dtz:cm:last-purchase": "LastPurchase",
    },
    {"str::email": "Email", "str::first": "FirstName"},
    {"kind": "ortto", "region": "eu"},
    {"new_people": "not_subscribed"},
    {"Loyalty Tier": "text", "Loyalty Points": "integer", "Last Purchase": "date"},
)

TARGETS: Final = {target.kind: target for target in (AUTOPILOT, ORTTO)}
