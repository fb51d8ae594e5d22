"""Autopilot's REST API v1: a request in, an answer out. No I/O; see docs/sandbox.md for what is fact and what assumption."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final
from urllib.parse import unquote

from local.sandbox.account import PAGE, Account, Contact
from local.sandbox.knobs import Dice, Knobs

BULK: Final = 100

HOOK_EVENTS: Final = frozenset(
    {
        "contact_added",
        "contact_updated",
        "contact_unsubscribes",
        "contact_added_to_list",
        "contact_removed_from_list",
        "contact_entered_segment",
        "contact_left_segment",
    }
)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `body` None is an empty one."""

    status: int
    body: Any = None
    retry_after: str | None = None


class Api:
    """Answers calls to one account. `endpoint` names the template a call went to, for statistics without addresses."""

    def __init__(self, account: Account, dice: Dice) -> None:
        self.account = account
        self.dice = dice
        self.bulk_calls = 0
        self.contact_calls = 0
        self.hooks: dict[str, dict[str, str]] = {}
        self._routes: list[tuple[str, re.Pattern[str], str, Callable[..., Reply]]] = [
            (method, _pattern(template), template, handler)
            for method, template, handler in (
                ("POST", "/contact", self._upsert),
                ("POST", "/contacts", self._bulk),
                ("GET", "/contacts/custom_fields", self._custom_fields),
                ("GET", "/contacts", self._contacts),
                ("GET", "/contacts/{bookmark}", self._contacts),
                ("GET", "/contact/{contact}", self._get),
                ("DELETE", "/contact/{contact}", self._delete),
                ("POST", "/contact/{contact}/unsubscribe", self._unsubscribe),
                ("GET", "/lists", self._lists),
                ("POST", "/list", self._create_list),
                ("GET", "/list/{list}/contacts", self._members),
                ("GET", "/list/{list}/contacts/{bookmark}", self._members),
                ("GET", "/list/{list}/contact/{contact}", self._is_member),
                ("POST", "/list/{list}/contact/{contact}", self._add),
                ("DELETE", "/list/{list}/contact/{contact}", self._remove),
                ("GET", "/account", self._account),
                ("GET", "/triggers", self._triggers),
                ("GET", "/hooks", self._hooks),
                ("POST", "/hook", self._create_hook),
                ("DELETE", "/hook/{hook}", self._delete_hook),
                ("DELETE", "/hooks", self._delete_hooks),
            )
        ]

    def route(self, method: str, path: str) -> tuple[str, Callable[..., Reply]] | None:
        """Find what a request asks for: the endpoint's template, and what carries it out."""
        path = path.rstrip("/")  # third-party clients end paths so
        for wanted, pattern, template, handler in self._routes:
            found = pattern.fullmatch(path) if wanted == method else None
            if found:
                parts = {name: unquote(value) for name, value in found.groupdict().items()}
                return f"{method} {template}", partial(handler, **parts)
        return None

    def _upsert(self, knobs: Knobs, body: bytes, **_: object) -> Reply:
        content = _object(body).get("contact")
        if not isinstance(content, dict) or not content:
            return problem(knobs, 400, "No contact details provided.")
        if self._refuses(knobs, content):
            return problem(knobs, 400, "Invalid contact provided.")
        self.contact_calls += 1
        known = self.account.find(str(content.get("Email", ""))) is not None
        contact = self.account.upsert(content, honour_list=_honours(knobs.contact_lists, known, self.contact_calls))
        return Reply(200, {"contact_id": contact.id})

    def _bulk(self, knobs: Knobs, body: bytes, drop: bool, **_: object) -> Reply:
        contacts = _object(body).get("contacts")
        if not isinstance(contacts, list) or not contacts or len(contacts) > BULK:
            return problem(knobs, 400, "Invalid contacts provided.")
        if any(self._refuses(knobs, content) for content in contacts):
            return problem(knobs, 400, "Invalid contacts provided.")
        self.bulk_calls += 1
        left_out = self.dice.choose(len(contacts)) if drop else -1
        ids: list[str] = []
        by_email: dict[str, str] = {}
        for place, content in enumerate(contacts):
            if place == left_out:
                continue
            known = self.account.find(str(content.get("Email", ""))) is not None
            contact = self.account.upsert(content, honour_list=_honours(knobs.bulk_lists, known, self.bulk_calls))
            ids.append(contact.id)
            if content.get("Email"):
                by_email[str(content["Email"])] = contact.id
        answer = {"contact_ids": ids, "email_contact_map": by_email, "_removeResultKeys": ["proposedContacts"]}
        return Reply(200, answer)

    def _refuses(self, knobs: Knobs, content: object) -> bool:
        """Whether a contact is refused (assumed: by a poisoned address, no object, or past the contract's limit)."""
        if not isinstance(content, dict) or not isinstance(content.get("custom") or {}, dict):
            return True
        email = str(content.get("Email") or "")
        if knobs.poison and email.lower().startswith(knobs.poison):
            return True
        full = knobs.contact_limit is not None and len(self.account.contacts) >= knobs.contact_limit
        return full and self.account.find(email) is None

    def _get(self, knobs: Knobs, contact: str, **_: object) -> Reply:
        found = self.account.find(contact)
        if found is None:
            return problem(knobs, 404, "Contact could not be found.")
        return Reply(200, _read_back(knobs, found))

    def _delete(self, knobs: Knobs, contact: str, **_: object) -> Reply:
        found = self.account.find(contact)
        if found is None:
            return problem(knobs, 404, "Could not delete contact as contact could not be found.")
        self.account.delete(found)
        return Reply(200, {})

    def _unsubscribe(self, knobs: Knobs, contact: str, **_: object) -> Reply:
        found = self.account.find(contact)
        if found is None:
            return problem(knobs, 404, "Contact could not be found.")
        found.fields["unsubscribed"] = True
        return Reply(200, {})

    def _contacts(self, knobs: Knobs, bookmark: str | None = None, **_: object) -> Reply:
        return self._page(knobs, self.account.contacts, bookmark)

    def _custom_fields(self, **_: object) -> Reply:
        items = self.account.custom_fields.items()
        return Reply(200, [{"name": name, "fieldType": kind} for name, kind in items])

    def _lists(self, **_: object) -> Reply:
        return Reply(
            200, {"lists": [{"list_id": list_id, "title": title} for list_id, title in self.account.titles.items()]}
        )

    def _create_list(self, knobs: Knobs, body: bytes, **_: object) -> Reply:
        name = _object(body).get("name")
        if not isinstance(name, str) or not name:
            return problem(knobs, 400, "No list name provided.")
        return Reply(200, {"list_id": self.account.create_list(name), "name": name})

    def _members(self, knobs: Knobs, list: str, bookmark: str | None = None, **_: object) -> Reply:  # noqa: A002
        if list not in self.account.members:
            return Reply(404)
        return self._page(knobs, self.account.members[list], bookmark)

    def _is_member(self, knobs: Knobs, list: str, contact: str, **_: object) -> Reply:  # noqa: A002
        if list not in self.account.members:
            return problem(knobs, 404, "List does not exist.")
        found = self.account.find(contact)
        if found is None:
            return problem(knobs, 404, "Contact could not be found.")
        return Reply(200, {}) if list in found.lists else Reply(404, {})

    def _add(self, knobs: Knobs, list: str, contact: str, **_: object) -> Reply:  # noqa: A002 - the path's name
        return self._change(knobs, list, contact, self.account.add)

    def _remove(self, knobs: Knobs, list: str, contact: str, **_: object) -> Reply:  # noqa: A002 - the path's name
        return self._change(knobs, list, contact, self.account.remove)

    def _change(self, knobs: Knobs, list_id: str, contact: str, how: Callable[[str, Contact], bool]) -> Reply:
        if list_id not in self.account.members:
            return problem(knobs, 404, "List does not exist.")
        found = self.account.find(contact)
        if found is None:
            return problem(knobs, 404, "Contact could not be found.")
        return Reply(200, {} if how(list_id, found) else {"not_modified": True})

    def _account(self, knobs: Knobs, **_: object) -> Reply:
        return Reply(200, {"instanceId": knobs.instance, "fullName": knobs.account_name, "email": "owner@example.com"})

    def _triggers(self, **_: object) -> Reply:
        return Reply(200, {"triggers": []})

    def _hooks(self, **_: object) -> Reply:
        return Reply(200, {"hooks": list(self.hooks.values())})

    def _create_hook(self, knobs: Knobs, body: bytes, **_: object) -> Reply:
        content = _object(body)
        event, url = content.get("event"), content.get("target_url")
        if not isinstance(event, str) or event not in HOOK_EVENTS:
            return problem(knobs, 400, "Invalid event provided to register REST Hook.")
        if not isinstance(url, str) or not url.startswith("http"):
            return problem(knobs, 400, "Invalid target_url provided to register REST Hook.")
        hook_id = f"hook_{len(self.hooks) + 1}"
        self.hooks[hook_id] = {"hook_id": hook_id, "event": event, "target_url": url}
        return Reply(201, {"hook_id": hook_id})

    def _delete_hook(self, knobs: Knobs, hook: str, **_: object) -> Reply:
        if self.hooks.pop(hook, None) is None:
            return problem(knobs, 404, "REST Hook could not be found.")
        return Reply(200, {})

    def _delete_hooks(self, **_: object) -> Reply:
        self.hooks.clear()
        return Reply(200, {})

    def _page(self, knobs: Knobs, ids: Any, bookmark: str | None) -> Reply:
        found, more = self.account.page(ids, bookmark)
        if knobs.bookmarks == "endless":
            more = f"bookmark_{self.dice.choose(1 << 60)}"
            found = found or [self.account.contacts[contact_id] for contact_id in sorted(ids)[:PAGE]]
        body: dict[str, Any] = {"contacts": [_read_back(knobs, item) for item in found], "total_contacts": len(ids)}
        return Reply(200, {**body, "bookmark": more} if more else body)


