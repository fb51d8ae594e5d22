"""Ortto, as the product knows it: what it can do, its regions, and how its accounts are opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Final

from shared.cleaning.fields import Fields
from shared.delivery.account import Account
from shared.delivery.capabilities import Capabilities, ListMethod
from shared.delivery.destination import Key, Notes, Place
from shared.destinations.ortto.account import OrttoAccount
from shared.destinations.ortto.client import Ortto
from shared.destinations.ortto.fields import noted_kinds
from shared.destinations.ortto.limits import CAPABILITIES, TAGS, BadCalls
from shared.destinations.ortto.mapping import FIELDS, OrttoFields
from shared.http.transport import Session

URLS: Final[Mapping[str, str]] = {
    "us": "https://api.ap3api.com/v1",
    "au": "https://api.au.ap3api.com/v1",
    "eu": "https://api.eu.ap3api.com/v1",
}
"""Where the API is, by region (vendor); a key works in its own region only."""


class OrttoDestination:
    """Ortto's accounts. Its bad calls are counted for each API: the ban is by address, whatever the account."""

    kind = "ortto"
    title = "Ortto"
    fields: Fields = FIELDS
    rate = 5.0
    calls_in_flight: int | None = 2
    list_word = "tag"
    asks_new_people = True
    regions: Sequence[str] = tuple(URLS)
    capabilities: Capabilities = CAPABILITIES
    methods: Sequence[ListMethod] = (TAGS,)

    def __init__(self) -> None:
        self._bad_calls: dict[str, BadCalls] = {}
        self._learning: dict[str, Lock] = {}

    def method_of(self, strategy: str) -> ListMethod | None:  # noqa: ARG002 - the port's
        """Return the only method, whatever a connection names."""
        return TAGS

    def fields_of(self, notes: Notes) -> Fields:
        """Return the fields of an account, whose types are noted as mappings are held against them."""
        return OrttoFields(noted_kinds(notes))

    def open(self, place: Place, key: Key, http: Session, notes: Notes) -> Account:
        """Open an account."""
        url = place.url or URLS[place.region or "us"]
        bad_calls = self._bad_calls.setdefault(url, BadCalls())
        return OrttoAccount(Ortto(url, key, http, bad_calls), notes, self._learning.setdefault(url, Lock()))


ORTTO: Final = OrttoDestination()
