"""Requests to a destination over pooled connections: one deadline for each, whole answers only, and no trace of a URL.

How a connection keeps to the deadline stands in `shared.http.connections`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
from requests import Session as Session
from urllib3 import BaseHTTPResponse, HTTPConnectionPool, Retry
from urllib3.exceptions import HTTPError, MaxRetryError

from shared.http.connections import CALL_SECONDS, TimelyAdapter, says_no_url, seconds_left, within

LARGEST_ANSWER: Final = 16 * 1024 * 1024
"""Bytes of an answer's body, unpacked; a page of 100 contacts has far fewer."""

CONNECTIONS: Final = 256
"""Calls an instance may have in flight, made only as answers are slow: 100 requests a second at 2.5 s each."""

HOSTS: Final = 8
"""Hosts that connections are kept to: each destination has one or some, by region."""

ENCODINGS: Final = frozenset({"", "identity", "gzip", "deflate"})
"""What we ask for; an answer in another encoding is not to our request."""

_PIECE: Final = 1 << 16
_ONCE: Final = Retry(0, read=False)


class NoConnection(Exception):
    """A request had no answer that could be read; the text says what kind of fault it was, and nothing of the request."""


@dataclass(frozen=True, slots=True)
class Received:
    """An answer that was read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def session() -> Session:
    """Make a session whose connections are pooled and shared by threads; it keeps no cookies, which accounts would share."""
    made = requests.Session()
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = TimelyAdapter(pool_connections=HOSTS, pool_maxsize=CONNECTIONS, max_retries=0, pool_block=False)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    for name in ("urllib3.connection", "urllib3.connectionpool", "urllib3.response", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(says_no_url)
    return made


class Requests:
    """Requests to one URL, with what is the same for all of them settled once: thousands a second are made.

    A session settles it again for each, which costs more time than all else: headers, the environment's proxies and
    certificates, the pool of connections, cookies, hooks. Redirects are not followed, and no password is taken from a
    `.netrc`.
    """

    def __init__(self, url: str, http: Session, key_header: str) -> None:
        self._url = url.rstrip("/")
        self._http = http
        self._key_header = key_header
        self._settled: _Settled | None = None

    def send(self, method: str, path: str, key: str, data: bytes | None) -> Received:
        """Send one request and read its answer, all within CALL_SECONDS; raise NoConnection if there is none."""
        try:
            with within(CALL_SECONDS), closing(self._send(method, path, key, data)) as answer:
                return Received(answer.status, answer.headers, _body(answer))
        except (
            requests.RequestException,
            HTTPError,
            HTTPException,
            OSError,
            ValueError,
        ) as error:  # or no such host name
            raise NoConnection(_kind(error)) from None

    def _send(self, method: str, path: str, key: str, data: bytes | None) -> BaseHTTPResponse:
        common = self._settled
        if common is None or common.key != key or common.pool.pool is None:  # a pool is closed where hosts are too many
            common = self._settled = self._settle(key)
        return common.pool.urlopen(
            method,
            common.url + path,
            body=data,
            headers=common.headers,
            retries=_ONCE,
            redirect=False,
            assert_same_host=False,
            timeout=CALL_SECONDS,
            preload_content=False,
            decode_content=False,
        )

    def _settle(self, key: str) -> _Settled:
        """Ask requests once what it would use for each request."""
        headers = {self._key_header: key, "Accept": "application/json", "Content-Type": "application/json"}
        headers["Accept-Encoding"] = "gzip, deflate"
        request = requests.Request("GET", self._url, {**self._http.headers, **headers}).prepare()
        url = str(request.url)
        environment = self._http.merge_environment_settings(url, {}, True, None, None)
        verify, cert, proxies = environment["verify"], environment["cert"], environment["proxies"]
        adapter: Any = self._http.get_adapter(url)
        pool = adapter.get_connection_with_tls_context(request, verify, proxies=proxies, cert=cert)
        adapter.cert_verify(pool, url, verify, cert)
        return _Settled(key, adapter.request_url(request, proxies).rstrip("/"), dict(request.headers), pool)


@dataclass(frozen=True, slots=True)
class _Settled:
    """What all requests with one key have in common; `url` is what stands before a path: all of it to a proxy."""

    key: str = field(repr=False)
    url: str
    headers: dict[str, str] = field(repr=False)
    pool: HTTPConnectionPool


def _kind(error: Exception) -> str:
    """Return what kind of fault it was, by name."""
    reason = error.reason if isinstance(error, MaxRetryError) else None
    return type(reason or error).__name__


def _body(answer: BaseHTTPResponse) -> bytes:
    """Read an answer's body as it comes; raise NoConnection for one that is too large, or packed in another way."""
    if answer.headers.get("Content-Encoding", "").strip().lower() not in ENCODINGS:
        raise NoConnection("an encoding that was not asked for")
    body = bytearray()
    while piece := answer.read1(_PIECE, decode_content=True):
        body += piece
        if len(body) > LARGEST_ANSWER or seconds_left() <= 0:
            raise NoConnection("an answer without end")
    return bytes(body)
