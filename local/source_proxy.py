"""A proxy before the account that Customer Insights writes to: busy, forbidding, or dropping connections, as it is told."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, Final, Literal

from local.azurite import blob_storage

type Trouble = Literal["busy", "forbidden", "drops", "none"]

_REFUSALS: Final = {"busy": (503, "ServerBusy"), "forbidden": (403, "AuthorizationFailure")}

_OF_A_CONNECTION: Final = frozenset({"content-length", "transfer-encoding", "connection", "keep-alive"})
"""Headers of one connection, which are not passed on."""


class SourceProxy:
    """Listens on a port of its own, and passes on to the port `upstream`, which may be told later. A context manager.

    `trouble` strikes GETs whose path has `part` in it, `struck` of them so far (HEADs tell that a refresh is there); `before` is called with each request's
    method and path before it is passed on.
    """

    def __init__(self) -> None:
        self.upstream = 0
        self.trouble: Trouble = "none"
        self.part = ""
        self.struck = 0
        self.before: Callable[[str], None] = lambda _: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.port = self._server.server_port

    def __enter__(self) -> SourceProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def connection_string(self) -> str:
        """The account's connection string by way of the proxy."""
        return blob_storage(self.port)

    def strike(self, trouble: Trouble, part: str = "") -> None:
        """Make trouble from now on."""
        self.trouble, self.part, self.struck = trouble, part, 0

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        class Handler(_Handler):
            proxy = self

        return Handler


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    proxy: ClassVar[SourceProxy]

    def handle(self) -> None:
        """Serve a connection to its end, whoever ends it: a host may be killed."""
        with contextlib.suppress(ConnectionError):
            super().handle()

    def pass_on(self) -> None:
        """Answer a request: from upstream, unless trouble strikes; whatever fails on the way drops the connection."""
        try:
            self._pass_on()
        except (OSError, http.client.HTTPException):
            self.close_connection = True

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.proxy.before(f"{self.command} {self.path}")
        trouble = self._trouble()
        if trouble in _REFUSALS:
            status, code = _REFUSALS[trouble]
            self._answer(status, {"x-ms-error-code": code}, b"", 0)
            return
        upstream = http.client.HTTPConnection("127.0.0.1", self.proxy.upstream)
        upstream.request(self.command, self.path, body, dict(self.headers))
        answer = upstream.getresponse()
        content = answer.read()
        upstream.close()
        headers = {name: value for name, value in answer.getheaders() if name.lower() not in _OF_A_CONNECTION}
        length = int(answer.headers.get("Content-Length", len(content)))
        if trouble == "drops" and content:  # half of the body, and the connection is gone
            content, self.close_connection = content[: len(content) // 2], True
        self._answer(answer.status, headers, content, length)

    def _trouble(self) -> Trouble:
        if self.command != "GET" or self.proxy.part not in self.path:
            return "none"
        self.proxy.struck += self.proxy.trouble != "none"
        return self.proxy.trouble

    def _answer(self, status: int, headers: Mapping[str, str], content: bytes, length: int) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Log nothing."""


for _method in ("GET", "HEAD", "PUT", "POST", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.pass_on)
