"""A long history, written as the app itself would have written it: many exports, each of which ran many nights."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from local.world import SIMPLE, World
from shared.azure.clients import blob_client, queue_client, table_client
from shared.azure.settings import StorageAccount
from shared.azure.storage import Storage
from shared.azure.tables import Table
from shared.exports.registry import Registry
from shared.runs.head import Head
from shared.runs.ledger import Ledger
from shared.runs.run_id import new_run_id
from tests.runs.bulk import write_past


def fill_history(world: World, exports: int, runs: int) -> None:
    """Save so many exports, each with so many runs, one an hour; they are like one that really ran."""
    account = StorageAccount(connection_string=world.stack.storage)
    with table_client(account, {}) as tables, blob_client(account) as blobs, queue_client(account) as queues:
        table, registry = Table(tables, "ledger"), Registry(Storage(blobs, queues))
        world.save("model", segments=[{"segment": "LoyaltyGold", "list": "Model"}], mapping=SIMPLE)
        run = Ledger(table).run("model", world.run("model")["id"])
        found = registry.export("model")
        assert found
        now = datetime.now(UTC)
        for number in range(exports):
            name = f"history-{number:03d}"
            registry.save_export(name, found[0].model_copy(update={"display_name": f"Lists of team {number}"}))
            ended = []
            for turn in range(runs):
                began = now - timedelta(hours=turn, minutes=number % 50 + 1)
                moments = {"queued_at": began, "started_at": began, "planned_at": began}
                moments["ended_at"] = began + timedelta(seconds=40)
                ended.append(run.model_copy(update={"export": name, "id": new_run_id(began), **moments}))
            write_past(table, name, ended, Head().ended(ended[0]))
