"""A proxy before a storage account, for troubles that an account has: it is busy, forbids, or drops connections."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, Literal

from local.stack import Stack, port_of

ACCOUNT = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFs"
    "uFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
)
"""The emulator's account, whose key everybody knows."""

Trouble = Literal["busy", "forbidden", "dropped", "none"]

_STATUS = {"busy": (503, "ServerBusy"), "forbidden": (403, "AuthorizationFailure")}


class Proxy:
    """Passes requests to `target` (host and port); `trouble` strikes reads whose path has `part` in it."""

    def __init__(self) -> None:
        self.target = ("127.0.0.1", 0)
        self.trouble: Trouble = "none"
        self.part = ""
        self.struck = 0
        self.before: Callable[[str], None] = lambda _: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.port = self._server.server_port

    @property
    def connection_string(self) -> str:
        """The account's connection string by way of the proxy."""
        return ACCOUNT.format(port=self.port)

    def stand_before(self, stack: Stack) -> None:
        """Pass requests to a stack's own storage."""
        assert stack.azurite is not None
        parts = dict(part.partition("=")[::2] for part in stack.azurite.connection_string.split(";") if part)
        self.target = ("127.0.0.1", int(port_of(parts["BlobEndpoint"])))

    def strike(self, trouble: Trouble, part: str = "") -> None:
        """Make trouble from now on."""
        self.trouble, self.part, self.struck = trouble, part, 0

    @contextmanager
    def running(self) -> Iterator[Proxy]:
        """Serve until the end."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        class Handler(_Handler):
            proxy = self

        return Handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: ClassVar[Proxy]

    def handle_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.proxy.before(f"{self.command} {self.path}")
        hit = self.proxy.trouble != "none" and self.command == "GET" and self.proxy.part in self.path
        if hit:
            self.proxy.struck += 1
        if hit and self.proxy.trouble in _STATUS:
            status, code = _STATUS[self.proxy.trouble]
            self._answer(status, {"x-ms-error-code": code}, b"")
            return
        upstream = http.client.HTTPConnection(*self.proxy.target)
        upstream.request(self.command, self.path, body, dict(self.headers))
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _HOP}
        if hit and content:  # dropped: half of the body, and the connection is gone
            self._answer(answer.status, headers, content[: len(content) // 2], len(content))
            self.close_connection = True
            return
        length = int(answer.headers.get("Content-Length", len(content)))
        self._answer(answer.status, headers, content, length)

    def _answer(self, status: int, headers: dict[str, str], content: bytes, length: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content) if length is None else length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


for _method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.handle_any)

_HOP = {"content-length", "transfer-encoding", "connection", "keep-alive"}
