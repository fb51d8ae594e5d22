"""The app: its adapters, made once an instance from the settings, and handed to every step."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

import requests

from shared.accounts.accounts import AccountNotes, Accounts, AccountSlots
from shared.azure.clock import StorageClock
from shared.azure.locks import Locks
from shared.azure.settings import Settings, read_settings
from shared.azure.storage import Storage, StorageFault
from shared.azure.tables import Table
from shared.azure.vault import GivenKey, Vault, VaultKey
from shared.cleaning.fields import Fields
from shared.composition.account_key import AccountKey
from shared.composition.rates import Rates
from shared.delivery.account import Account as DestinationAccount
from shared.delivery.account import Identity
from shared.delivery.capabilities import ListMethod
from shared.delivery.destination import Destination, Key, Place, method_named
from shared.delivery.sending import Clock, Sender, Slots
from shared.destinations.registry import DEFAULT, DESTINATIONS, destination_of
from shared.erasure.requests import Erasures
from shared.erasure.tombstones import Tombstones
from shared.exports.audit import Audit
from shared.exports.configuration import Connection
from shared.exports.registry import Registry
from shared.http.transport import CONNECTIONS, session
from shared.process.once import Once
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.runs.ledger import Ledger
from shared.sources.counts import Counts
from shared.sources.kept_counts import KeptCounts
from shared.sources.source import Source
from shared.state.digest_key import DIGEST_SECRET, InstallationKey
from shared.state.digests import DigestKey


@dataclass(frozen=True, slots=True)
class Account:
    """One account of a destination as a connection opens it.

    `name` is the connection's, `id` the account's own, under which everything is kept that its connections share;
    `is_known` says whether it was asked whose it is. `rate` is the lowest of its connections' rate limits.
    """

    name: str
    connection: Connection
    key: Key
    destination: Destination
    api: DestinationAccount
    slots: AccountSlots
    id: str
    rate: float
    is_known: bool


@dataclass(frozen=True, slots=True)
class ListsAsked:
    """An account's lists by title, None if it gave no answer, and when it was asked; `missing` are lists of ours that are gone."""

    at: float
    lists: Mapping[str, Sequence[str]] | None
    missing: frozenset[str]


