"""The adapter to Autopilot's REST API v1 (reference/autopilot-api): one method a call, no retries, no pacing."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final, Protocol
from urllib.parse import quote

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from shared.domain.answers import (
    ContactGone,
    KeyRefused,
    Page,
    TryAgain,
    contact_id,
    contact_ids,
    custom_field_types,
    list_ids,
    new_list_id,
    page,
    read,
)
from shared.tracing import calling

TIMEOUT: Final = (10.0, 90.0)
"""Seconds to connect and to wait for an answer; bulk calls were seen to take 6 s, and a 408 comes from the server."""

LARGEST_ANSWER: Final = 16 * 1024 * 1024
"""Bytes of an answer's body, unpacked; a page of 100 contacts has far fewer."""

_PIECE: Final = 1 << 16

CONNECTIONS: Final = 256
"""Calls an instance may have in flight, made only as answers are slow: 100 requests a second at 2.5 s each."""


_LONGEST_NAME: Final = 200
"""Characters of an account's name or id that are kept."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an account is, as Autopilot tells it; None for what it does not tell."""

    name: str | None
    id: str | None


class Key(Protocol):
    """Where a connection's API key comes from."""

    def current(self) -> str:
        """Give the key as last read."""
        ...

    def renewed(self, refused: str) -> str | None:
        """Give the key if it is another one by now than the one that was refused."""
        ...


def session() -> requests.Session:
    """Make a session whose connections are pooled and shared by threads; it keeps no cookies, which accounts would share."""
    made = requests.Session()
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    adapter = HTTPAdapter(pool_connections=1, pool_maxsize=CONNECTIONS, max_retries=0, pool_block=False)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made


class Requests:
    """Requests to one URL, with what is the same for all of them settled once: thousands a second are made.

    A session settles it for each anew, which costs as much time as all else: headers, the environment's proxies and
    certificates, cookies, hooks. Redirects are not followed, and no password is taken from a `.netrc`.
    """

    def __init__(self, url: str, http: requests.Session) -> None:
        self._url = url.rstrip("/")
        self._http = http
        self._settled: tuple[str, _Settled] | None = None

    def send(self, method: str, path: str, key: str, data: bytes | None) -> requests.Response:
        """Send one request; the body of what is given is not read yet. Raises what a session raises."""
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
            request, stream=True, timeout=TIMEOUT, verify=common.verify, cert=common.cert, proxies=common.proxies
        )

    def _settle(self, key: str) -> _Settled:
        headers = {"autopilotapikey": key, "Accept": "application/json", "Content-Type": "application/json"}
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


class Autopilot:
    """One Autopilot account. Every method raises an AutopilotError of `shared.domain.answers` when there is no result."""

    def __init__(self, url: str, key: Key, http: requests.Session) -> None:
        self._key = key
        self._requests = Requests(url, http)

    def identity(self) -> Identity:
        """Return who the key's account is (third-party reports: `fullName`, `email`, `instanceId`); cut to a sane length."""
        answer = self._call("GET", "/account")
        name, instance = answer.get("fullName"), answer.get("instanceId")
        return Identity(
            name=name[:_LONGEST_NAME] if isinstance(name, str) and name else None,
            id=str(instance)[:_LONGEST_NAME] if isinstance(instance, str | int) and instance else None,
        )

    def account(self) -> str:
        """Say whose account the key opens (third-party reports: `fullName`, `email`, `instanceId`)."""
        answer = self._call("GET", "/account")
        return str(answer.get("fullName") or answer.get("instanceId") or "Autopilot account")

    def total_contacts(self) -> int | None:
        """Say how many contacts the account holds (recorded in the first page of all contacts)."""
        total = self._call("GET", "/contacts").get("total_contacts")
        return total if isinstance(total, int) else None

    def custom_fields(self) -> dict[str, str]:
        """Give the account's custom fields: type by name."""
        return custom_field_types(self._call("GET", "/contacts/custom_fields"))

    def lists(self) -> dict[str, list[str]]:
        """Give the ids of all lists by exact title; titles can be double."""
        return list_ids(self._call("GET", "/lists"))

    def create_list(self, title: str) -> str:
        """Create a list and give its id. Autopilot may make a second one of the same title: look before."""
        return new_list_id(self._call("POST", "/list", {"name": title}))

    def upsert(self, contacts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Send at most 100 contacts; gives contact ids by lower-case address. Who is missing from it failed."""
        return contact_ids(self._call("POST", "/contacts", {"contacts": list(contacts)}))

    def upsert_one(self, contact: Mapping[str, Any]) -> str:
        """Send one contact; gives its id."""
        return contact_id(self._call("POST", "/contact", {"contact": dict(contact)}))

    def find(self, email: str) -> dict[str, Any] | None:
        """Give the contact with this address, or None."""
        try:
            return self._call("GET", "/contact/{contact}", contact=email)
        except ContactGone:
            return None

    def delete(self, contact: str) -> None:
        """Delete a contact by id or address."""
        self._call("DELETE", "/contact/{contact}", contact=contact)

    def add(self, list_id: str, contact: str) -> None:
        """Put a contact on a list; harmless if it is there already."""
        self._call("POST", "/list/{list}/contact/{contact}", list=list_id, contact=contact)

    def remove(self, list_id: str, contact: str) -> None:
        """Take a contact off a list; harmless if it is not there."""
        self._call("DELETE", "/list/{list}/contact/{contact}", list=list_id, contact=contact)

    def is_member(self, list_id: str, contact: str) -> bool:
        """Say whether a contact is on a list (404 with an empty body: it is not)."""
        try:
            self._call("GET", "/list/{list}/contact/{contact}", list=list_id, contact=contact)
        except ContactGone:
            return False
        return True

    def members(self, list_id: str, bookmark: str | None = None) -> Page:
        """Give one page of a list's members, 100 of them, from `bookmark` on."""
        if bookmark is None:
            return page(self._call("GET", "/list/{list}/contacts", list=list_id))
        return page(self._call("GET", "/list/{list}/contacts/{bookmark}", list=list_id, bookmark=bookmark))

    def _call(self, method: str, template: str, body: object = None, **parts: str) -> dict[str, Any]:
        """Make one call; a refused key is read again once, since it may have been rotated."""
        key = self._key.current()
        try:
            return self._send(key, method, template, body, parts)
        except KeyRefused:
            newer = self._key.renewed(key)
            if newer is None:
                raise
            return self._send(newer, method, template, body, parts)

    def _send(self, key: str, method: str, template: str, body: object, parts: Mapping[str, str]) -> dict[str, Any]:
        endpoint = f"{method} {template}"
        path = template.format(**{name: quote(part, safe="") for name, part in parts.items()})
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        with calling(method, template) as call:
            try:
                with self._requests.send(method, path, key, data) as answer:
                    content = _body(endpoint, answer)
            except (requests.RequestException, HTTPError) as error:
                call.error = type(error).__name__
                raise TryAgain(f"{endpoint} had no answer ({call.error})") from None
            call.status = answer.status_code
        return read(endpoint, answer.status_code, answer.headers, content)


def _body(endpoint: str, answer: requests.Response) -> bytes:
    """Read an answer's body as it comes; raises TryAgain for one that is too large, or trickles on and on."""
    body = bytearray()
    latest = time.monotonic() + TIMEOUT[1]
    while piece := answer.raw.read1(_PIECE, decode_content=True):
        body += piece
        if len(body) > LARGEST_ANSWER or time.monotonic() > latest:
            raise TryAgain(f"{endpoint} gave an answer without end")
    return bytes(body)
