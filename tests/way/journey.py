"""One contact's first delivery, in this process: the real app on Azurite, the vault and the sandbox, called as the host calls it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Final

import polars as pl
import pytest
from azure.functions.queue import QueueMessage
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient, TextBase64DecodePolicy

import shared.composition.app
import shared.lifecycle.record
import shared.sources.ahead
from local.environment import publish
from local.stack import Stack
from local.warm import Shared
from shared.azure.storage import Queue
from shared.composition.app import App, app
from shared.exports.configuration import Connection, Consent, Export
from shared.runs.run import Run
from tests.simulation.functions import FUNCTIONS, TICK
from tests.simulation.inside import Inline
from tests.way.trace import Chapter, Contact, Way, traced

EXPORT: Final = "vip"
WORD: Final = "zebedee"
"""Stands in the contact's row, and nowhere else."""


def journey(folder: Path, shared_parts: Shared | None = None) -> tuple[Way, Run]:
    """Publish one contact, have the timer start a run, work off its messages; return what was traced, and the run."""
    with Stack(folder, instances=0, in_memory=True, shared=shared_parts) as stack, _app(stack) as made:
        _configure(stack, made)
        _refresh(stack)
        TICK(SimpleNamespace(past_due=False))  # takes note of the refresh that was there before the export
        _refresh(stack)
        contact = Contact(WORD, made.digest_key().of_person(f"{WORD}@example.com"), "person_")
        with traced(contact) as way:
            TICK(SimpleNamespace(past_due=False))
            for way.chapter, queue in ((Chapter.PLAN, Queue.RUNS), (Chapter.DELIVER, Queue.CHUNKS)):
                _work_off(stack, queue)
        (run,) = made.ledger.runs(EXPORT)
        return way, run


@contextmanager
def _app(stack: Stack) -> Iterator[App]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in stack.environment.items():
            patch.setitem(os.environ, name, value)
        for module in (shared.sources.ahead, shared.lifecycle.record, shared.composition.app):
            patch.setattr(module, "ThreadPoolExecutor", Inline)  # so that whoever hands work over is seen to call it
        app.cache_clear()
        try:
            yield app()
        finally:
            app.cache_clear()


def _configure(stack: Stack, made: App) -> None:
    now = datetime.now(UTC)
    stack.store_secret("key", "sandbox-key")
    stamps = {"created_at": now, "updated_at": now, "updated_by": "owner"}
    consent = Consent(by="owner", at=now, text_version="1")
    connection = {"display_name": "Main", "secret_name": "key", "rate_limit": 1000, "consent": consent, **stamps}
    made.registry.save_connection("main", Connection.model_validate(connection))
    settings = {
        "display_name": "VIP",
        "connection": "main",
        "mapping": {"Email": "Email", "FirstName": "FirstName"},
        "segments": ["VIP"],
    }
    made.registry.save_export(EXPORT, Export.model_validate({**settings, **stamps}))


def _refresh(stack: Stack) -> None:
    row = {"CustomerId": [f"{WORD}-1"], "Email": [f"{WORD}@example.com"], "FirstName": [WORD.title()]}
    with BlobServiceClient.from_connection_string(stack.source_storage) as service:
        publish(service, stack.source_path, {"VIP": pl.DataFrame(row)}, datetime.now(UTC))


def _work_off(stack: Stack, queue: Queue) -> None:
    """Do what the messages of a queue ask for, as the host does."""
    with QueueServiceClient.from_connection_string(stack.storage) as service:
        client = service.get_queue_client(queue, message_decode_policy=TextBase64DecodePolicy())
        for message in client.receive_messages():
            FUNCTIONS[queue](QueueMessage(id=message.id, body=message.content))  # type: ignore[no-untyped-call]
            client.delete_message(message)
