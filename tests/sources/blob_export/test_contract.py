"""Customer Insights' Blob export keeps the contract of a source, over Azurite."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

import pytest
from azure.core.exceptions import ServiceRequestError
from azure.core.pipeline.transport import HttpTransport

from local.azurite import Azurite
from shared.sources.blob_export.customer_insights import CustomerInsights
from tests.sources.blob_export.export import Source
from tests.sources.contract import COLUMNS, PEOPLE, Rows, SourceContract

KEYED = ("CustomerId", *COLUMNS)


class Stage:
    """A container that Customer Insights writes to."""

    def __init__(self, azurite: Azurite) -> None:
        self.made = Source(azurite)
        self.rows: Mapping[str, Rows] = {}

    @property
    def source(self) -> CustomerInsights:
        return self.made.reader

    def publish(self, tables: Mapping[str, Rows], *, torn: int | None = None) -> None:
        self.rows = tables
        self._write(tables, KEYED, KEYED, torn)

    def publish_without_key(self, name: str) -> None:
        self._write({name: PEOPLE}, COLUMNS, COLUMNS)

    def take_away(self, column: str) -> None:
        self._write(self.rows, KEYED, [name for name in KEYED if name != column])

    def _write(
        self, tables: Mapping[str, Rows], told: Sequence[str], written: Sequence[str], torn: int | None = None
    ) -> None:
        entities = []
        for name, rows in tables.items():
            text = io.StringIO(newline="")
            file = csv.DictWriter(text, written, extrasaction="ignore", lineterminator="\n")
            file.writeheader()
            file.writerows({"CustomerId": f"k{number}", **row} for number, row in enumerate(rows))
            lines = text.getvalue().splitlines(keepends=True)
            if torn is not None:
                lines[1 + torn] = "one,field,too,many,here\n"
            half = max(1, len(lines) // 2)
            parts = ("".join(lines[:half]), lines[0] + "".join(lines[half:]))
            partitions = [
                {"location": self.made.put(f"Export/{name}/{number}.csv", part.encode())}
                for number, part in enumerate(parts, start=1)
            ]
            attributes = [{"name": column, "dataType": "string"} for column in told]
            entities.append({"$type": "LocalEntity", "name": name, "attributes": attributes, "partitions": partitions})
        self.made.write_model(entities)

    @contextmanager
    def down(self) -> Iterator[None]:
        """Break every connection: an emulator that is killed would be down for other tests too.

        The client tries as often as it is told to, without the pauses between its tries.
        """
        transport = cast("Any", self.made.reader)._service._pipeline._transport

        def refuse(*_: object, **__: object) -> None:
            raise ServiceRequestError("refused")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(transport, "send", refuse)
            patch.setattr(HttpTransport, "sleep", lambda *_: None)
            yield


class TestBlobExport(SourceContract):
    """The contract, over Azurite."""

    @pytest.fixture
    def stage(self, azurite: Azurite) -> Iterator[Stage]:
        stage = Stage(azurite)
        yield stage
        stage.made.service.close()
