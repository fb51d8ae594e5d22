"""Evidence: everything that is needed to understand a round that went wrong, written down before anything is cleared up."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import requests
from azure.core.exceptions import AzureError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient

from local.stack import Stack

MOST_MESSAGES: Final = 32
LOOKS: Final = ("knobs", "stats", "lists", "contacts", "journal")
"""What the sandbox tells of itself; the journal is its calls, one by one."""


def keep_evidence(directory: Path, stack: Stack, round_and_verdict: Mapping[str, Any]) -> None:
    """Write a round, the app's storage, the sandbox and the logs into a folder. What cannot be read is named there."""
    directory.mkdir(parents=True, exist_ok=True)
    _write(directory / "round.json", round_and_verdict)
    parts: dict[str, Callable[[], None]] = {
        "tables": lambda: _tables(directory / "tables", stack.storage),
        "blobs": lambda: _blobs(directory / "blobs", stack.storage),
        "queues": lambda: _queues(directory / "queues", stack.storage),
        "sandbox": lambda: _sandbox(directory / "sandbox", str(stack.sandbox_url)),
        "logs": lambda: _logs(directory, stack.logs),
    }
    missing = {name: why for name, part in parts.items() if (why := _tried(part))}
    if missing:
        _write(directory / "not-kept.json", missing)


def _tried(part: Callable[[], None]) -> str:
    try:
        part()
    except (AzureError, requests.RequestException, OSError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _tables(folder: Path, storage: str) -> None:
    with TableServiceClient.from_connection_string(storage) as service:
        for table in service.list_tables():
            rows = service.get_table_client(table.name).list_entities()
            _lines(folder / f"{table.name}.jsonl", (dict(row) for row in rows))


def _blobs(folder: Path, storage: str) -> None:
    with BlobServiceClient.from_connection_string(storage) as service:
        for container in service.list_containers():
            client = service.get_container_client(container.name)
            for name in client.list_blob_names():
                file = folder / container.name / quote(name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(client.download_blob(name).readall())


def _queues(folder: Path, storage: str) -> None:
    with QueueServiceClient.from_connection_string(storage) as service:
        for queue in service.list_queues():
            client = service.get_queue_client(queue.name)
            messages = client.peek_messages(max_messages=MOST_MESSAGES)
            count = client.get_queue_properties().approximate_message_count
            _lines(folder / f"{queue.name}.jsonl", [{"messages": count}, *(dict(message) for message in messages)])


def _sandbox(folder: Path, url: str) -> None:
    for name in LOOKS:
        _write(folder / f"{name}.json", requests.get(f"{url}/sandbox/{name}", timeout=30).json())
    for found in requests.get(f"{url}/sandbox/lists", timeout=30).json()["lists"]:
        list_id = found["list_id"]
        emails = requests.get(f"{url}/sandbox/lists/{list_id}/emails", timeout=30).json()
        _write(folder / f"list-{quote(list_id, safe='')}.json", emails)


def _logs(folder: Path, logs: Path) -> None:
    shutil.copytree(logs, folder / "logs", dirs_exist_ok=True)


def _write(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2, default=str))


def _lines(file: Path, rows: Iterable[object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(row, default=str) + "\n" for row in rows))
