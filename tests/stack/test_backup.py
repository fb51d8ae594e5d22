"""What the app remembers is saved and restored whole: after a loss the next run knows what was delivered."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from azure.core.exceptions import ResourceNotFoundError

from local import backup
from local.backup import CONTAINERS, TABLES, Account, Unfit
from local.world import SIMPLE, World, people
from shared.azure.storage import Container
from shared.azure.tables import Table
from shared.runs.files import state_path
from shared.runs.ledger import Ledger
from shared.runs.run import Run
from tests.simulation.azure import Cloud
from tests.simulation.tables import Tables
from tests.stack.conftest import MakeWorld


def test_after_a_loss_everything_is_known_again(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AzureWebJobsStorage", world.stack.storage)
    world.publish({"Team": people("a@example.com", "b@example.com")})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE)
    first = world.run("team")
    assert first["status"] == "Successful"
    with backup.opened() as account:
        saved = backup.save(account, tmp_path / "backup")
        lose_everything(account)
        assert world.refused("GET", "exports/team").status == 404
        assert backup.restore(account, tmp_path / "backup") == saved
    assert world.api.get(f"exports/team/runs/{first['id']}") == first
    assert world.run("team")["reason"] == "nothing_to_do"
    world.publish({"Team": people("b@example.com")})
    assert world.run("team")["counts"]["leavers"] == 1
    assert world.members("Team") == {"b@example.com"}


def lose_everything(account: Account) -> None:
    for name in CONTAINERS:
        for blob in list(account.container(name).list_blob_names()):
            with suppress(ResourceNotFoundError):  # the app sweeps as well
                account.container(name).delete_blob(blob)
    for table_name in TABLES:
        table = account.tables.get_table_client(table_name)
        for entity in list(table.list_entities()):
            table.delete_entity(entity)  # which is no error where it is gone


def test_nothing_is_saved_or_restored_while_a_run_is_going(
    make_world: MakeWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(knobs={"latency_ms": 2000})
    monkeypatch.setenv("AzureWebJobsStorage", world.stack.storage)
    world.publish({"Team": people("a@example.com")})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE)
    run = world.start("team")
    with backup.opened() as account:
        for act in (backup.save, backup.restore):
            with pytest.raises(Unfit, match="A run is going: team"):
                act(account, tmp_path)
    world.wait("team", run)


def test_a_folder_that_is_no_backup_is_refused(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AzureWebJobsStorage", world.stack.storage)
    (tmp_path / "ledger.jsonl").touch()
    with backup.opened() as account:
        with pytest.raises(Unfit, match="it lacks accounts, erased, audit"):
            backup.restore(account, tmp_path)
        with pytest.raises(Unfit, match="not empty"):
            backup.save(account, tmp_path)


def test_all_that_lasts_is_in_it() -> None:
    left_out = {
        Container.CHUNKS,
        Container.OUTCOMES,
        Container.REJECTED,
        Container.ERASURES,
        Container.COUNTS,
        Container.PREVIEWS,
    }
    assert set(Container) - set(CONTAINERS) == left_out


def test_states_are_told_apart_by_their_accounts_so_that_none_is_restored_over_that_of_another() -> None:
    tables = cast("Any", Tables(Cloud(cast("Any", SimpleNamespace(turn=lambda _: None, now=0, token=lambda: 1)))))
    here, there = (
        Run(export="e", id=run_id, trigger="cron", requested_by="me", queued_at=datetime.now(UTC), account=account)
        for run_id, account in (("r1", "one"), ("r2", "two"))
    )
    Ledger(Table(tables, "ledger")).change_head(
        "e", lambda head: head.with_state("main", here).with_state("main", there)
    )
    assert [(left.place, left.path) for left in Account(cast("Any", None), tables).states()] == [
        (("e", "one"), state_path("e", "main", "r1")),
        (("e", "two"), state_path("e", "main", "r2")),
    ]


def test_what_an_export_delivered_first_after_the_backup_is_not_forgotten(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AzureWebJobsStorage", world.stack.storage)
    world.publish({"Fresh": people("stays@example.com", "goes@example.com")})
    world.connect()
    world.save("fresh", segments=["Fresh"], mapping=SIMPLE)
    with backup.opened() as account:
        backup.save(account, tmp_path / "backup")
        world.run("fresh")
        backup.restore(account, tmp_path / "backup")
    world.publish({"Fresh": people("stays@example.com")})
    world.run("fresh")
    assert world.members("Fresh") == {"stays@example.com"}


def test_a_backup_of_before_accounts_were_told_apart_is_restored_in_doubt_too(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who joined after it and has left by now is known from the state of before the restore, which names its account."""
    monkeypatch.setenv("AzureWebJobsStorage", world.stack.storage)
    world.publish({"Old": people("stays@example.com")})
    world.connect()
    world.save("old", segments=["Old"], mapping=SIMPLE)
    world.run("old")
    with backup.opened() as account:
        account.ledger.change_head("old", lambda head: head.model_copy(update={"accounts": {}}))
        backup.save(account, tmp_path / "backup")
        world.publish({"Old": people("stays@example.com", "goes@example.com")})
        world.run("old")
        backup.restore(account, tmp_path / "backup")
    world.publish({"Old": people("stays@example.com")})
    world.run("old")
    assert world.members("Old") == {"stays@example.com"}
