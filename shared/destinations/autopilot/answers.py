"""What an answer of Autopilot means: the one place that turns an HTTP answer into a value or an error.

ANSWERS states for each call which answers of the API mean *done*, *not there* or *refused*, and where that is known
from. Any other answer, whatever its status, is no answer: nothing is known of what was asked.

What the errors ask of the caller stands in `shared.delivery.errors`. No error carries a path or a body: both can hold an address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from shared.delivery.answers import Answer, Known, Meaning, error_of, fitting
from shared.delivery.errors import NoAnswer, OtherList
from shared.destinations.autopilot.bodies import (
    has_account,
    has_contact_id,
    has_document,
    has_list_id,
    has_lists,
    has_map,
    has_page,
    is_error,
    is_nothing_or_empty,
    is_unmodified,
    says,
)
from shared.http.content import is_array_of_objects, is_empty, is_id, is_object, parse, retry_after


class Call(StrEnum):
    """The calls we make: method and path."""

    ACCOUNT = "GET /account"
    FIELDS = "GET /contacts/custom_fields"
    LISTS = "GET /lists"
    CREATE_LIST = "POST /list"
    UPSERT = "POST /contacts"
    UPSERT_ONE = "POST /contact"
    FIND = "GET /contact/{contact}"
    DELETE = "DELETE /contact/{contact}"
    ADD = "POST /list/{list}/contact/{contact}"
    REMOVE = "DELETE /list/{list}/contact/{contact}"
    MEMBERS = "GET /list/{list}/contacts"
    MORE_MEMBERS = "GET /list/{list}/contacts/{bookmark}"


_NO_CONTACT: Final = says("Contact could not be found.", "Could not delete contact as contact could not be found.")
_NO_LIST: Final = says("List does not exist.")

_CONTACT_GONE: Final = Answer(404, _NO_CONTACT, Meaning.CONTACT_GONE, Known.VENDOR)
_LIST_GONE: Final = Answer(404, _NO_LIST, Meaning.LIST_GONE, Known.REPORTED)

EVERY_CALL: Final = (
    Answer(401, is_error, Meaning.KEY_REFUSED, Known.VENDOR),
    Answer(429, lambda _: True, Meaning.THROTTLED, Known.VENDOR),
    Answer(400, says("No autopilotapikey header provided."), Meaning.ACCOUNT_REFUSED, Known.VENDOR),
    Answer(400, is_error, Meaning.REFUSED, Known.VENDOR),
    Answer(413, is_error, Meaning.REFUSED, Known.ASSUMED),
    Answer(422, is_error, Meaning.REFUSED, Known.ASSUMED),
    Answer(402, is_error, Meaning.ACCOUNT_REFUSED, Known.ASSUMED),
    Answer(403, is_error, Meaning.ACCOUNT_REFUSED, Known.ASSUMED),
)
"""What any call may be answered, beside its own answers."""

_MEMBERSHIP: Final = (
    Answer(200, is_unmodified, Meaning.DONE, Known.REPORTED),
    Answer(200, is_object, Meaning.UNCLEAR, Known.ASSUMED),
    Answer(200, is_empty, Meaning.UNCLEAR, Known.ASSUMED),
    Answer(204, is_empty, Meaning.UNCLEAR, Known.ASSUMED),
    _CONTACT_GONE,
    _LIST_GONE,
)
"""That an object comes is recorded; which, only that it may say `not_modified`. So another one is looked behind."""

_PAGE: Final = (
    Answer(200, has_page, Meaning.DONE, Known.RECORDED),
    Answer(404, is_nothing_or_empty, Meaning.UNCLEAR, Known.REPORTED),  # the list is gone, say third parties
    _LIST_GONE,
)

ANSWERS: Final[Mapping[Call, tuple[Answer, ...]]] = {
    Call.ACCOUNT: (Answer(200, has_account, Meaning.DONE, Known.REPORTED),),
    Call.FIELDS: (Answer(200, is_array_of_objects, Meaning.DONE, Known.REPORTED),),
    Call.LISTS: (Answer(200, has_lists, Meaning.DONE, Known.RECORDED),),
    Call.CREATE_LIST: (
        Answer(200, has_list_id, Meaning.DONE, Known.RECORDED),
        Answer(409, is_error, Meaning.REFUSED, Known.VENDOR),  # a list of this name exists; contradicted
    ),
    Call.UPSERT: (Answer(200, has_map, Meaning.DONE, Known.RECORDED), _LIST_GONE),
    Call.UPSERT_ONE: (Answer(200, has_contact_id, Meaning.DONE, Known.RECORDED), _LIST_GONE),
    Call.FIND: (Answer(200, has_document, Meaning.DONE, Known.RECORDED), _CONTACT_GONE),
    Call.DELETE: (
        Answer(200, is_unmodified, Meaning.DONE, Known.REPORTED),
        Answer(204, is_empty, Meaning.DONE, Known.VENDOR),  # draft of 2015; who erases reads back in any case
        _CONTACT_GONE,
    ),
    Call.ADD: _MEMBERSHIP,
    Call.REMOVE: _MEMBERSHIP,
    Call.MEMBERS: _PAGE,
    Call.MORE_MEMBERS: _PAGE,
}
"""The answers of each call, the exact ones first: the first that fits counts."""


def read(call: Call, status: int, headers: Mapping[str, str], body: bytes) -> Any:
    """Return what an answer holds if it says that the call is done; raise what it means otherwise."""
    content = parse(headers.get("Content-Type", ""), body)
    text = f"{call} was answered {status}"
    answer = fitting((*ANSWERS[call], *EVERY_CALL), status, content, text)
    if answer.meaning is Meaning.DONE:
        return content
    raise error_of(answer.meaning, text, retry_after(headers.get("Retry-After"), headers.get("Date")))


def contact_ids(answer: Mapping[str, Any], sent: Mapping[str, object] | set[str]) -> dict[str, str]:
    """Return contact ids by lower-case address, as a bulk answer to the addresses `sent` has them.

    An address that is missing from it failed. Raise NoAnswer if the answer is about others altogether.
    """
    found = {email.lower(): value for email, value in answer["email_contact_map"].items()}
    if found and not any(email in found for email in sent):
        raise NoAnswer(f"{Call.UPSERT} was answered for another call")
    return {email: value for email, value in found.items() if email in sent and is_id(value)}


def new_list_id(answer: Mapping[str, Any], title: str) -> str:
    """Return the id of a list that was made; raise OtherList if its title is another one."""
    if answer.get("name", title) != title:
        raise OtherList(f"{Call.CREATE_LIST} was answered with another title", str(answer["list_id"]))
    return str(answer["list_id"])


def lists_of(answer: Mapping[str, Any], contact: str) -> tuple[str, ...]:
    """Return the ids of the lists a contact is on, as its own document names them (recorded).

    Raise NoAnswer if it is the document of another contact.
    """
    if answer["contact_id"] != contact:
        raise NoAnswer(f"{Call.FIND} was answered for another call")
    return tuple(answer.get("lists") or ())


def list_ids(answer: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the ids of all lists by exact title, which can be double."""
    found: dict[str, list[str]] = {}
    for item in answer["lists"]:
        found.setdefault(item["title"], []).append(item["list_id"])
    return found


def custom_field_types(answer: list[dict[str, Any]]) -> dict[str, str]:
    """Return the account's custom fields: type by name."""
    return {str(item["name"]): str(item["fieldType"]) for item in answer if "name" in item and "fieldType" in item}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of contacts, where the next one begins (None: this is the last), and how many there are in all."""

    contacts: tuple[Mapping[str, Any], ...]
    bookmark: str | None
    total: int


def page(answer: Mapping[str, Any]) -> Page:
    """Return a page of contacts: the end is where no bookmark is (recorded; third-party report)."""
    return Page(tuple(answer["contacts"]), answer.get("bookmark") or None, answer["total_contacts"])
