"""The shapes of Autopilot's bodies: what a call's answer carries when it is the API's own, and nobody else's page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from shared.http.content import EMPTY, LONGEST_NAME, Content, is_array_of_objects, is_id, is_text, printable


def is_nothing_or_empty(content: Content) -> bool:
    """Whether there is no body, or `{}`."""
    return content is EMPTY or content == {}


def is_unmodified(content: Content) -> bool:
    """Whether it is `{}`, or says only whether anything was modified."""
    return isinstance(content, dict) and all(
        name == "not_modified" and isinstance(value, bool) for name, value in content.items()
    )


def is_error(content: Content) -> bool:
    """Whether it is the API's error: `message`, and `error` (vendor) or `code` (third-party client)."""
    return (
        isinstance(content, dict)
        and is_text(content.get("message"))
        and any(is_text(content.get(name)) for name in ("error", "code"))
    )


def says(*messages: str) -> Callable[[Content], bool]:
    """Return a test for an error with one of these very messages."""
    known = {message.lower() for message in messages}

    def said(content: Content) -> bool:
        return isinstance(content, dict) and str(content.get("message")).strip().lower() in known

    return said


def has_account(content: Content) -> bool:
    """Whether it names an account."""
    return isinstance(content, dict) and bool(account_name(content))


def account_name(content: Mapping[str, Any]) -> str:
    """Return whose account it is, fit to be kept and printed: `fullName`, else `instanceId`; empty if it says neither."""
    names = (content.get("fullName"), content.get("instanceId"))
    return next((name for name in map(printable, names) if name), "")


def instance_of(content: Mapping[str, Any]) -> str | None:
    """Return the account's own id, `instanceId`, as it was told; None if it tells none."""
    told = content.get("instanceId")
    return str(told)[:LONGEST_NAME] if isinstance(told, str | int) and str(told) else None


def has_lists(content: Content) -> bool:
    """Whether it is all lists. One that was overlooked would be made again and filled from the beginning."""
    return (
        isinstance(content, dict)
        and is_array_of_objects(content.get("lists"))
        and all(isinstance(item.get("title"), str) and is_id(item.get("list_id")) for item in content["lists"])
    )


def has_list_id(content: Content) -> bool:
    """Whether it names a list that was made."""
    return isinstance(content, dict) and is_id(content.get("list_id")) and "error" not in content


def has_map(content: Content) -> bool:
    """Whether it says which contacts were taken: without a map it says nothing of anybody."""
    return isinstance(content, dict) and isinstance(content.get("email_contact_map"), dict)


def has_contact_id(content: Content) -> bool:
    """Whether it names the contact that was sent."""
    return isinstance(content, dict) and is_id(content.get("contact_id")) and "error" not in content


def has_document(content: Content) -> bool:
    """Whether it is a contact's document; its `lists`, if it is on any, are ids."""
    return has_contact_id(content) and (
        content.get("lists") is None
        or (isinstance(content["lists"], list) and all(is_id(item) for item in content["lists"]))
    )


def has_page(content: Content) -> bool:
    """Whether it is a page of contacts, each with its id: how many there are in all, and where the next page begins, if there is one."""
    if not isinstance(content, dict) or not is_array_of_objects(content.get("contacts")):
        return False
    if not all(is_id(item.get("contact_id")) for item in content["contacts"]):
        return False
    total, bookmark = content.get("total_contacts"), content.get("bookmark")
    return type(total) is int and total >= 0 and (bookmark is None or bookmark == "" or is_id(bookmark))
