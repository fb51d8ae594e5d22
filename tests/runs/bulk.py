"""A long past, written at once: the client's own transactions take longer to make than the emulator takes to carry them out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import batched
from typing import Final

from azure.core.rest import HttpRequest

from shared.azure.tables import Table, _entity
from shared.runs.head import Head
from shared.runs.ledger import _run_key
from shared.runs.run import Run

_MOST: Final = 100
"""Entities of a transaction (Azure's limit)."""


def write_past(table: Table, export: str, runs: list[Run], head: Head) -> None:
    """Write an export's new partition as its runs would have left it; raise AssertionError with what is refused."""
    table._service.create_table_if_not_exists(table._name)
    entities = [*(_entity(export, _run_key(run.id), run) for run in runs), _entity(export, "head", head)]
    for some in batched(entities, _MOST, strict=False):
        _create(table, some)


def _create(table: Table, entities: Sequence[Mapping[str, object]]) -> None:
    """Create entities, whose values are texts, whole numbers and truths, in one transaction, whose parts' names are of the form that the emulator asks for."""
    one = (
        "--changeset_past\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        f"POST {table._service.url}/{table._name} HTTP/1.1\r\n"
        "Content-Type: application/json\r\nPrefer: return-no-content\r\n\r\n"
    )
    changes = "".join(f"{one}{json.dumps(entity)}\r\n" for entity in entities)
    kind = "Content-Type: multipart/mixed; boundary=changeset_past"
    body = f"--batch_past\r\n{kind}\r\n\r\n{changes}--changeset_past--\r\n--batch_past--\r\n"
    headers = {"Content-Type": "multipart/mixed; boundary=batch_past", "x-ms-version": "2019-02-02"}
    request = HttpRequest("POST", f"{table._service.url}/$batch", headers=headers, content=body.encode())
    answer = table._service._client.send_request(request, stream=True)
    said = answer.read().decode()
    assert said.count("HTTP/1.1 204") == len(entities), (answer.status_code, said)
