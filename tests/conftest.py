"""What all tests share."""

from __future__ import annotations

import dataclasses
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient
from hypothesis import HealthCheck, settings

from local.azurite import Azurite
from local.warm import Shared, sharing
from shared.accounts.accounts import Accounts
from shared.azure.clock import StorageClock
from shared.azure.settings import Settings, StorageAccount
from shared.azure.storage import Storage
from shared.azure.tables import Table
from shared.composition.app import App
from shared.erasure.requests import Erasures
from shared.erasure.tombstones import Tombstones
from shared.exports.configuration import Export
from shared.exports.registry import Registry
from shared.runs.ledger import Ledger
from shared.runs.run import Run
from shared.runs.run_id import new_run_id
from tests.delivery.accounts import ManualClock
from tests.order import pytest_collection_modifyitems, pytest_sessionstart, pytest_xdist_make_scheduler

__all__ = ["pytest_collection_modifyitems", "pytest_sessionstart", "pytest_xdist_make_scheduler"]

settings.register_profile("house", deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)
settings.register_profile("landing", settings.get_profile("house"), derandomize=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "house"))
"""`make test` draws new examples each time; `.ci/run` the same ones, so that no landing depends on the luck of the draw."""


@pytest.fixture(scope="session")
def shared_parts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """Yield what stacks share for the whole test session."""
    with sharing(tmp_path_factory.mktemp("shared")) as parts:
        yield parts


@pytest.fixture(scope="session")
def azurite(shared_parts: Shared) -> Azurite:
    """Return a storage emulator for the whole test session; nobody stops it."""
    assert shared_parts.azurite is not None
    return shared_parts.azurite


MISSING: Any = cast("Any", None)


@pytest.fixture
def app(azurite: Azurite) -> Iterator[App]:
    """Yield an app of storage alone, with tables of its own."""
    account = StorageAccount(connection_string=azurite.connection_string)
    with ExitStack() as open_clients:
        blobs = open_clients.enter_context(BlobServiceClient.from_connection_string(azurite.connection_string))
        queues = open_clients.enter_context(QueueServiceClient.from_connection_string(azurite.connection_string))
        tables = open_clients.enter_context(TableServiceClient.from_connection_string(azurite.connection_string))
        clock, own = StorageClock(), "t" + secrets.token_hex(6)
        storage = Storage(blobs, queues)
        yield App(
            settings=Settings(
                storage=account,
                key_vault_url="http://localhost",
            ),
            storage=storage,
            ledger=Ledger(Table(tables, own)),
            registry=Registry(storage),
            accounts=Accounts(Table(tables, own + "a"), clock),
            tombstones=Tombstones(Table(tables, own + "e")),
            erasures=Erasures(Table(tables, own + "e"), storage),
            audit=MISSING,
            vault=MISSING,
            source=MISSING,
            clock=clock,
            pool=MISSING,
            http=MISSING,
        )


@pytest.fixture
def clock() -> ManualClock:
    """Return a clock that stands until it is told to go on."""
    return ManualClock(1_800_000_000.0)


@pytest.fixture
def timed(app: App, clock: ManualClock) -> App:
    """Return the app on that clock."""
    return dataclasses.replace(app, clock=clock)


@pytest.fixture
def run(timed: App) -> Run:
    """Return a run that was started just now."""
    now = timed.now()
    run = Run(
        export=f"e-{secrets.token_hex(4)}", id=new_run_id(now), trigger="on_demand", requested_by="me", queued_at=now
    )
    timed.ledger.start(run)
    return run


@pytest.fixture
def tables(azurite: Azurite) -> Iterator[Callable[[], Table]]:
    """Yield a maker of tables of one's own."""
    with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        yield lambda: Table(service, "t" + secrets.token_hex(6))


def publish(app: App, export: str) -> None:
    """Configure an export, so that supervision looks after it."""
    now = datetime.now(UTC)
    settings = {"display_name": "x", "connection": "main", "mapping": {"Email": "Email"}, "segments": ["VIP"]}
    app.registry.save_export(
        export, Export.model_validate({**settings, "created_at": now, "updated_at": now, "updated_by": "me"})
    )