@dataclass(frozen=True, slots=True)
class App:
    """Everything a step needs. One per process; safe for threads."""

    settings: Settings
    storage: Storage
    ledger: Ledger
    registry: Registry
    accounts: Accounts
    tombstones: Tombstones
    erasures: Erasures
    audit: Audit
    vault: Vault
    source: Source
    clock: Clock
    pool: ThreadPoolExecutor
    http: requests.Session
    _keys: dict[tuple[str, str], VaultKey] = field(default_factory=dict)
    _slots: dict[tuple[str, float], AccountSlots] = field(default_factory=dict)
    _in_flight: dict[tuple[str, int], threading.BoundedSemaphore] = field(default_factory=dict)
    _digest_key: InstallationKey = field(init=False)
    counts: Counts = field(init=False)
    rates: Rates = field(init=False)
    lists_asked: dict[str, ListsAsked] = field(default_factory=dict)
    """An account's lists as a preview last asked for them."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", Counts(self.source, KeptCounts(self.storage, self.now)))
        object.__setattr__(self, "rates", Rates(self.registry, self.accounts.identities))
        installation_key = InstallationKey(self.vault, self.storage, self.tombstones, self.locks, self.now)
        object.__setattr__(self, "_digest_key", installation_key)

    @property
    def locks(self) -> Locks:
        """What keeps two instances from doing what must be done once."""
        return self.accounts.locks

    def now(self) -> datetime:
        """Return the time, in UTC."""
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def account(self, name: str | None) -> Account:
        """Open a connection's account; raise ExportError CONNECTION_DETACHED if there is no such connection."""
        found = self.registry.connection(name) if name else None
        if name is None or found is None:
            raise ExportError(Reason.CONNECTION_DETACHED)
        account = self.open(name, found[0])
        if account.is_known:
            self.accounts.identities.settle(name, account.id)
        return account

    def destination(self, name: str | None) -> Destination:
        """Return the kind of destination that a connection leads to; where there is no connection, the default one."""
        found = self.registry.connection(name) if name else None
        return destination_of(found[0].kind) if found else DEFAULT

    def fields(self, name: str | None, destination: Destination) -> Fields:
        """Return the contact fields of the account that a connection leads to, of this kind, as far as they are known without asking it."""
        account = (self.accounts.identities.home(name) if name else None) or name or ""
        return destination.fields_of(AccountNotes(self.accounts, account))

    def open(self, name: str, connection: Connection) -> Account:
        """Open an account as `connection` describes it; raise ExportError and VaultUnavailable if its key cannot be read."""
        secret = connection.secret_name
        if secret.lower() == DIGEST_SECRET:
            raise ExportError(Reason.KEY_MISSING, f"The secret {secret!r} is no account's key. Store the key again.")
        made = VaultKey(self.vault, secret, partial(self._successor, name, secret))
        return self._open(name, connection, self._keys.setdefault((name, secret), made))

    def open_with(self, name: str, connection: Connection, key: str) -> Account:
        """Open an account with a key that is not in the vault yet."""
        return self._open(name, connection, GivenKey(key))

    def forget_key(self, secret_name: str) -> None:
        """Read a key again before it is used."""
        for known in [known for known in self._keys if known[1] == secret_name]:
            self._keys.pop(known, None)

    def identify(self, account: Account, sender: Sender) -> Account:
        """Ask whose account a key opens, unless that is known; raise the DestinationError of the call."""
        return account if account.is_known else self.recognise(account, sender)[0]

    def recognise(self, account: Account, sender: Sender) -> tuple[Account, Identity]:
        """Ask whose account a key opens, and remember it; return the account as it is known now, and what it told.

        Raise the DestinationError of the call, NoAnswer if it contradicts what is known.
        """
        while True:
            key = account.key.current()
            told = sender.one(account.api.identity)
            if account.key.current() == key:  # else nobody knows which of two keys it was
                break
        before = account.id if account.is_known else self.accounts.identities.home(account.name)
        self._remember(account.destination, key, told, before)
        return self._open(account.name, account.connection, account.key), told

    def _successor(self, name: str, secret: str, held: str | None) -> str | None:
        """Name the secret that holds a connection's key by now, if it is another than `secret` and opens the same account.

        `held` is the key at hand; without one the account is where the connection was last seen to lead.
        """
        try:
            found = self.registry.connection(name)
        except StorageFault:
            return None
        if found is None or found[0].secret_name == secret:
            return None
        opened = self._account_of(self.vault.read(found[0].secret_name))
        before = self._account_of(held) if held else self.accounts.identities.home(name)
        return found[0].secret_name if opened and opened == before else None

    def _account_of(self, key: str | None) -> str | None:
        """Return the account that a key is known to open."""
        return self.accounts.identities.account_of_key(self._digest_key.current().of_api_key(key)) if key else None

    def _account_told(self, destination: Destination, place: Place, before: str, key: str) -> str:
        """Return the account that a key opens, in the place of one that opened `before`; one that was never seen is asked about.

        That call has no slot of the account's pace: it is made once for a key, in the middle of another call.
        """
        if known := self._account_of(key):
            return known
        asked = destination.open(place, GivenKey(key), self.http, AccountNotes(self.accounts, before))
        return self._remember(destination, key, asked.identity(), before)

    def _remember(self, destination: Destination, key: str, told: Identity, before: str | None) -> str:
        digest = self._digest_key.current().of_api_key(key)
        return self.accounts.identities.recognise(digest, _of_kind(destination, told.id), before)

    def _open(self, name: str, connection: Connection, key: Key) -> Account:
        destination = destination_of(connection.kind)
        place = Place(connection.region, self.settings.urls.get(connection.kind))
        known = self._account_of(key.current())
        account = known or name
        if known:
            key = AccountKey(key, known, partial(self._account_told, destination, place, known))
        api = destination.open(place, key, self.http, AccountNotes(self.accounts, account))
        rate = min([connection.rate_limit, *(rate for other, rate in self.rates.of(account).items() if other != name)])
        slots = self._slots.setdefault((account, rate), AccountSlots(self.accounts, account, rate, self.clock))
        return Account(name, connection, key, destination, api, slots, account, rate, known is not None)

    def list_method(self, account: Account) -> ListMethod | None:
        """Return how the account's lists are filled: what the connection says, or what was proved; None if nothing was yet."""
        destination = account.destination
        if len(destination.methods) == 1:
            return destination.methods[0]
        said = destination.method_of(account.connection.list_strategy)
        return said or method_named(destination, self.accounts.list_method(account.id))

    def sender(self, account: Account, *, seconds: float, slots: Slots | None = None) -> Sender:
        """Make a sender that keeps the account's pace and stops after `seconds`."""
        most = account.connection.calls_in_flight or account.destination.calls_in_flight
        shared = self._in_flight.setdefault((account.id, most), threading.BoundedSemaphore(most)) if most else None
        return Sender(slots or account.slots, self.clock, self.pool, self.clock.now() + seconds, shared)

    def digest_key(self) -> DigestKey:
        """Return the key of our digests; raise ExportError DIGEST_KEY_MISSING or DIGEST_KEY_WRONG, VaultUnavailable, TryLater."""
        return self._digest_key.read()

    def stored_digest_key(self) -> DigestKey | None:
        """Return the key of our digests, None if there is none and none is needed yet; change nothing, raise as `digest_key`."""
        return self._digest_key.stored()


def _of_kind(destination: Destination, told: str | None) -> str | None:
    """Return an account's id told apart from the ids of other kinds; one of the kind that was the only one is as it was."""
    return told if told is None or destination.kind == DEFAULT.kind else f"{destination.kind} {told}"


@Once
def app() -> App:
    """Make the app from the environment, once a process. Heavy imports load here, not when the functions are indexed."""
    from shared.azure.clients import blob_client, queue_client, table_client, vault_client
    from shared.composition.sources import open_source

    settings = read_settings(os.environ, DESTINATIONS)
    clock = StorageClock()
    account = settings.storage
    storage = Storage(blob_client(account), queue_client(account))
    tables = table_client(account, clock.hooks)
    return App(
        settings=settings,
        storage=storage,
        ledger=Ledger(Table(tables, "ledger")),
        registry=Registry(storage),
        accounts=Accounts(Table(tables, "accounts"), clock),
        tombstones=Tombstones(Table(tables, "erased")),
        erasures=Erasures(Table(tables, "erased"), storage),
        audit=Audit(Table(tables, "audit")),
        vault=Vault(vault_client(settings)),
        source=open_source(os.environ),
        clock=clock,
        pool=ThreadPoolExecutor(CONNECTIONS, thread_name_prefix="destination"),
        http=session(),
    )
