"""Ortto's REST API v1: a request in, an answer out. No I/O; docs/sandbox.md says what is fact and what assumption."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from typing import Any, Final

from local.ortto.account import PERMISSION, Account, Person, Tag, is_id, now
from local.ortto.fields import INVALID
from local.ortto.knobs import Knobs
from local.ortto.merge import Merge
from local.ortto.reads import Reads
from local.ortto.schema import Schema
from local.sandbox.api import Reply
from local.sandbox.knobs import Dice

type Error = tuple[int, str, Any]

AUDIENCES: Final = ("Subscribers", "SMS subscribers", "My team")
MERGE: Final = "POST /person/merge"


class Api:
    """Answers calls to one account; a call's name is its method and path."""

    def __init__(self, account: Account, dice: Dice) -> None:
        self.account = account
        self.merge = Merge(account, dice)
        reads, schema = Reads(account), Schema(account)
        self._calls: dict[str, Callable[[Knobs, dict[str, Any]], Reply | Error]] = {
            "POST /person/get": reads.page,
            "POST /person/get-by-ids": reads.by_ids,
            "POST /tags/get": self._tags,
            "POST /audiences/get": self._audiences,
            "PUT /audience/subscribe": self._subscribe,
            "POST /person/subscriptions": self._subscriptions,
            "PUT /person/archive": self._archive,
            "PUT /person/restore": self._restore,
            "DELETE /person/delete": self._delete,
            "POST /person/custom-field/get": lambda _, __: schema.custom(),
            "POST /person/custom-field/create": lambda _, body: schema.create(body),
            "PUT /person/custom-field/update": lambda _, body: schema.update(body),
            "POST /instance-schema/get": lambda _, body: schema.read(body),
        }

    def knows(self, call: str) -> bool:
        """Whether there is such a call."""
        return call == MERGE or call in self._calls

    def carry_out(self, call: str, knobs: Knobs, body: bytes, *, drop: bool = False) -> Reply:
        """Carry a call out and answer it."""
        self.merge.do_what_is_due()
        try:
            content = json.loads(body)
        except ValueError:
            return problem(knobs, 404, "Failed to parse request")  # no body where one is due (vendor: "may occur")
        if not isinstance(content, dict):
            return problem(knobs, 400, "Failed to parse request")
        answer = (
            self.merge.carry_out(knobs, content, len(body), drop=drop)
            if call == MERGE
            else self._calls[call](knobs, content)
        )
        return answer if isinstance(answer, Reply) else problem(knobs, *answer)

    def _tags(self, knobs: Knobs, body: dict[str, Any]) -> Reply:
        """Return all tags, those of accounts too, whose ids are counted apart (recorded)."""
        words = str(body.get("q") or "").lower().split()
        found = [tag for tag in self.account.tags.values() if all(word in tag.name.lower() for word in words)]
        return Reply(200, [*(self._tag(knobs, tag) for tag in found), _ORGANIZATION])

    def _tag(self, knobs: Knobs, tag: Tag) -> dict[str, Any]:
        people = tag.seen(time.monotonic() - knobs.count_lag_ms / 1000) & self.account.people.keys()
        subscribers = sum(bool(self.account.people[person].fields.get(PERMISSION)) for person in people)
        times = {"created_at": tag.created_at, "last_used": tag.last_used}
        return {
            **_tag_of(tag.id, tag.name, knobs.account_name),
            **times,
            "count": len(people),
            "subscribers": subscribers,
            "type": "",
        }

    def _audiences(self, knobs: Knobs, body: dict[str, Any]) -> Reply:
        words = str(body.get("search_term") or "").lower()
        names = [name for name in AUDIENCES if words in name.lower()]
        offset, limit = int(body.get("offset") or 0), min(40, int(body.get("limit") or 40))
        items = [
            {
                "id": f"{number:024x}",
                "instance_id": knobs.account_name,
                "name": name,
                "type": "permanent",
                "ready": True,
                "building": False,
                "filter": None,
                "members": len(self.account.people),
            }
            for number, name in enumerate(names, 1)
        ]
        return Reply(200, items[offset : offset + limit] or None)

    def _subscribe(self, _: Knobs, body: dict[str, Any]) -> Reply | Error:
        """Change permissions; people who are no members are answered the same (recorded)."""
        people = body.get("people")
        if not isinstance(people, list) or not people:
            return 400, INVALID, None
        entries = []
        for item in people:
            found = self._named(item)
            if found and isinstance(item.get("subscribed"), bool):
                found.permit(item["subscribed"], "audience/subscribe")
            status = "subscribed" if item.get("subscribed") else "unsubscribed"
            entries.append({"person_status": "by-id" if item.get("person_id") else "merged", "status": status})
        return Reply(200, {"audience_id": body.get("audience_id"), "people": entries})

    def _subscriptions(self, _: Knobs, body: dict[str, Any]) -> Reply | Error:
        people = body.get("people")
        if not isinstance(people, list) or not people:
            return 400, INVALID, None
        found = [person for item in people if (person := self._named(item))]
        entries = [
            {
                "person_status": "by-id",
                "person_id": person.id,
                "subscriptions": [],
                "email_permissions": bool(person.fields.get(PERMISSION)),
                "sms_permissions": bool(person.fields.get("bol::sp")),
            }
            for person in found
        ]
        return Reply(200, {"people": entries})

    def _named(self, item: Any) -> Person | None:
        if not isinstance(item, dict):
            return None
        known = self.account.people.get(str(item.get("person_id")))
        return known or next(iter(self.account.find(str(item.get("email")))), None)

    def _archive(self, knobs: Knobs, body: dict[str, Any]) -> Reply | Error:
        return self._settle(knobs, body, self.account.people, self.account.archive_person, "archived_contacts")

    def _restore(self, knobs: Knobs, body: dict[str, Any]) -> Reply | Error:
        return self._settle(knobs, body, self.account.archive, self.account.restore, "restored_contacts")

    def _delete(self, knobs: Knobs, body: dict[str, Any]) -> Reply | Error:
        """Delete people who are in the archive; nobody else is (vendor)."""

        def delete(person: Person) -> None:
            del self.account.archive[person.id]

        return self._settle(knobs, body, self.account.archive, delete, "deleted_contacts")

    def _settle(
        self, knobs: Knobs, body: dict[str, Any], people: dict[str, Person], how: Callable[[Person], None], name: str
    ) -> Reply | Error:
        """Do something with people by their ids, with some of them a little later if a knob says so."""
        ids = body.get("inclusion_ids") or []
        if not all(is_id(item) for item in ids):
            return 400, "Failed to parse request cannot unmarshal into an ID: Object not found", None
        found = list(people.values()) if body.get("all_rows_selected") else [people[n] for n in ids if n in people]
        late = found[: knobs.delete_scheduled]
        for person in found[len(late) :]:
            how(person)
        self.merge.later += [(0.0, lambda person=person: how(person)) for person in late]  # type: ignore[misc]
        return Reply(200, {"scheduled_contacts": len(late), name: len(found) - len(late)})


def problem(knobs: Knobs, status: int, text: str, details: Any = None) -> Reply:
    """Return an error in the recorded envelope, or in the shape that a knob asks for."""
    match knobs.error_shape:
        case "rate_object":
            return Reply(status, {"error": {"code": "error", "message": text}})
        case "html":
            return Reply(status, "<html><body>Error</body></html>")
        case "empty":
            return Reply(status)
        case _:
            body = {"request_id": str(uuid.uuid4()), "code": status, "error": text}
            return Reply(status, {**body, "details": details} if details else body)


def _tag_of(number: int, name: str, account: str) -> dict[str, Any]:
    maker = {"created_by_id": "0" * 24, "created_by_name": "", "created_by_email": ""}
    return {"id": number, "instance_id": account, "name": name, **maker, "source": "api"}


_ORGANIZATION: Final = {
    **_tag_of(1, "My organization", "sandbox-instance"),
    "created_at": now(),
    "last_used": now(),
    "count": 1,
    "type": "organization",
}
