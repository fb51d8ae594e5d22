"""Requests to a destination over pooled connections: one deadline for each, whole answers only, and no trace of a URL.

How a connection keeps to the deadline stands in `shared.http.connections`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import requests
from requests import Session as Session
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from shared.http.connections import CALL_SECONDS, TimelyAdapter, says_no_url, seconds_left, within

LARGEST_ANSWER: Final = 16 * 1024 * 1024
"""Bytes of an answer's body, unpacked; a page of 100 contacts has far fewer."""

CONNECTIONS: Final = 256
"""Calls an instance may have in flight, made only as answers are slow: 100 requests a second at 2.5 s each."""

ENCODINGS: Final = frozenset({"", "identity", "gzip", "deflate"})
"""What we ask for; an answer in another encoding is not to our request."""

_PIECE: Final = 1 << 16


class NoConnection(Exception):
    """A request had no answer that could be read; the text says what kind of fault it was, and nothing of the request."""


@dataclass(frozen=True, slots=True)
class Received:
    """An answer that was read to its end."""

    status: int
    headers: CaseInsensitiveDict[str]
    body: bytes


def session() -> Session:
    """Make a session whose connections are pooled and shared by threads; it keeps no cookies, which accounts would share."""
    made = requests.Session()
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = TimelyAdapter(pool_connections=1, pool_maxsize=CONNECTIONS, max_retries=0, pool_block=False)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    for name in ("urllib3.connection", "urllib3.connectionpool", "urllib3.response", "urllib3.util.retry"):
        logging.getLogger(name).addFilter(says_no_url)
    return made


class Requests:
    """Requests to one URL, with what is the same for all of them settled once: thousands a second are made.

    A session settles it again for each, which costs as much time as all else: headers, the environment's proxies and
    certificates, cookies, hooks. Redirects are not followed, and no password is taken from a `.netrc`.
    """

    def __init__(self, url: str, http: Session, key_header: str) -> None:
        self._url = url.rstrip("/")
        self._http = http
        self._key_header = key_header
        self._settled: tuple[str, _Settled] | None = None

    def send(self, method: str, path: str, key: str, data: bytes | None) -> Received:
        """Send one request and read its answer, all within CALL_SECONDS; raise NoConnection if there is none."""
        try:
            with within(CALL_SECONDS), self._send(method, path, key, data) as answer:
                return Received(answer.status_code, answer.headers, _body(answer))
        except (requests.RequestException, HTTPError, HTTPException, OSError) as error:
            raise NoConnection(type(error).__name__) from None

    def _send(self, method: str, path: str, key: str, data: bytes | None) -> requests.Response:
        settled = self._settled
        if settled is None or settled[0] != key:
            settled = self._settled = (key, self._settle(key))
        _, common = settled
        request = requests.PreparedRequest()
        request.method, request.url = method, common.url + path
        request.headers = common.headers.copy()
        request.body = data
        request.prepare_content_length(data)
        return common.adapter.send(
            request, stream=True, timeout=CALL_SECONDS, verify=common.verify, cert=common.cert, proxies=common.proxies
        )

    def _settle(self, key: str) -> _Settled:
        headers = {self._key_header: key, "Accept": "application/json", "Content-Type": "application/json"}
        headers["Accept-Encoding"] = "gzip, deflate"
        request = requests.Request("GET", self._url, {**self._http.headers, **headers}).prepare()
        url = str(request.url)
        environment = self._http.merge_environment_settings(url, {}, True, None, None)
        return _Settled(
            url=url.rstrip("/"),
            headers=request.headers,
            adapter=self._http.get_adapter(url),
            proxies=environment["proxies"],
            verify=environment["verify"],
            cert=environment["cert"],
        )


@dataclass(frozen=True, slots=True)
class _Settled:
    """What all requests with one key have in common."""

    url: str
    headers: CaseInsensitiveDict[str]
    adapter: BaseAdapter
    proxies: Any
    verify: Any
    cert: Any


def _body(answer: requests.Response) -> bytes:
    """Read an answer's body as it comes; raise NoConnection for one that is too large, or packed in another way."""
    if answer.headers.get("Content-Encoding", "").strip().lower() not in ENCODINGS:
        raise NoConnection("an encoding that was not asked for")
    body = bytearray()
    while piece := answer.raw.read1(_PIECE, decode_content=True):
        body += piece
        if len(body) > LARGEST_ANSWER or seconds_left() <= 0:
            raise NoConnection("an answer without end")
    return bytes(body)
