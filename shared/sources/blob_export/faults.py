"""What storage says no to, as reasons that name the blob and what to check."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    IncompleteReadError,
    ResourceNotFoundError,
    ServiceResponseError,
)

from shared.azure.identity import NoToken
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError, Transient
from shared.sources.blob_export.dialect import Unreadable

_PASSING: Final = {408, 429, 500, 502, 503, 504}
"""What storage answers when it may answer better later."""

_REPLACED: Final = {412, 416}
"""What storage answers for a blob that is another by now, or a shorter one."""

_BROKEN: Final = (IncompleteReadError, ServiceResponseError)
"""What the SDK wraps when a connection breaks in the middle of an answer; which one depends on how the answer is read."""


@contextmanager
def named(container: str, path: str) -> Iterator[None]:
    """Turn what storage says no to into a reason that names the blob and what to check."""
    where = f"{container}/{path}"
    try:
        yield
    except NoToken as error:
        raise Transient(Reason.SOURCE_UNREACHABLE, f"{where} could not be read. {error.message}.") from None
    except Unreadable as what:
        raise ExportError(Reason.SOURCE_MALFORMED, f"{path} {what}.") from None
    except ResourceNotFoundError:
        raise ExportError(
            Reason.SOURCE_UNREACHABLE, f"{where} does not exist. Check CUSTOMER_INSIGHTS_PATH and the Blob export."
        ) from None
    except HttpResponseError as error:
        if error.status_code in _REPLACED:
            raise ExportError(Reason.SOURCE_NOT_SETTLED, f"{where} was replaced while it was read.") from None
        broke = isinstance(error.__context__, _BROKEN)
        said = error.status_code or ("only a part" if broke else type(error).__name__)
        raise (Transient if broke or error.status_code in _PASSING else ExportError)(
            Reason.SOURCE_UNREACHABLE, f"Storage answered {said} for {where}.{_what_to_do(error)}"
        ) from None
    except AzureError as error:
        raise Transient(
            Reason.SOURCE_UNREACHABLE,
            f"Customer Insights' storage cannot be reached ({type(error).__name__}). Check CustomerInsightsStorage "
            "and the account's firewall.",
        ) from None


def _what_to_do(error: HttpResponseError) -> str:
    """Return whether a role or the firewall is in the way, as far as storage says which."""
    role = " Give the app's identity the role Storage Blob Data Reader on that container."
    firewall = " Have the account's firewall let the app in (docs/deploy.md)."
    if error.status_code not in {401, 403}:
        return ""
    code = getattr(error, "error_code", None)
    if code == "AuthorizationPermissionMismatch":
        return role
    return firewall if code == "AuthorizationFailure" else role + firewall
