"""What a deployment makes, as tests name it; and the combinations of switches that are tried."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.infra.compiler import INFRA, SWITCHES, Compiler, Deployment, Resource

NAMES: Final = sorted(path.stem for path in SWITCHES.glob("*.bicepparam"))


EACH: Final = pytest.mark.parametrize("name", NAMES)


def listed(made: Deployment) -> list[str]:
    """Return what a deployment makes, a line each: type and name."""
    return sorted(f"{found.type} {_short(found)}" for found in made.resources)


def _short(found: Resource) -> str:
    """Return a resource's name; an expression as what tells it apart, the rest left out."""
    if "Microsoft.Authorization/roleAssignments" in found.type:
        return f"{found.properties['description']} on {_place(found)}"
    if found.type == "Microsoft.Insights/diagnosticSettings":
        return f"{found.name} of {_place(found)}"
    if found.name.startswith("["):
        return "/".join(part for part in re.findall(r"'([^']*)'", found.name) if part != "{0}/{1}")
    return found.name


def _place(found: Resource) -> str:
    """Return what an extension lies on: the path after its last provider's name."""
    (place,) = re.findall(r"'?(/subscriptions/[^']*)", found.id)[:1]
    return str(place).partition("/providers/Microsoft.Insights/diagnosticSettings")[0].rpartition("/providers/")[2]


def zone_of(found: Resource) -> str:
    (zone,) = found.properties["privateDnsZoneConfigs"]
    return str(zone["properties"]["privateDnsZoneId"])


def zone_name(zone: str) -> str:
    """Return the part of a zone's name that is known before Azure tells its suffix."""
    found = re.search(r"privatelink\.\w+", zone)
    assert found
    return found[0]


def templates(bicep: Compiler, holding: str) -> list[dict[str, Any]]:
    """Return the templates that lie directly around a module in which a text occurs."""

    def around(template: dict[str, Any]) -> Iterator[dict[str, Any]]:
        for found in resources(template):
            properties = found.get("properties")
            if isinstance(properties, dict) and (inner := properties.get("template")):
                if any(holding in str(deep.get("name")) for deep in resources(inner)):
                    yield template
                yield from around(inner)

    return list(around(dict(bicep.compile(INFRA / "main.bicep").template)))


def resources(template: dict[str, Any]) -> list[dict[str, Any]]:
    found = template["resources"]
    return list(found.values()) if isinstance(found, dict) else list(found)
