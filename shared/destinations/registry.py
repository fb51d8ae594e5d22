"""Every kind of destination, registered by its kind: the one place that knows them all."""

from __future__ import annotations

from typing import Final

from shared.delivery.destination import Destination
from shared.destinations.autopilot.destination import AUTOPILOT
from shared.destinations.ortto.destination import ORTTO
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError

DESTINATIONS: Final[dict[str, Destination]] = {destination.kind: destination for destination in (AUTOPILOT, ORTTO)}

DEFAULT: Final = AUTOPILOT
"""The destination of a connection that names no kind, and of an export that has no connection yet."""


def destination_of(kind: str) -> Destination:
    """Return the destination of this kind; raise ExportError CONNECTION_DETACHED for one that this version does not have."""
    try:
        return DESTINATIONS[kind]
    except KeyError:
        raise ExportError(Reason.CONNECTION_DETACHED, f"This version of the app has no destination {kind!r}.") from None
