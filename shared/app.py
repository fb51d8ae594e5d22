"""The app: its adapters, made once an instance from the settings, and handed to every step."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Final

import requests

from shared.accounts import Accounts, AccountSlots
from shared.adapters.autopilot import Autopilot, Key
from shared.adapters.clock import StorageClock
from shared.adapters.storage import Storage
from shared.adapters.tables import Table
from shared.adapters.transport import CONNECTIONS, session
from shared.adapters.vault import GivenKey, Vault, VaultKey
from shared.audit import Audit
from shared.configuration import Connection
from shared.domain.account import Filling
from shared.domain.digests import DigestKey
from shared.domain.sending import Clock, Sender, Slots
from shared.ledger import Ledger
from shared.reasons import Reason, RunEnded
from shared.registry import Registry
from shared.settings import Settings, read_settings
from shared.tombstones import Tombstones

if TYPE_CHECKING:
    from shared.source.customer_insights import CustomerInsights

DIGEST_SECRET: Final = "segment-export-digest-key"  # noqa: S105 - its name, not the key
"""Name of the secret that holds the key of our digests."""


@dataclass(frozen=True, slots=True)
class Account:
    """One Autopilot account as a connection opens it."""

    name: str
    connection: Connection
    key: Key
    api: Autopilot
    slots: AccountSlots


@dataclass(frozen=True, slots=True)
class App:
    """Everything a step needs. One per process; safe for threads."""

    settings: Settings
    storage: Storage
    ledger: Ledger
    registry: Registry
    accounts: Accounts
    tombstones: Tombstones
    audit: Audit
    vault: Vault
    source: CustomerInsights
    clock: Clock
    pool: ThreadPoolExecutor
    http: requests.Session
    _keys: dict[str, VaultKey] = field(default_factory=dict)
    _slots: dict[tuple[str, float], AccountSlots] = field(default_factory=dict)

    def now(self) -> datetime:
        """Give the time, in UTC."""
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def account(self, name: str | None) -> Account:
        """Open a connection's account; raises RunEnded CONNECTION_DETACHED if there is no such connection."""
        found = self.registry.connection(name) if name else None
        if name is None or found is None:
            raise RunEnded(Reason.CONNECTION_DETACHED)
        return self.open(name, found[0])

    def open(self, name: str, connection: Connection) -> Account:
        """Open an account as `connection` describes it."""
        key = self._keys.setdefault(connection.secret_name, VaultKey(self.vault, connection.secret_name))
        return self._open(name, connection, key)

    def open_with(self, name: str, connection: Connection, key: str) -> Account:
        """Open an account with a key that is not in the vault yet."""
        return self._open(name, connection, GivenKey(key))

    def forget_key(self, secret_name: str) -> None:
        """Read a key anew before it is used again."""
        self._keys.pop(secret_name, None)

    def _open(self, name: str, connection: Connection, key: Key) -> Account:
        api = Autopilot(self.settings.autopilot_url, key, self.http)
        rate = connection.rate_limit
        slots = self._slots.setdefault((name, rate), AccountSlots(self.accounts, name, rate, self.clock))
        return Account(name, connection, key, api, slots)

    def filling(self, account: Account) -> Filling | None:
        """Say which call fills the account's lists: what the connection says, or what was proved; None if nothing was yet."""
        match account.connection.list_strategy:
            case "bulk":
                return Filling.BULK
            case "single":
                return Filling.MEMBERSHIP
            case "auto":
                return self.accounts.filling(account.name)

    def sender(self, account: Account, *, seconds: float, slots: Slots | None = None) -> Sender:
        """Make a sender that keeps the account's pace and stops after `seconds`."""
        return Sender(slots or account.slots, self.clock, self.pool, self.clock.now() + seconds)

    def digest_key(self) -> DigestKey:
        """Give the key of our digests, made once for the installation; raises RunEnded KEY_MISSING, TryLater."""
        text = self.vault.read(DIGEST_SECRET)
        if text is None:
            with self.accounts.exclusive("installation", "make the digest key", 60):
                text = self.vault.read(DIGEST_SECRET)
                if text is None:
                    text = DigestKey.new().to_text()
                    self.vault.write(DIGEST_SECRET, text)
        return DigestKey.from_text(text)


@cache
def app() -> App:
    """Make the app from the environment, once a process. Heavy imports load here, not when the functions are indexed."""
    from azure.data.tables import TableServiceClient
    from azure.keyvault.secrets import SecretClient
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueServiceClient

    from shared.adapters.identity import credential
    from shared.settings import is_loopback
    from shared.source.reach import connect

    settings = read_settings(os.environ)
    clock = StorageClock()
    account = settings.storage
    if account.connection_string:
        blobs = BlobServiceClient.from_connection_string(account.connection_string)
        queues = QueueServiceClient.from_connection_string(account.connection_string)
        tables = TableServiceClient.from_connection_string(account.connection_string, **clock.hooks)
    else:
        identity = credential(account.client_id)
        blobs = BlobServiceClient(str(account.blob_uri), credential=identity)
        queues = QueueServiceClient(str(account.queue_uri), credential=identity)
        tables = TableServiceClient(str(account.table_uri), credential=identity, **clock.hooks)
    storage = Storage(blobs, queues)
    # A vault on this machine is the local stack's; its host name is not part of any vault domain.
    secrets = SecretClient(
        settings.key_vault_url,
        credential(account.client_id),
        verify_challenge_resource=not is_loopback(settings.key_vault_url),
    )
    return App(
        settings=settings,
        storage=storage,
        ledger=Ledger(Table(tables, "ledger")),
        registry=Registry(storage),
        accounts=Accounts(Table(tables, "accounts"), clock),
        tombstones=Tombstones(Table(tables, "erased")),
        audit=Audit(Table(tables, "audit")),
        vault=Vault(secrets),
        source=connect(settings.source, settings.customer_insights_path),
        clock=clock,
        pool=ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="autopilot"),
        http=session(),
    )