def problem(knobs: Knobs, status: int, message: str) -> Reply:
    """Return an error in the vendor's envelope of 2015, or in restify's (inferred)."""
    names = {400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}
    name = names.get(status, "Internal Server Error")
    if knobs.error_shape == "code":
        return Reply(status, {"code": name.replace(" ", "") + "Error", "message": message})
    return Reply(status, {"error": name, "message": message})


def _honours(knob: str, known: bool, calls: int) -> bool:
    """Whether a call honours `_autopilot_list`, after as many calls of its kind, for a contact that is known or not."""
    match knob.partition(":"):
        case ("honoured", _, _):
            return True
        case ("new_only", _, _):
            return not known
        case ("until", _, last):
            return calls <= int(last)
        case _:
            return False


def _read_back(knobs: Knobs, contact: Contact) -> dict[str, Any]:
    """Return a contact's document, with its values in another form if a knob says so."""
    document = contact.document()
    if knobs.read_back == "exact":
        return document
    change = _as_text if knobs.read_back == "texts" else _as_blank
    items = [{**item, "value": change(item["value"])} for item in document.pop("custom_fields", [])]
    changed = {name: change(value) for name, value in document.items()}
    return {**changed, "custom_fields": items} if items else changed


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _as_blank(value: object) -> object:
    return "" if value is None else value


def _object(body: bytes) -> dict[str, Any]:
    """Return a body's object; a text that holds the JSON will do as well (third-party clients)."""
    try:
        content = json.loads(body or b"{}")
        content = json.loads(content) if isinstance(content, str) else content
    except ValueError:
        return {}
    return content if isinstance(content, dict) else {}


@cache
def _pattern(template: str) -> re.Pattern[str]:
    return re.compile("/v1" + re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", template))
