"""Whether the app's own storage did not answer, so that whatever was being done is not at fault."""

from __future__ import annotations

from typing import Final

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)

StorageError = AzureError
"""What the SDK raises of a call to storage."""

_PASSING: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses by which a service says that it cannot answer now, as the SDK sees them: it repeats calls for them."""


def is_away(error: StorageError) -> bool:
    """Return whether a call had no answer, even after the SDK repeated it: it may have one later."""
    if isinstance(error, HttpResponseError) and not isinstance(error, IncompleteReadError):
        return error.status_code in _PASSING
    return isinstance(error, ServiceRequestError | ServiceResponseError | IncompleteReadError)
