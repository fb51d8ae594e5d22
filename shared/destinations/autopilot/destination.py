"""Autopilot, as the product knows it: what it can do, its fields, and how its accounts are opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.cleaning.fields import Fields
from shared.delivery.account import Account
from shared.delivery.capabilities import Capabilities, ListMethod
from shared.delivery.destination import Key, Notes, Place
from shared.destinations.autopilot.account import AutopilotAccount
from shared.destinations.autopilot.client import Autopilot
from shared.destinations.autopilot.fields import FIELDS
from shared.destinations.autopilot.list_methods import BULK, CAPABILITIES, CONTACT, MEMBERSHIP, STRATEGIES
from shared.http.transport import Session

URL: Final = "https://api2.autopilothq.com/v1"


class AutopilotDestination:
    """Autopilot's accounts."""

    kind = "autopilot"
    title = "Autopilot"
    fields: Fields = FIELDS
    rate = 20.0
    calls_in_flight: int | None = None
    list_word = "list"
    asks_new_people = False
    regions: Sequence[str] = ()
    capabilities: Capabilities = CAPABILITIES
    methods: Sequence[ListMethod] = (BULK, CONTACT, MEMBERSHIP)

    def method_of(self, strategy: str) -> ListMethod | None:
        """Return the method that a connection's `list_strategy` names; None if a proof shall tell."""
        return STRATEGIES.get(strategy)

    def fields_of(self, notes: Notes) -> Fields:  # noqa: ARG002 - a custom field's name tells its type
        """Return the fields of any account."""
        return FIELDS

    def open(self, place: Place, key: Key, http: Session, notes: Notes) -> Account:  # noqa: ARG002 - the port's
        """Open an account, of which there is nothing to note."""
        return AutopilotAccount(Autopilot(place.url or URL, key, http))


AUTOPILOT: Final = AutopilotDestination()
