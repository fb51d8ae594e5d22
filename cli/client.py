"""The client of the HTTP API: one method a call, problems as exceptions that say what to do."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import requests

TIMEOUT: Final = (10, 230)
"""Seconds to connect and to wait; Azure's own limit for an answer is 230."""

LARGEST_PAGE: Final = 200
"""Items of a list that the API answers at most at a time."""

_ABOUT: Final = ("run", "export", "exports", "list")
"""What a problem may name beside its sentence."""

_LOOPBACK: Final = {"localhost", "127.0.0.1", "::1"}

LOCAL_STACK: Final = Path(".local/stack.json")
"""Where `make run` says what runs where."""


class ApiError(Exception):
    """The API said no: `status`, `code`, what to do, and what is wrong field by field."""

    def __init__(self, status: int, content: dict[str, Any]) -> None:
        super().__init__(content.get("detail") or f"The app answered {status}.")
        self.status = status
        self.code = str(content.get("code", status))
        self.content = content

    @property
    def lines(self) -> list[str]:
        """What to show a person: what is wrong, field by field, and what it is about, such as another run."""
        errors = self.content.get("errors", [])
        fields = [
            item["detail"] if item["field"] == "(body)" else f"{item['field']}: {item['detail']}" for item in errors
        ]
        about = [f"{name}: {_listed(self.content[name])}" for name in _ABOUT if self.content.get(name)]
        return [_spoken(str(self)), *(f"  {line}" for line in (*about, *fields))]

    def in_words(self, words: Mapping[str, str]) -> ApiError:
        """Return the same no with a command's words in place of the API's."""
        wrong = [
            {**item, "field": words.get(item["field"], item["field"]), "detail": _worded(item["detail"], words)}
            for item in self.content.get("errors", [])
        ]
        told = {**self.content, "detail": _worded(str(self), words), **({"errors": wrong} if wrong else {})}
        return ApiError(self.status, told)


def _worded(text: str, words: Mapping[str, str]) -> str:
    """Replace what is no word of English, such as `api_key`, wherever it stands."""
    names = sorted((name for name in words if not name.isalpha()), key=len, reverse=True)
    return re.sub("|".join(map(re.escape, names)), lambda found: words[found[0]], text) if names else text


def _spoken(sentence: str) -> str:
    """Return the API's sentence without its own words for what was sent: a terminal shows the fields below."""
    return sentence.replace("The body does not fit.", "It is not taken.").replace(
        "Correct the fields named in errors.", "Correct:"
    )


