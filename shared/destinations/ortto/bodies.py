"""The shapes of Ortto's bodies: what a call's answer carries when it is the API's own, and nobody else's page."""

from __future__ import annotations

from typing import Any, Final

from shared.http.content import Content, bounded, is_array_of_objects, is_id, is_text

REFUSING: Final = frozenset({"invalid"})
"""What a merge's answer says of somebody whom it does not take (recorded)."""

SUPPRESSED: Final = "suppressed"
"""What it says of somebody whom it does not create, since their address is on the account's suppression list (recorded)."""

QUEUED: Final = "queued"


def is_error(content: Content) -> bool:
    """Whether it is the API's error: a text with `code` (recorded), or an object with a `code` of its own (vendor)."""
    if not isinstance(content, dict):
        return False
    error = content.get("error")
    if isinstance(error, dict):
        return is_text(error.get("code"))
    return is_text(error) and type(content.get("code")) is int


def has_details(content: Content) -> bool:
    """Whether it is an error that says of each person of a merge what was wrong."""
    return is_error(content) and _are_entries(content.get("details")) and bool(content["details"])


def has_people(content: Content) -> bool:
    """Whether it is a merge's answer: somebody's id, or why there is none."""
    return isinstance(content, dict) and _are_entries(content.get("people")) and "error" not in content


def _are_entries(content: Content) -> bool:
    return is_array_of_objects(content) and all(
        isinstance(item.get("status"), str) and is_id(item.get("person_id", "-")) for item in content
    )


def has_contacts_by_id(content: Content) -> bool:
    """Whether it is people by their ids; whoever is not there is left out, and null is nobody, as in other answers (recorded).

    Who says nothing else but that there is nobody is believed; what names people may have members that we do not know.
    """
    if not isinstance(content, dict) or "contacts" not in content:
        return False
    found = content["contacts"]
    if not found:
        return found in (None, {}) and len(content) == 1
    return isinstance(found, dict) and all(
        _is_contact(item) and item["id"] == contact_id for contact_id, item in found.items()
    )


def has_page(content: Content) -> bool:
    """Whether it is a page of people: where the next one begins, and how many there are in all.

    Null is nobody only where it counts nobody and has no more (recorded).
    """
    if not isinstance(content, dict) or not isinstance(content.get("meta"), dict):
        return False
    contacts, total = content.get("contacts"), content["meta"].get("total_matches")
    if not (type(total) is int and total >= 0 and type(content.get("next_offset")) is int):
        return False
    if not (isinstance(content.get("has_more"), bool) and is_id(content.get("cursor_id"))):
        return False
    if contacts is None:
        return total == 0 and not content["has_more"]
    return isinstance(contacts, list) and all(map(_is_contact, contacts))


def _is_contact(content: Content) -> bool:
    return isinstance(content, dict) and is_id(content.get("id")) and isinstance(content.get("fields"), dict)


def has_tags(content: Content) -> bool:
    """Whether it is all tags, null where there is none. One that was overlooked would be made again and filled from the beginning."""
    return content is None or (
        is_array_of_objects(content)
        and all(
            type(item.get("id")) is int and is_text(item.get("name")) and isinstance(item.get("type"), str)
            for item in content
        )
    )


def has_audiences(content: Content) -> bool:
    """Whether it is audiences; null where none is found (recorded)."""
    if content is None:
        return True
    return is_array_of_objects(content) and all(is_text(item.get("instance_id")) for item in content)


def has_fields(content: Content) -> bool:
    """Whether it is the schema: fields by namespace, each with its id and type; null where a namespace has none."""
    if not isinstance(content, dict) or not isinstance(content.get("namespaces"), dict):
        return False
    spaces = content["namespaces"].values()
    if not all(isinstance(space, dict) and isinstance(space.get("fields", 0), dict | None) for space in spaces):
        return False
    fields = [item for space in spaces for item in (space["fields"] or {}).values()]
    return bool(fields) and all(
        isinstance(item, dict) and is_text(item.get("id")) and is_text(item.get("display_type")) for item in fields
    )


def has_counts(name: str) -> Any:
    """Return a test for the counts of an archiving or a deletion: those that are done, and those that are scheduled."""

    def fits(content: Content) -> bool:
        return isinstance(content, dict) and all(
            type(content.get(count)) is int and content[count] >= 0 for count in (name, "scheduled_contacts")
        )

    return fits


def pause_of(content: Content) -> float | None:
    """Return the seconds that a 429's body asks to wait (vendor: `try-in-seconds`); None if it names none."""
    error = content.get("error") if isinstance(content, dict) else None
    seconds = error.get("try-in-seconds") if isinstance(error, dict) else None
    is_number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
    return (
        float(bounded(seconds)) if is_number and seconds is not None else None
    )  # a number may be too long for a float
