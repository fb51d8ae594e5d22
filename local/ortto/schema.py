"""Custom fields and the account's schema: read, created, changed. No I/O."""

from __future__ import annotations

from typing import Any, Final

from local.ortto.account import Account
from local.ortto.fields import INVALID, PREFIXES, Field, custom_id
from local.sandbox.api import Reply

TAKEN: Final = 423
"""What an existing name is answered (vendor's script of 2022)."""

type Error = tuple[int, str, Any]


class Schema:
    """The fields of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def read(self, body: dict[str, Any]) -> Reply | Error:
        """Return the fields by namespace: all of them where none is named."""
        asked = body.get("namespaces")
        if not isinstance(asked, list):
            return 400, INVALID, None
        namespaces: dict[str, dict[str, Any]] = {}
        for item in self._account.fields.values():
            space = item.id.split(":")[1]
            if (not asked or space in asked) and item.id != "str::person_id":
                entry = {"id": item.id, "name": item.name, "display_type": item.display_type}
                fields = namespaces.setdefault(space, {"id": space, "fields": {}})["fields"]
                fields[item.id] = {**entry, "read_only": item.read_only}
        return Reply(200, {"namespaces": namespaces})

    def custom(self) -> Reply:
        """Return the custom fields; null where there is none (recorded)."""
        found = [self._account.fields[name] for name in self._account.custom]
        items = [{"field": {**_entry(item), **self._account.custom[item.id]}, "tracked_value": False} for item in found]
        return Reply(200, {"fields": items or None})

    def create(self, body: dict[str, Any]) -> Reply | Error:
        """Create a custom person field."""
        kind, name = body.get("type"), body.get("name")
        if not isinstance(kind, str) or kind not in PREFIXES or not isinstance(name, str) or not name.strip():
            return 400, INVALID, None
        made = Field(custom_id(kind, name), name, kind)
        if made.id in self._account.fields:
            return TAKEN, "Field exists", None
        self._account.fields[made.id] = made
        values = {"dic_items": body["values"]} if isinstance(body.get("values"), list) else {}
        self._account.custom[made.id] = values
        return Reply(200, {"name": name, "field_id": made.id, "display_type": kind})

    def update(self, body: dict[str, Any]) -> Reply | Error:
        """Change the options of a select field; name and type never change (vendor)."""
        found = self._account.fields.get(str(body.get("field_id")))
        if found is None or found.id not in self._account.custom:
            return 400, "Object not found", None
        self._account.custom[found.id]["dic_items"] = body.get("values") or []
        return Reply(200, {"name": found.name, "field_id": found.id, "display_type": found.display_type})


def _entry(item: Field) -> dict[str, Any]:
    return {"id": item.id, "name": item.name, "display_type": item.display_type}
