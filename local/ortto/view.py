"""The view of the Ortto sandbox: what it holds, and what people do by hand in the product. Not part of Ortto."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from local.ortto.account import OWN_TAG, Account, Person
from local.sandbox.api import Reply


def look(account: Account, method: str, path: str) -> Reply | None:
    """Answer a GET under /sandbox; None if there is no such thing."""
    match [method, *_parts(path)]:
        case ["GET", "tags"]:
            tags = [{"id": tag.id, "name": tag.name, "members": len(tag.people)} for tag in account.tags.values()]
            return Reply(200, {"tags": tags})
        case ["GET", "tags", name, "emails"] if tag := account.known_tag(name):
            return Reply(200, sorted(account.emails(tag.people)))
        case ["GET", "lists"]:
            named = [
                {"list_id": str(tag.id), "title": tag.name} for tag in account.tags.values() if tag.name != OWN_TAG
            ]
            return Reply(200, {"lists": named})
        case ["GET", "lists", tag_id, "emails"] if tag_id.isdecimal() and (tag := account.tags.get(int(tag_id))):
            return Reply(200, sorted(account.emails(tag.people)))
        case ["GET", "people" | "contacts"]:
            return Reply(200, [_shown(account, person) for person in account.people.values()])
        case ["GET", "people", email] if found := account.find(email):
            return Reply(200, _shown(account, found[0]))
        case ["GET", "archive"]:
            return Reply(200, [_shown(account, person) for person in account.archive.values()])
        case _:
            return None


def do_by_hand(account: Account, method: str, path: str, change: Any) -> Reply | None:
    """Do under /sandbox what people do in the product; None if there is no such thing."""
    match [method, *_parts(path)]:
        case ["PUT", "tags", name] if (tag := account.known_tag(name)) and isinstance(change, dict):
            tag.name = str(change["name"])
        case ["DELETE", "tags", name] if tag := account.known_tag(name):
            account.delete_tag(tag)
        case ["DELETE", "fields", name] if name in account.fields:
            del account.fields[name]
        case ["POST", "suppressed", email]:
            account.suppressed.add(email.lower())
        case ["DELETE", "suppressed", email]:
            account.suppressed.discard(email.lower())
        case [_, "people", email, *rest] if found := account.find(email):
            return _do_with(account, found[0], [method, *rest], change)
        case _:
            return None
    return Reply(204)


def _do_with(account: Account, person: Person, what: list[str], change: Any) -> Reply | None:
    """Do something with one person."""
    match what:
        case ["DELETE"]:
            account.archive_person(person)
            del account.archive[person.id]
        case ["PUT"] if isinstance(change, dict):
            account.change(person, change, "by hand")
        case ["POST", "tags", name]:
            account.tag(person, account.tag_named(name))
        case ["DELETE", "tags", name] if tag := account.known_tag(name):
            account.untag(person, tag)
        case ["POST", "archive"]:
            account.archive_person(person)
        case ["POST", "duplicate"]:
            account.create(dict(person.fields), "duplicated by hand")
        case ["POST", "unsubscribe"]:
            person.permit(False, "unsubscribed by hand")
        case _:
            return None
    return Reply(204)


def _parts(path: str) -> list[str]:
    return [unquote(part) for part in path.strip("/").split("/")[1:]]


def _shown(account: Account, person: Person) -> dict[str, Any]:
    tags = [account.tags[tag].name for tag in sorted(person.tags) if tag in account.tags]
    history = [{"at": at, "permitted": allowed, "why": why} for at, allowed, why in person.permissions]
    return {"id": person.id, "fields": person.fields, "tags": tags, "permissions": history}
