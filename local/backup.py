"""`python -m local.backup save FOLDER` and `… restore FOLDER`: what the app remembers, as files, and back again.

The account is named as the app names it: AzureWebJobsStorage, or AzureWebJobsStorage__accountName and who you are signed
in as. Not in it: what a run that is going works with, counts that are found out again, rejected rows (they name customers and expire), the addresses of erasures
that are not done yet, and the vault's keys, without which nobody can make sense of a state.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables import TableServiceClient, UpdateMode
from azure.storage.blob import BlobServiceClient, ContainerClient
from rich.console import Console

from shared.azure.clients import blob_client, table_client
from shared.azure.records import NewerVersion, Unreadable
from shared.azure.settings import SettingsWrong, read_account
from shared.azure.storage import Container
from shared.azure.tables import Table
from shared.runs.files import Damaged, parse_state, state_path, write_state
from shared.runs.head import Head
from shared.runs.ledger import Ledger
from shared.state.restored import doubting

CONTAINERS: Final = (Container.CONFIGURATION, Container.STATE, Container.REPORTS)
TABLES: Final = ("ledger", "accounts", "erased", "audit")
HEAD: Final = "head"

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Save and restore what the app remembers.")
console = Console(highlight=False)

Folder = Annotated[Path, typer.Argument(help="Where the files are.")]


class Unfit(Exception):
    """It cannot be done now; the text says why."""


@dataclass(frozen=True, slots=True)
class Left:
    """A state that holds: the run that left it, under which connection, and at which account if that is known."""

    export: str
    connection: str
    run_id: str
    account: str | None

    @property
    def path(self) -> str:
        """Where it lies."""
        return state_path(self.export, self.connection, self.run_id)

    @property
    def place(self) -> tuple[str, str]:
        """What there is one state of: an export at an account."""
        return self.export, self.account or self.connection


@dataclass(frozen=True, slots=True)
class Account:
    """The app's storage account."""

    blobs: BlobServiceClient
    tables: TableServiceClient

    def container(self, name: str) -> ContainerClient:
        """Return a container."""
        return self.blobs.get_container_client(name)

    def going(self) -> list[str]:
        """Return the exports that have a run going: their ledger and their chunks belong together."""
        ledger = self.tables.create_table_if_not_exists("ledger")
        heads = ledger.query_entities("RowKey eq @key", parameters={"key": HEAD})
        return sorted(head["PartitionKey"] for head in heads if head.get("active"))

    @property
    def ledger(self) -> Ledger:
        """The ledger, as the app reads it."""
        return Ledger(Table(self.tables, "ledger"))

    def states(self) -> list[Left]:
        """Return the states that hold, of exports whose head can be read; last those where its connections lead now."""
        return [
            Left(export, connection, run_id, account)
            for export, head in self.ledger.heads().items()
            if isinstance(head, Head)
            for (connection, run_id), account in head.left.items()
        ]

    def path_at(self, left: Left) -> str:
        """Return where the state lies by now that holds at the account of `left`; where that lay, if no head tells another."""
        with suppress(Unreadable):
            connection, run_id = self.ledger.head(left.export).state_before(left.connection, left.account)
            return state_path(left.export, connection, run_id) if run_id else left.path
        return left.path

    def content(self, state: str) -> bytes | None:
        """Return a state as it is stored, or None."""
        try:
            return self.container(Container.STATE).download_blob(state).readall()
        except ResourceNotFoundError:
            return None


@contextmanager
def opened() -> Iterator[Account]:
    """Open the account that the environment names."""
    account = read_account(os.environ, "AzureWebJobsStorage")
    with ExitStack() as stack:
        yield Account(stack.enter_context(blob_client(account)), stack.enter_context(table_client(account, {})))


