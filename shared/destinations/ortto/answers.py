"""What an answer of Ortto means: the one place that turns an HTTP answer into a value or an error.

ANSWERS states for each call which answers of the API mean *done*, *not there* or *refused*, and where that is known
from. Any other answer, whatever its status, is no answer. What an error's text says is never kept: it quotes what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from shared.delivery.answers import Answer, Known, Meaning, error_of, fitting
from shared.delivery.contacts import Held, NotHeld, Result
from shared.delivery.errors import NoAnswer
from shared.destinations.ortto.bodies import (
    QUEUED,
    REFUSING,
    SUPPRESSED,
    has_audiences,
    has_contacts_by_id,
    has_counts,
    has_details,
    has_fields,
    has_page,
    has_people,
    has_tags,
    is_error,
    pause_of,
)
from shared.http.content import parse, retry_after


class Call(StrEnum):
    """The calls we make: method and path."""

    AUDIENCES = "POST /audiences/get"
    SCHEMA = "POST /instance-schema/get"
    TAGS = "POST /tags/get"
    MERGE = "POST /person/merge"
    BY_IDS = "POST /person/get-by-ids"
    PAGE = "POST /person/get"
    ARCHIVE = "PUT /person/archive"
    DELETE = "DELETE /person/delete"


EVERY_CALL: Final = (
    Answer(400, is_error, Meaning.REFUSED, Known.RECORDED),
    Answer(401, is_error, Meaning.KEY_REFUSED, Known.ASSUMED),  # the status is the vendor's, the body assumed
    Answer(403, is_error, Meaning.ACCOUNT_REFUSED, Known.ASSUMED),  # expired, or the key's owner left (vendor)
    Answer(404, is_error, Meaning.ACCOUNT_REFUSED, Known.ASSUMED),  # another region; never "there is no such person"
    Answer(413, is_error, Meaning.REFUSED, Known.ASSUMED),
    Answer(429, lambda _: True, Meaning.THROTTLED, Known.VENDOR),
    Answer(507, is_error, Meaning.ACCOUNT_REFUSED, Known.ASSUMED),  # past the contract's limit
)
"""What any call may be answered, beside its own answers."""

ANSWERS: Final[Mapping[Call, tuple[Answer, ...]]] = {
    Call.AUDIENCES: (Answer(200, has_audiences, Meaning.DONE, Known.RECORDED),),
    Call.SCHEMA: (Answer(200, has_fields, Meaning.DONE, Known.RECORDED),),
    Call.TAGS: (Answer(200, has_tags, Meaning.DONE, Known.RECORDED),),
    Call.MERGE: (
        Answer(200, has_people, Meaning.DONE, Known.RECORDED),
        Answer(400, has_details, Meaning.DONE, Known.RECORDED),  # nothing is merged, and it says of each why
    ),
    Call.BY_IDS: (Answer(200, has_contacts_by_id, Meaning.DONE, Known.RECORDED),),
    Call.PAGE: (Answer(200, has_page, Meaning.DONE, Known.RECORDED),),
    Call.ARCHIVE: (Answer(200, has_counts("archived_contacts"), Meaning.DONE, Known.RECORDED),),
    Call.DELETE: (Answer(200, has_counts("deleted_contacts"), Meaning.DONE, Known.RECORDED),),
}
"""The answers of each call, the exact ones first: the first that fits counts."""


def read(call: Call, status: int, headers: Mapping[str, str], body: bytes) -> Any:
    """Return what an answer holds if it says that the call is done; raise what it means otherwise."""
    content = parse(headers.get("Content-Type", ""), body)
    text = f"{call} was answered {status}"
    answer = fitting((*ANSWERS[call], *EVERY_CALL), status, content, text)
    if answer.meaning is Meaning.DONE:
        return content
    pause = pause_of(content) or retry_after(headers.get("Retry-After"), headers.get("Date"))
    raise error_of(answer.meaning, text, pause)


def results(answer: Mapping[str, Any], sent: int) -> list[Result] | None:
    """Return a result for each of `sent` people of a merge, as they stand in its answer, which names nobody.

    What is left out of an answer stands at its end, where nobody knows who it is. None if an error speaks of others than
    were sent: then nobody knows who is at fault. Raise NoAnswer for the answer to another call.
    """
    if "details" in answer:
        details = answer["details"]
        return [_refusal(entry) for entry in details] if len(details) == sent else None
    entries: Sequence[Mapping[str, Any]] = answer["people"]
    if len(entries) > sent:
        raise NoAnswer(f"{Call.MERGE} was answered for another call")
    return [*map(_result, entries), *[NotHeld.MISSING] * (sent - len(entries))]


def _refusal(entry: Mapping[str, Any]) -> Result:
    if entry["status"] == SUPPRESSED:
        return NotHeld.SUPPRESSED
    return NotHeld.REFUSED if entry.get("error") or entry["status"] in REFUSING else NotHeld.NOT_DONE


def _result(entry: Mapping[str, Any]) -> Result:
    if entry["status"] == SUPPRESSED:
        return NotHeld.SUPPRESSED
    if entry.get("error") or entry["status"] in REFUSING:
        return NotHeld.REFUSED
    person = entry.get("person_id")
    if person is None or entry["status"] in {"", QUEUED}:
        return NotHeld.MISSING
    return Held(str(person))
