"""What an answer of a destination may mean, where that is known from, and the error that says so.

Each destination states its own answers as a table of `Answer`: status, shape, meaning. Any other answer is no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from http import HTTPStatus
from typing import Final

from shared.delivery.errors import (
    AccountRefused,
    ContactGone,
    DestinationError,
    KeyRefused,
    ListGone,
    NoAnswer,
    Refused,
    Throttled,
    Unclear,
)
from shared.http.content import Content, is_text


class Meaning(Enum):
    """What an answer says."""

    DONE = auto()
    UNCLEAR = auto()
    CONTACT_GONE = auto()
    LIST_GONE = auto()
    REFUSED = auto()
    ACCOUNT_REFUSED = auto()
    KEY_REFUSED = auto()
    THROTTLED = auto()


class Known(StrEnum):
    """Where a meaning is known from."""

    RECORDED = "seen in a recording of the real API"
    VENDOR = "written by the vendor"
    REPORTED = "third-party clients that were used against the real API"
    ASSUMED = "our assumption"


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the API: a status, the shape of its body, what it means, and where that is known from."""

    status: int
    shape: Callable[[Content], bool]
    meaning: Meaning
    known: Known


def fitting(answers: Iterable[Answer], status: int, content: Content, text: str) -> Answer:
    """Return the first answer that fits; raise NoAnswer if none does. `text` says which call was answered what status.

    What says of itself that it failed is no success, whatever else it holds: a list of nothing, or half of one.
    """
    failed = status < HTTPStatus.MULTIPLE_CHOICES and _tells_an_error(content)
    for answer in answers:
        if answer.status == status and answer.shape(content) and not (failed and answer.meaning is Meaning.DONE):
            return answer
    raise NoAnswer(f"{text} in no shape of the API's")


def _tells_an_error(content: Content) -> bool:
    """Return whether an object has an error's members beside its own: `error`, or a code and a message."""
    if not isinstance(content, dict):
        return False
    return "error" in content or all(is_text(content.get(name)) for name in ("code", "message"))


def error_of(meaning: Meaning, text: str, pause: float | None) -> DestinationError:
    """Return the error of an answer that does not mean DONE; `pause` is what it asks to wait, in seconds."""
    return Throttled(text, pause) if meaning is Meaning.THROTTLED else _ERRORS.get(meaning, Refused)(text)


_ERRORS: Final[dict[Meaning, type[DestinationError]]] = {
    Meaning.UNCLEAR: Unclear,
    Meaning.CONTACT_GONE: ContactGone,
    Meaning.LIST_GONE: ListGone,
    Meaning.ACCOUNT_REFUSED: AccountRefused,
    Meaning.KEY_REFUSED: KeyRefused,
}
