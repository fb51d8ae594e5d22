"""What the app remembers is saved and restored whole: after a loss the next run knows what was delivered."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from azure.core.exceptions import ResourceNotFoundError

from local import backup
from local.backup import CONTAINERS, TABLES, Account, Unfit
from local.world import SIMPLE, World, people
from shared.azure.storage import Container
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
