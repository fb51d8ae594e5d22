"""What people do at the destination themselves, beside the app."""

from __future__ import annotations

import re

from local.sandbox.account import Account


def by_hand(account: Account, text: str) -> None:
    """Do what a person does in Autopilot: `ann off VIP by hand`, or off `everything`, which deletes her, or a list.

    `ann off VIP to gus by hand` gives her contact another address as well.
    """
    found = re.fullmatch(r"(\w+) off (\w+)(?: to (\w+))? by hand", text)
    if found is None:
        raise ValueError(f"nobody does {text!r}")
    contact = account.find(f"{found[1]}@example.com")
    lists = {title: list_id for list_id, title in account.titles.items()}
    if found[2] == "everything" and contact:
        account.delete(contact)
    elif found[2] == "everything" and found[1] in lists:
        account.delete_list(lists[found[1]])
    elif contact and found[2] in lists:
        account.remove(lists[found[2]], contact)
        if found[3]:
            account.upsert({"contact_id": contact.id, "_NewEmail": f"{found[3]}@example.com"}, honour_list=False)
