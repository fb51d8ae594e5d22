"""A Blob export in a container of one's own, read by the real client."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from local.azurite import Azurite
from shared.azure.settings import StorageAccount
from shared.reasons.errors import ExportError
from shared.sources.blob_export.connect import connect
from shared.sources.blob_export.customer_insights import CustomerInsights
from shared.sources.source import MALFORMED

COLUMNS = ("CustomerId", "FirstName", "Email")


class Source:
    """A container of its own, and short ways to write into it what Customer Insights might."""

    def __init__(self, azurite: Azurite) -> None:
        self.name = "ci" + secrets.token_hex(6)
        self.service = BlobServiceClient.from_connection_string(azurite.connection_string)
        self.container: ContainerClient = self.service.create_container(self.name)
        account = StorageAccount(connection_string=azurite.connection_string)
        self.reader: CustomerInsights = connect(account, f"{self.name}/Export")

    def put(self, path: str, data: bytes) -> str:
        """Write a blob and return its location."""
        return str(self.container.upload_blob(path, data, overwrite=True).url)

    def model(self, *locations: str, columns: Sequence[str] = COLUMNS, told: dict[str, Any] | None = None) -> None:
        settings = {} if told is None else {"fileFormatSettings": {"$type": "CsvFormatSettings", **told}}
        entity = {
            "$type": "LocalEntity",
            "name": "VIP",
            "attributes": [{"name": name, "dataType": "string"} for name in columns],
            "partitions": [{"name": f"p{n}", "location": text, **settings} for n, text in enumerate(locations)],
        }
        self.write_model([entity])

    def write_model(self, entities: Sequence[dict[str, Any]]) -> None:
        """Write a model.json with these entities."""
        model = {"name": "BlobExport", "version": "1.0", "pbi:mashup": {"x": 1}, "entities": entities}
        self.put("Export/model.json", json.dumps(model).encode())

    def table(self, data: bytes, told: dict[str, Any] | None = None, columns: Sequence[str] = COLUMNS) -> None:
        self.model(self.put(f"Export/VIP/{secrets.token_hex(4)}.csv", data), told=told, columns=columns)

    def read(self, *columns: str) -> pl.DataFrame:
        table = self.reader.catalogue().table("VIP")
        return pl.concat(self.reader.read(table, columns or COLUMNS))

    def rows(self) -> list[tuple[Any, ...]]:
        """Return the sound rows."""
        return self.read().filter(~pl.col(MALFORMED)).select(COLUMNS).rows()

    def reason(self) -> ExportError:
        with pytest.raises(ExportError) as caught:
            self.read()
        return caught.value


TWO = [("1", "Ann", "ann@example.com"), ("2", "Bob", "bob@example.com")]


BODY = b"1,Ann,ann@example.com\n2,Bob,bob@example.com\n"


HEADER = b"CustomerId,FirstName,Email\n"
