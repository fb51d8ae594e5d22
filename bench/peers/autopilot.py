"""What the peers ask of Autopilot, standard library only; how a call is sent, paced and retried is each one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

from bench.peers.calls import AS_DOCUMENTED, OnRefused, Refused, Send
from bench.peers.segment import refused


def find_list(send: Send, name: str) -> str:
    """Return the list's id; makes the list if there is none of the name."""
    lists = {item["title"]: item["list_id"] for item in send("GET", "/lists", None).json()["lists"]}
    return str(lists.get(name) or send("POST", "/list", {"name": name}).json()["list_id"])


def put(send: Send, contact: dict[str, Any], list_id: str, on_refused: OnRefused = refused) -> None:
    """Upsert one contact onto the list in one call, which a single upsert can; says so if it is refused."""
    answer = send("POST", "/contact", {"contact": {**contact, "_autopilot_list": list_id}})
    if answer.status_code == 400:
        on_refused(contact, answer.text)
    elif answer.status_code != 200:
        raise Refused(f"{answer.status_code} {answer.text}")


def put_batch(
    send: Send,
    contacts: Sequence[dict[str, Any]],
    list_id: str,
    each: Callable[..., Any] = map,
    on_refused: OnRefused = refused,
) -> None:
    """Upsert up to 100 contacts in a call and put each on the list; `each` may be an executor's map.

    A refused batch names nobody, so its contacts are sent one by one, unless it shall be as documented.
    """
    answer = send("POST", "/contacts", {"contacts": list(contacts)})
    if answer.status_code == 400 and AS_DOCUMENTED:
        raise Refused(f"{answer.status_code} {answer.text}")
    if answer.status_code == 400:
        list(each(lambda contact: put(send, contact, list_id, on_refused), contacts))
        return
    ids: dict[str, str] = answer.json()["email_contact_map"]
    for contact in contacts:
        if contact["Email"] not in ids:
            on_refused(contact, "left out of a bulk answer")
    list(each(lambda contact_id: _add(send, list_id, contact_id), dict.fromkeys(ids.values())))


def _add(send: Send, list_id: str, contact_id: str) -> None:
    answer = send("POST", f"/list/{quote(list_id)}/contact/{quote(contact_id)}", None)
    if answer.status_code != 200:
        raise Refused(f"{answer.status_code} {answer.text}")
