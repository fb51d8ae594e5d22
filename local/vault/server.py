"""The vault's two faces: Key Vault's REST API over TLS, and App Service's managed identity endpoint that gives tokens for it.

The challenge, the paths and the bodies are Key Vault's; so the unmodified SecretClient and ManagedIdentityCredential work.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any, Final
from urllib.parse import urlsplit

from local.vault.secrets import NameKept, Secrets, Version

TOKEN_SECONDS: Final = 3600

_SECRET: Final = re.compile(r"/secrets/([0-9a-zA-Z-]{1,127})(?:/([0-9a-zA-Z]*))?/?")


@dataclass(slots=True)
class VaultState:
    """What both faces share. `mode` is `up`, `forbidden` (a missing role), `down`, or `no token` (no identity answers)."""

    secrets: Secrets
    identity_header: str
    mode: str = "up"
    url: str = ""

    @property
    def token(self) -> str:
        """The token that the identity endpoint gives: the same after a restart."""
        return sha256(f"token of {self.identity_header}".encode()).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """What both servers' handlers have in common."""

    protocol_version = "HTTP/1.1"
    state: VaultState

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Log nothing: paths name secrets."""

    def answer(self, status: HTTPStatus, body: object, headers: Mapping[str, str] | None = None) -> None:
        """Send a JSON answer."""
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def content(self) -> Any:
        """Read the request's JSON body."""
        length = int(self.headers.get("Content-Length") or 0)
        return json.loads(self.rfile.read(length) or b"{}")


class IdentityHandler(Handler):
    """App Service's managed identity endpoint, and the switch that tests use."""

    def do_GET(self) -> None:
        """Answer with a token for whoever knows the identity header."""
        if self.headers.get("X-IDENTITY-HEADER") != self.state.identity_header:
            self.answer(HTTPStatus.UNAUTHORIZED, {"message": "wrong X-IDENTITY-HEADER"})
            return
        if self.state.mode == "no token":
            self.answer(HTTPStatus.BAD_REQUEST, {"statusCode": 400, "message": "switched: no token is given"})
            return
        expires = str(int(time.time()) + TOKEN_SECONDS)
        self.answer(
            HTTPStatus.OK,
            {
                "access_token": self.state.token,
                "expires_on": expires,
                "resource": "https://vault",
                "token_type": "Bearer",
            },
        )

    def do_PUT(self) -> None:
        """Switch the vault: {"mode": "up" | "forbidden" | "down" | "no token"}."""
        if self.headers.get("X-IDENTITY-HEADER") != self.state.identity_header:
            self.answer(HTTPStatus.UNAUTHORIZED, {})
            return
        self.state.mode = self.content()["mode"]
        self.answer(HTTPStatus.OK, {"mode": self.state.mode})


class VaultHandler(Handler):
    """Key Vault's secrets."""

    def do_GET(self) -> None:
        """Answer with a secret, its versions, or the names of all."""
        path = urlsplit(self.path).path
        if not self._admitted():
            return
        if path.rstrip("/") == "/secrets":
            names = self.state.secrets.names()
            self.answer(HTTPStatus.OK, {"value": [{"id": f"{self.state.url}/secrets/{name}"} for name in names]})
        elif found := re.fullmatch(r"/secrets/([0-9a-zA-Z-]{1,127})/versions", path):
            items = [self._bundle(found[1], version, secret=False) for version in self.state.secrets.versions(found[1])]
            self.answer(HTTPStatus.OK, {"value": items})
        elif found := _SECRET.fullmatch(path):
            version = self.state.secrets.get(found[1], found[2] or "")
            self._give(found[1], version)
        else:
            self.answer(HTTPStatus.NOT_FOUND, _error("BadParameter", "no such path"))

    def do_PUT(self) -> None:
        """Store a secret's new version."""
        body = self.content()
        found = _SECRET.fullmatch(urlsplit(self.path).path)
        if not self._admitted():
            return
        if found is None:
            self.answer(HTTPStatus.BAD_REQUEST, _error("BadParameter", "no such name"))
            return
        try:
            self._give(found[1], self.state.secrets.set(found[1], body["value"]))
        except NameKept:
            self.answer(HTTPStatus.CONFLICT, _error("Conflict", f"Secret {found[1]} is deleted, and can be recovered."))

    def do_POST(self) -> None:
        """Recover a secret that was deleted."""
        self.content()
        found = re.fullmatch(r"/deletedsecrets/([0-9a-zA-Z-]{1,127})/recover/?", urlsplit(self.path).path)
        if self._admitted():
            self._give(found[1] if found else "", self.state.secrets.recover(found[1]) if found else None)

    def do_DELETE(self) -> None:
        """Delete a secret."""
        found = _SECRET.fullmatch(urlsplit(self.path).path)
        if self._admitted() and found is not None:
            self._give(found[1], self.state.secrets.delete(found[1]))

    def _admitted(self) -> bool:
        """Challenge a caller without our token, as Key Vault does, and play the fault that is switched on."""
        if self.state.mode == "down":
            self.answer(HTTPStatus.SERVICE_UNAVAILABLE, _error("ServiceUnavailable", "switched down"))
            return False
        if self.headers.get("Authorization") != f"Bearer {self.state.token}":
            challenge = (
                'Bearer authorization="https://login.microsoftonline.com/local", resource="https://vault.azure.net"'
            )
            self.answer(HTTPStatus.UNAUTHORIZED, _error("Unauthorized", "no token"), {"WWW-Authenticate": challenge})
            return False
        if self.state.mode == "forbidden":
            self.answer(HTTPStatus.FORBIDDEN, _error("Forbidden", "The caller lacks the role."))
            return False
        return True

    def _give(self, name: str, version: Version | None) -> None:
        if version is None:
            self.answer(HTTPStatus.NOT_FOUND, _error("SecretNotFound", "A secret with this name was not found."))
            return
        self.answer(HTTPStatus.OK, self._bundle(name, version, secret=True))

    def _bundle(self, name: str, version: Version, *, secret: bool) -> dict[str, Any]:
        times = {"enabled": True, "created": version.created, "updated": version.created}
        bundle: dict[str, Any] = {"id": f"{self.state.url}/secrets/{name}/{version.id}", "attributes": times}
        return {**bundle, "value": version.value} if secret else bundle


def _error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}
