"""The adapter to Autopilot's REST API v1: one method a call, no retries, no pacing.

Which answers mean what stands in `shared.destinations.autopilot.answers`; how they are read from the wire in `shared.http.transport`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from shared.delivery.account import Identity
from shared.delivery.destination import Key
from shared.delivery.errors import ContactGone, KeyRefused, NoAnswer, Refused
from shared.destinations.autopilot.answers import (
    Call,
    Page,
    contact_ids,
    custom_field_types,
    list_ids,
    new_list_id,
    page,
    read,
)
from shared.destinations.autopilot.bodies import account_name, instance_of
from shared.http.content import DOT_SEGMENTS
from shared.http.transport import NoConnection, Requests, Session
from shared.telemetry.tracing import calling


class Autopilot:
    """One Autopilot account. Every method raises an DestinationError of `shared.destinations.autopilot.answers` when there is no result."""

    def __init__(self, url: str, key: Key, http: Session) -> None:
        self._key = key
        self._requests = Requests(url, http, "autopilotapikey")

    def identity(self) -> Identity:
        """Return who the key's account is (third-party reports: `fullName`, `instanceId`)."""
        content = self._call(Call.ACCOUNT)
        return Identity(name=account_name(content), id=instance_of(content))

    def custom_fields(self) -> dict[str, str]:
        """Return the account's custom fields: type by name."""
        return custom_field_types(self._call(Call.FIELDS))

    def lists(self) -> dict[str, list[str]]:
        """Return the ids of all lists by exact title; titles can be double."""
        return list_ids(self._call(Call.LISTS))

    def create_list(self, title: str) -> str:
        """Create a list and return its id. Autopilot may make a second one of the same title: look before."""
        return new_list_id(self._call(Call.CREATE_LIST, {"name": title}), title)

    def upsert(self, contacts: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Send at most 100 contacts; return contact ids by lower-case address. Who is missing from it failed."""
        answer = self._call(Call.UPSERT, {"contacts": list(contacts)})
        return contact_ids(answer, {str(contact.get("Email", "")).lower() for contact in contacts})

    def upsert_one(self, contact: Mapping[str, Any]) -> str:
        """Send one contact; return its id."""
        return str(self._call(Call.UPSERT_ONE, {"contact": dict(contact)})["contact_id"])

    def find(self, contact: str) -> dict[str, Any] | None:
        """Return the contact with this id or address, or None if Autopilot itself says that there is none."""
        try:
            found: dict[str, Any] = self._call(Call.FIND, contact=contact)
        except ContactGone:
            return None
        return found

    def delete(self, contact: str) -> None:
        """Delete a contact by id or address; raise ContactGone if there was none. What is erased `find` tells."""
        self._call(Call.DELETE, contact=contact)

    def add(self, list_id: str, contact: str) -> None:
        """Put a contact on a list, harmless if it is there already; raise Unclear where `find` has to tell."""
        self._call(Call.ADD, list=list_id, contact=contact)

    def remove(self, list_id: str, contact: str) -> None:
        """Take a contact off a list, harmless if it is not there; raise Unclear where `find` has to tell."""
        self._call(Call.REMOVE, list=list_id, contact=contact)

    def members(self, list_id: str, bookmark: str | None = None) -> Page:
        """Return one page of a list's members, 100 of them, from `bookmark` on.

        Raise Unclear if there is perhaps no such list: `lists` tells.
        """
        if bookmark is None:
            return page(self._call(Call.MEMBERS, list=list_id))
        return page(self._call(Call.MORE_MEMBERS, list=list_id, bookmark=bookmark))

    def _call(self, call: Call, body: object = None, **parts: str) -> Any:
        """Make one call; a refused key is read again once, since it may have been rotated."""
        key = self._key.current()
        try:
            return self._send(key, call, body, parts)
        except KeyRefused:
            newer = self._key.renewed(key)
            if newer is None:
                raise
            return self._send(newer, call, body, parts)

    def _send(self, key: str, call: Call, body: object, parts: Mapping[str, str]) -> Any:
        if not DOT_SEGMENTS.isdisjoint(parts.values()):
            raise Refused(f"{call} was not made: what it is about has no id")
        method, _, template = call.partition(" ")
        path = template.format(**{name: quote(part, safe="") for name, part in parts.items()})
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        with calling(method, template) as made:
            try:
                answer = self._requests.send(method, path, key, data)
            except NoConnection as error:
                made.error = str(error)
                raise NoAnswer(f"{call} had no answer ({error})") from None
            made.status = answer.status
        return read(call, answer.status, answer.headers, answer.body)
