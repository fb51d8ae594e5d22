"""How contacts get on Autopilot's lists: three ways, of which an account honours the last one for certain."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shared.delivery.capabilities import Capabilities, ListMethod

BULK_SIZE: Final = 100
"""Contacts in a bulk call; more is answered 400 (vendor, 2015-06-30)."""

PAGE_SIZE: Final = 100
"""Contacts on a full page of them (vendor, 2015-06-23)."""

BULK: Final = ListMethod("bulk", contacts=BULK_SIZE, lists=1)
"""100 contacts in one call, each with one list."""

CONTACT: Final = ListMethod("contact", contacts=1, lists=1)
"""One contact with one list: sent and put on it by the same call."""

MEMBERSHIP: Final = ListMethod("membership", contacts=0, lists=0)
"""A call of its own for each membership, once the contact is there."""

STRATEGIES: Final[Mapping[str, ListMethod | None]] = {"auto": None, "bulk": BULK, "single": MEMBERSHIP}
"""What a connection's `list_strategy` names."""

CAPABILITIES: Final = Capabilities(contacts=BULK_SIZE, moves=1, move_lists=1, looks=1, page=PAGE_SIZE)
"""An answer to an accepted call maps addresses to ids; a refusal names nobody."""
