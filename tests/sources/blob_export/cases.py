"""A Blob export in memory: its model and its files, and what is read of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import polars as pl
import pytest

from shared.reasons.errors import ExportError
from shared.sources.source import MALFORMED
from tests.sources.blob_export.memory import Blob, source_of

COLUMNS: Final = ("CustomerId", "FirstName", "Email")


MORE: Final = ("Phone", "PreferredContact")


PEOPLE: Final = [(f"c{n:04}", f"Name{n}", f"person{n}@example.com") for n in range(10)]


SEVEN: Final = b"CustomerId,FirstName,Email\n" + b"".join(f"{','.join(row)}\n".encode() for row in PEOPLE[:7])


BODY: Final = "".join(f"{','.join(row)}\n" for row in PEOPLE[7:])


HEADER: Final = "CustomerId,FirstName,Email\n"


OTHER: Final = "Export/VIP/b.csv"


def entity(name: str, *partitions: Mapping[str, Any], columns: Sequence[str] = COLUMNS, **more: Any) -> dict[str, Any]:
    attributes = [{"name": column, "dataType": "string"} for column in columns]
    return {"$type": "LocalEntity", "name": name, "attributes": attributes, "partitions": list(partitions), **more}


def at(path: str, **told: Any) -> dict[str, Any]:
    settings = {"fileFormatSettings": told} if told else {}
    return {"name": "p", "location": f"https://account.blob.core.windows.net/ci/{path}", **settings}


VIP: Final = entity("VIP", at("Export/VIP/a.csv"), at(OTHER))


def blobs(*entities: Mapping[str, Any], b: bytes | Blob = b"", **files: bytes) -> dict[str, Blob]:
    """Return the files of the ten people, and those given, with a model of the tables given."""
    found = {"Export/VIP/a.csv": Blob(SEVEN), OTHER: b if isinstance(b, Blob) else Blob(b)}
    model = {"application": "CustomerInsights", "name": "BlobExport", "version": "1.0", "entities": list(entities)}
    more = {f"Export/{name}.csv": Blob(data) for name, data in files.items()}
    return {**found, **more, "Export/model.json": Blob(json.dumps(model).encode())}


def read(found: Mapping[str, Blob], columns: Sequence[str] = COLUMNS) -> pl.DataFrame:
    source = source_of(found)
    return pl.concat(source.read(source.catalogue().table("VIP"), columns, "Email"))


def people(found: Mapping[str, Blob]) -> list[tuple[Any, ...]]:
    table = read(found)
    assert not table[MALFORMED].any()
    return table.select(COLUMNS).rows()


def refusal(found: Mapping[str, Blob], columns: Sequence[str] = COLUMNS) -> ExportError:
    with pytest.raises(ExportError) as caught:
        read(found, columns)
    assert "CUSTOMER_INSIGHTS_PATH" not in caught.value.detail
    assert not any(text in caught.value.detail for row in PEOPLE for text in row)
    return caught.value


def turned(row: str) -> str:
    return ",".join(reversed(row.split(",")))
