"""Calls and answers of the API, and problems (RFC 9457): the types that every endpoint works with."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Protocol

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from export_trigger.http.access import Caller
from export_trigger.http.view import ProblemView
from shared.exports.configuration import NAME_PATTERN, VAULT_PATTERN

LARGEST_BODY: Final = 256 * 1024
"""Bytes of a request body; the largest export is far smaller."""

DEEPEST_BODY: Final = 20
"""Levels of nesting in a request body."""


LONGEST_AFTER: Final = 256
"""Characters of a page's beginning; the longest name of anything that is listed is shorter."""


_ETAGS: Final = re.compile(r'(W/)?("[^"]*")')

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_LIKE_A_NAME: Final = "must be like a-name-1, at most 63 long"
_WORDS: Final = {NAME_PATTERN: _LIKE_A_NAME, VAULT_PATTERN: "has only letters, digits and hyphens, at most 127"}
"""What a value must be like, where its type is a pattern."""


class Body(Protocol):
    """What can be answered as JSON."""

    def content(self) -> dict[str, Any]:
        """Return it as JSON would hold it."""
        ...


class Problem(Exception):
    """An answer that tells the caller what is wrong and what to do: `application/problem+json`."""

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, *, errors: list[dict[str, str]] | None = None, **more: object
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.more = more

    def answer(self) -> Answer:
        """Return the problem as an answer."""
        told = {"type": "about:blank", "title": self.status.phrase, "status": self.status.value, **self.more}
        if self.errors is not None:
            told["errors"] = self.errors
        view = ProblemView.model_validate({**told, "code": self.code, "detail": self.detail})
        return Answer(self.status, view, content_type="application/problem+json")


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body (a view, or bytes of another type), headers, and what the audit trail says besides the names in the path."""

    status: HTTPStatus = HTTPStatus.OK
    body: Body | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    noted: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        """Return the body's bytes."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return json.dumps(self.body.content(), ensure_ascii=False).encode()


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `params` from the path, `query`, lower-case `headers`, `body`, and who calls."""

    params: Mapping[str, str]
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    caller: Caller

    def read[T: BaseModel](self, kind: type[T]) -> T:
        """Return the body as a value of `kind`; raises a Problem with an error for each field that is wrong."""
        content = self._json()
        try:
            return kind.model_validate(content)
        except ValidationError as error:
            raise Problem(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "body_invalid",
                "The body does not fit. Correct the fields named in errors.",
                errors=field_errors(error),
            ) from None

    def _json(self) -> object:
        if len(self.body) > LARGEST_BODY:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", f"Send at most {LARGEST_BODY} bytes.")
        if self.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "not_json", "Send the body with Content-Type: application/json."
            )
        try:
            content = from_json(self.body)
            _check_depth(content)
        except ValueError:
            raise Problem(HTTPStatus.BAD_REQUEST, "body_malformed", "The body is not well-formed JSON.") from None
        return content

    def page(self) -> tuple[str, int]:
        """Return where a page begins (after which item) and how many items it holds."""
        try:
            limit = int(self.query.get("limit", "50"))
        except ValueError:
            limit = 0
        if not 1 <= limit <= 200:
            raise Problem(HTTPStatus.BAD_REQUEST, "limit_invalid", "limit is a whole number from 1 to 200.")
        after = self.query.get("after", "")
        if len(after) > LONGEST_AFTER or not after.isprintable():
            raise after_invalid()
        return after, limit

    def flag(self, name: str) -> bool:
        """Return a yes-or-no query parameter."""
        value = self.query.get(name, "false").lower()
        if value not in {"true", "false"}:
            raise Problem(HTTPStatus.BAD_REQUEST, "flag_invalid", f"{name} is true or false.")
        return value == "true"

    def check_match(self, etag: str | None) -> None:
        """Raise a Problem if the caller last saw another version than the one that `etag` names (None: there is none)."""
        asked = self.headers.get("if-match", "").strip()
        if asked and (etag is None if asked == "*" else etag not in {asked, *_strong(asked)}):
            raise stale()

    def check_new(self, etag: str | None, exists: Callable[[], Problem]) -> None:
        """Raise what `exists` returns if the caller wants to make what is there already, in the version that `etag` names."""
        asked = self.headers.get("if-none-match", "").strip()
        if etag is not None and (asked == "*" or etag in _strong(asked)):
            raise exists()


def _strong(text: str) -> set[str]:
    """Return the ETags of a list that are strong: a weak one guards no change (RFC 9110)."""
    return {etag for weak, etag in _ETAGS.findall(text) if not weak}


def after_invalid() -> Problem:
    """Return the problem that no page begins there."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "after_invalid", "after is what the page before gave as next.")


def check_name(kind: str, name: str) -> None:
    """Raise a Problem for a name that could be none."""
    if not _NAME.fullmatch(name):
        raise Problem(HTTPStatus.BAD_REQUEST, "name_invalid", f"The {kind} {_LIKE_A_NAME}.")


def stale() -> Problem:
    """Return the problem that somebody else was faster."""
    return Problem(
        HTTPStatus.PRECONDITION_FAILED, "changed_meanwhile", "It was changed meanwhile. Read it again and repeat."
    )


def field_errors(error: ValidationError) -> list[dict[str, str]]:
    """Return what is wrong field by field, as paths such as `mapping.FirstName`; never the value that was sent."""
    return [
        {"field": _path(item["loc"]), "code": item["type"], "detail": _sentence(item)}
        for item in error.errors(include_url=False, include_input=False)
    ]


def _path(parts: tuple[int | str, ...]) -> str:
    """Return where a value stands in the body; which kind of schedule it is stands in no path."""
    if len(parts) > 2 and parts[0] == "schedule":
        parts = (parts[0], *parts[2:])
    return ".".join(map(str, parts)) or "(body)"


def _sentence(item: ErrorDetails) -> str:
    """Return what is wrong with a value, without a pattern that only programmers read."""
    pattern = item.get("ctx", {}).get("pattern")
    return _WORDS.get(str(pattern), item["msg"].removeprefix("Value error, "))


def _check_depth(content: object) -> None:
    level = [content]
    for _ in range(DEEPEST_BODY):
        level = [
            value
            for item in level
            if isinstance(item, dict | list)
            for value in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return
    raise ValueError("too deep")
