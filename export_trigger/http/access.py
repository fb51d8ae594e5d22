"""Who calls, and what they may do: administrators control where data can go, contributors what goes and how often."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal


class Role(IntEnum):
    """What a caller may do, each role including the ones below."""

    VIEWER = 1
    CONTRIBUTOR = 2
    ADMIN = 3

    @property
    def word(self) -> RoleName:
        """What the API calls it."""
        return _WORDS[self]


RoleName = Literal["viewer", "contributor", "admin"]

_WORDS: Final[Mapping[Role, RoleName]] = {
    Role.VIEWER: "viewer",
    Role.CONTRIBUTOR: "contributor",
    Role.ADMIN: "admin",
}

ROLES: Final = {
    "Exports.Viewer": Role.VIEWER,
    "Exports.Contributor": Role.CONTRIBUTOR,
    "Exports.Admin": Role.ADMIN,
}
"""The app roles of Entra."""

PRINCIPAL: Final = "x-ms-client-principal"
"""Header that App Service authentication sets; it takes away one that a caller sends."""


MEANT: Final = "x-segment-export"
"""Header by which the console says that a call comes from it."""


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller: an id for the audit trail (no address), and the highest role."""

    id: str
    role: Role


class NotAllowed(Exception):
    """The caller is not known, or may not do this."""

    def __init__(self, code: str, detail: str, *, known: bool) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.known = known


def caller_of(headers: Mapping[str, str], mode: Literal["keys", "entra"]) -> Caller:
    """Return who calls; raise NotAllowed.

    With `keys` the platform has checked a function key before we are asked, and every caller is an administrator. With
    `entra` App Service authentication vouches for the principal header, which holds base64 of JSON with claims.
    """
    principal = headers.get(PRINCIPAL)
    from pydantic_core import from_json

    if mode == "keys":
        if principal is not None:
            raise NotAllowed(
                "principal_not_expected", f"Leave out the header {PRINCIPAL}: this app takes function keys.", known=True
            )
        return Caller("function-key", Role.ADMIN)
    if not principal:
        raise NotAllowed("sign_in", "Sign in: this app takes tokens of its Entra application.", known=False)
    try:
        claims = from_json(base64.b64decode(principal, validate=True))["claims"]
        pairs = [(str(claim["typ"]), str(claim["val"])) for claim in claims]
    except (ValueError, KeyError, TypeError):
        raise NotAllowed("principal_malformed", "The client principal cannot be read.", known=False) from None
    roles = [ROLES[value] for kind, value in pairs if kind in {"roles", "role", _ROLE_CLAIM} and value in ROLES]
    if not roles:
        raise NotAllowed("no_role", "Ask an administrator for one of the roles " + ", ".join(ROLES) + ".", known=True)
    object_id = next((value for kind, value in pairs if kind in {"oid", _OBJECT_CLAIM}), "unknown")
    return Caller(object_id, max(roles))


def check_site(method: str, headers: Mapping[str, str]) -> None:
    """Raise NotAllowed for a call that changes something and may have been sent by another site's page.

    A browser adds its session with the platform to whatever any page sends. No other site's page can add a token or a
    header of ours (it would have to ask us first, by CORS, which we answer to nobody), and a browser says which site's
    page it was.
    """
    if method == "GET" or PRINCIPAL not in headers:
        return
    is_ours = headers.get("sec-fetch-site", "same-origin") == "same-origin"
    is_meant = headers.get("authorization", "").lower().startswith("bearer ") or headers.get(MEANT) == "1"
    if not (is_ours and is_meant):
        raise NotAllowed(
            "other_site", f"Send a bearer token, or, from this app's own page, the header {MEANT}: 1.", known=True
        )


_ROLE_CLAIM: Final = "http://schemas.microsoft.com/ws/2008/06/identity/claims/role"
_OBJECT_CLAIM: Final = "http://schemas.microsoft.com/identity/claims/objectidentifier"
