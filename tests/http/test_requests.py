"""Requests to a destination: what is settled once for all of them still holds where it changes, or leads over a proxy."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from shared.http.transport import HOSTS, NoConnection, Requests, session


class Server(ThreadingHTTPServer):
    """Answers each request with the URL, the key and the body that it was sent."""

    daemon_threads = True

    @property
    def url(self) -> str:
        """Return where it is, as the root of an API."""
        return f"http://127.0.0.1:{self.server_port}/v1"


class _Echo(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.dumps([self.path, self.headers["Key"], self.headers["Host"], sent.decode()]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def serving() -> Iterator[Server]:
    """Yield a server of its own."""
    with Server(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def echo(requests: Requests, key: str) -> list[str]:
    """Return what the server said of a request."""
    received: list[str] = json.loads(requests.send("POST", "/contact", key, b'{"a":1}').body)
    return received


def test_another_key_is_sent_from_the_next_request_on() -> None:
    with serving() as server, session() as http:
        requests = Requests(server.url, http, "Key")
        host = f"127.0.0.1:{server.server_port}"
        assert echo(requests, "old") == ["/v1/contact", "old", host, '{"a":1}']
        assert echo(requests, "new") == ["/v1/contact", "new", host, '{"a":1}']


def test_a_proxy_of_the_environment_is_asked_for_the_whole_url(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as proxy, session() as http:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.server_port}")
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.server_port}")
        requests = Requests("http://destination.invalid/v1/", http, "Key")
        assert echo(requests, "key") == [
            "http://destination.invalid/v1/contact",
            "key",
            "destination.invalid",
            '{"a":1}',
        ]


def test_more_hosts_than_connections_are_kept_to_are_all_reached() -> None:
    with ExitStack() as stack:
        http = stack.enter_context(session())
        servers = [stack.enter_context(serving()) for _ in range(HOSTS + 1)]
        all_of_them = [Requests(server.url, http, "Key") for server in servers]
        for _ in range(2):
            for requests, server in zip(all_of_them, servers, strict=True):
                assert echo(requests, "key")[2] == f"127.0.0.1:{server.server_port}"


def test_a_host_that_is_not_there_is_no_connection_told_by_its_kind() -> None:
    with serving() as server:
        url = server.url
    with session() as http, pytest.raises(NoConnection, match=r"^\w+Error$"):
        Requests(url, http, "Key").send("POST", "/contact", "key", b"{}")


@pytest.mark.parametrize("host", ["api2..autopilothq.com", f"{'a' * 70}.example.com", "exa mple.com"])
def test_a_host_that_there_cannot_be_is_no_connection(host: str) -> None:
    with session() as http, pytest.raises(NoConnection):
        Requests(f"https://{host}/v1", http, "key").send("GET", "/account", "key", None)