def _listed(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


class NotConfigured(Exception):
    """It is not known where the app is, or it is where no key may go."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the app is, and what opens it: a function key, or a token of Entra."""

    url: str
    key: str | None
    token: str | None = None


def find_app(url: str | None, key: str | None) -> Address:
    """Find the app: as told, from the environment, or the local stack that is up; raises NotConfigured."""
    url = url or os.environ.get("SEGMENT_EXPORT_URL")
    key = key or os.environ.get("SEGMENT_EXPORT_KEY")
    token = os.environ.get("SEGMENT_EXPORT_TOKEN")
    if url:
        _check_way(url)
        return Address(url.rstrip("/"), key, token)
    if key or token:
        raise NotConfigured("A key or token is given, but no URL: say --url or SEGMENT_EXPORT_URL.")
    if LOCAL_STACK.exists():
        stack = json.loads(LOCAL_STACK.read_text())
        return Address(stack["api_url"], stack["function_key"])
    raise NotConfigured(
        "Say where the app is: --url and --key, or SEGMENT_EXPORT_URL and SEGMENT_EXPORT_KEY (or SEGMENT_EXPORT_TOKEN); "
        "or start one with make run."
    )


def _check_way(url: str) -> None:
    """Raise NotConfigured unless what opens the app is kept secret on its way there."""
    try:
        parts = urlsplit(url)
        fits = bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        )
    except ValueError:
        fits = False
    if not fits:
        raise NotConfigured(
            "The app's URL begins with https:// (http:// only for this machine); the key goes nowhere else."
        )


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was asked last, the version that was answered, and the answer."""

    asked: tuple[object, ...] = ()
    etag: str = ""
    content: bytes = b""


class Client:
    """Calls the API at `address`, and nobody else: no redirect is followed, and loopback is asked without a proxy."""

    def __init__(self, address: Address) -> None:
        self.url = address.url
        self._http = requests.Session()
        self._http.auth = _as_it_is
        if urlsplit(address.url).hostname in _LOOPBACK:
            self._http.trust_env = False
        if address.key:
            self._http.headers["x-functions-key"] = address.key
        if address.token:
            self._http.headers["authorization"] = f"Bearer {address.token}"
        self._last = _Seen()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **query: str) -> Any:
        """Return what is at a path; one that is asked again and again is only sent again when it is another."""
        asked = (path, *sorted(query.items()))
        known = {"If-None-Match": self._last.etag} if self._last.asked == asked else {}
        answer = self._call("GET", path, params=query, headers=known)
        if answer.status_code != HTTPStatus.NOT_MODIFIED:
            self._last = _Seen(asked, answer.headers.get("ETag", ""), answer.content)
        return json.loads(self._last.content)

    def find(self, path: str) -> tuple[Any, str] | None:
        """Return what is at a path with its version (ETag), or None if nothing is."""
        try:
            answer = self._call("GET", path)
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            return None
        return answer.json(), answer.headers.get("ETag", "")

    def health(self) -> dict[str, Any]:
        """Return what the app says of itself, whether it is well or not."""
        try:
            found: dict[str, Any] = self.get("health")
        except ApiError as error:
            if "healthy" not in error.content:
                raise
            return error.content
        return found

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield every item of a list, page by page."""
        after = ""
        while True:
            page = self.get(path, **({"after": after} if after else {}))
            yield from page["items"]
            after = page["next"]
            if not after:
                return

    def newest(self, path: str, most: int, **query: str) -> tuple[list[dict[str, Any]], bool]:
        """Return up to `most` items of a list that begins with the newest, and whether there are older ones."""
        found: list[dict[str, Any]] = []
        after: dict[str, str] = {}
        while True:
            page = self.get(path, **query, **after, limit=str(min(LARGEST_PAGE, most - len(found))))
            found += page["items"]
            if not page["next"] or len(found) >= most:
                return found, bool(page["next"])
            after = {"after": page["next"]}

    def text(self, path: str) -> str:
        """Return a path's text."""
        return self._call("GET", path).content.decode("utf-8-sig")

    def put(self, path: str, body: object, etag: str | None = None) -> Any:
        """Create or replace what is at a path; with `etag` only if it is still that version."""
        headers = {"If-Match": etag} if etag else {}
        return self._call("PUT", path, json=body, headers=headers).json()

    def post(self, path: str, body: object | None = None) -> Any:
        """Ask for something to be done."""
        answer = self._call("POST", path, json=body) if body is not None else self._call("POST", path)
        return answer.json() if answer.content else {}

    def post_long(self, path: str, body: object | None = None) -> Any:
        """Ask for something to be worked out; return what it came to, however long it takes."""
        answer = self._call("POST", path, **({"json": body} if body is not None else {}))
        while answer.status_code == HTTPStatus.ACCEPTED:
            time.sleep(float(answer.headers["Retry-After"]))
            answer = self._call("GET", answer.headers["Location"].removeprefix("/api/"))
        return answer.json()

    def delete(self, path: str, **query: str) -> None:
        """Remove what is at a path."""
        self._call("DELETE", path, params=query)

    def _call(self, method: str, path: str, **more: Any) -> requests.Response:
        answer = self._http.request(method, f"{self.url}/{path}", timeout=TIMEOUT, allow_redirects=False, **more)
        if answer.status_code < HTTPStatus.MULTIPLE_CHOICES or answer.status_code == HTTPStatus.NOT_MODIFIED:
            return answer
        try:
            content = answer.json()
        except ValueError:
            content = {}
        if answer.status_code < HTTPStatus.BAD_REQUEST:
            content = {"detail": "The answer leads to another address, which is not followed: check the app's URL."}
        if answer.status_code == HTTPStatus.UNAUTHORIZED and not content:
            content = {"detail": "The function key or the token is missing, wrong or over.", "code": "key_wrong"}
        raise ApiError(answer.status_code, content if isinstance(content, dict) else {})


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep a request's own authorisation: requests would take another one from a .netrc file."""
    return request