def save(account: Account, folder: Path) -> int:
    """Write every blob and every record into an empty folder; return how many. Raises Unfit while a run is going."""
    _check(account)
    if folder.exists() and any(folder.iterdir()):
        raise Unfit(f"{folder} is not empty.")
    written = 0
    for name in CONTAINERS:
        container = account.container(name)
        for blob in list(container.list_blob_names()) if container.exists() else []:
            path = folder / name / blob
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(container.download_blob(blob).readall())
            written += 1
    for table_name in TABLES:
        table = account.tables.create_table_if_not_exists(table_name)
        lines = [json.dumps(dict(entity)) for entity in table.list_entities()]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{table_name}.jsonl").write_text("".join(f"{line}\n" for line in lines))
        written += len(lines)
    _check(account)
    return written


def restore(account: Account, folder: Path) -> int:
    """Put back what `save` wrote, over what is there; return how many. What came later and is not in it stays.

    Whom only the state of before the restore knows to be on a list is put into the restored one, in doubt. A state at an
    account where nothing was saved of the export stays as it is.
    """
    _check(account)
    if missing := [name for name in TABLES if not (folder / f"{name}.jsonl").exists()]:
        raise Unfit(f"{folder} is no whole backup: it lacks {', '.join(missing)}.")
    before = {left.place: (left, data) for left in account.states() if (data := account.content(left.path)) is not None}
    written = _put_blobs(account, folder, Container.CONFIGURATION)
    for table_name in TABLES:
        table = account.tables.create_table_if_not_exists(table_name)
        for line in (folder / f"{table_name}.jsonl").read_text().splitlines():
            entity: dict[str, Any] = json.loads(line)
            table.upsert_entity(entity, UpdateMode.REPLACE)
            written += 1
    for left, data in before.values():
        _keep(account, left, data)
    # States come after the heads that name them: what no head names is swept by the app's next tick.
    written += sum(_put_blobs(account, folder, name) for name in CONTAINERS if name is not Container.CONFIGURATION)
    restored = {account.path_at(left): data for left, data in before.values()}
    for path, data in restored.items():
        _doubt(account, path, data)
    return written


def _put_blobs(account: Account, folder: Path, name: Container) -> int:
    container, root = account.container(name), folder / name
    if not container.exists():
        container.create_container()
    paths = sorted(path for path in root.rglob("*") if path.is_file())
    for path in paths:
        container.upload_blob(path.relative_to(root).as_posix(), path.read_bytes(), overwrite=True)
    return len(paths)


def _keep(account: Account, left: Left, data: bytes) -> None:
    """Keep a state at an account where the backup has none of the export: it may have been swept since its head was restored."""
    with suppress(Unreadable):
        account.ledger.change_head(left.export, lambda head: head.keeping(left.connection, left.run_id, left.account))
        if left in account.states():
            account.container(Container.STATE).upload_blob(left.path, data, overwrite=True)


def _doubt(account: Account, path: str, before: bytes) -> None:
    """Put into a restored state what the one of before the restore knows beside it; one that cannot be read tells nothing."""
    restored = account.content(path)
    if restored is None or before == restored:
        return
    try:
        doubted = doubting(parse_state(path, restored), parse_state(path, before))
    except (Damaged, NewerVersion):
        return
    account.container(Container.STATE).upload_blob(path, write_state(doubted), overwrite=True)


def _check(account: Account) -> None:
    if going := account.going():
        raise Unfit(f"A run is going: {', '.join(going)}. Wait for its end, or cancel it, and try again.")


@app.command("save")
def save_command(folder: Folder) -> None:
    """Save what the app remembers into an empty folder."""
    with opened() as account:
        console.print(f"{save(account, folder)} blobs and records saved.")


@app.command("restore")
def restore_command(folder: Folder) -> None:
    """Restore what was saved, over what is there."""
    with opened() as account:
        console.print(f"{restore(account, folder)} blobs and records restored. Now verify every export with repair.")


if __name__ == "__main__":
    try:
        app()
    except (Unfit, SettingsWrong) as error:
        console.print(str(error), style="red", markup=False)
        sys.exit(1)
