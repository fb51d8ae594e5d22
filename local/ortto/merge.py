"""`POST /v1/person/merge`: people created and merged, with a result for each. No I/O."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from local.ortto.account import EMAIL, PERMISSION, Account, Person
from local.ortto.fields import INVALID, is_too_long, longest, stored, takes
from local.ortto.knobs import Knobs
from local.sandbox.api import Reply
from local.sandbox.knobs import Dice

PEOPLE: Final = 100
BYTES: Final = 2 << 20
PERSON_ID: Final = "str::person_id"
FILL, OVERWRITE, KEEP = 1, 2, 3
ANY, FIRST_FILLED, ALL = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Bad:
    """Why a person is not merged: the status and the text of their entry."""

    status: str
    error: str

    @property
    def entry(self) -> dict[str, str]:
        """The entry of an answer."""
        return {"status": self.status, "error": self.error} if self.error else {"status": self.status}


class Wrong(Exception):
    """The whole request is refused; the text is the answer's."""


@dataclass(slots=True)
class Merge:
    """Carries out merges on one account."""

    account: Account
    dice: Dice
    later: list[tuple[float, Callable[[], object]]] = field(default_factory=list)

    def carry_out(self, knobs: Knobs, body: dict[str, Any], size: int, *, drop: bool) -> Reply | tuple[int, str, Any]:
        """Merge people; return the answer, or status, text and details of an error."""
        people = body.get("people")
        if not isinstance(people, list) or not people or not all(isinstance(item, dict) for item in people):
            return 400, INVALID, None
        if len(people) > PEOPLE or size > BYTES:
            if knobs.too_many != "truncate":
                return int(knobs.too_many), "Too many people, or too large", None
            people = people[:PEOPLE]
        if body.get("async"):
            return self._queue(knobs, body, people)
        try:
            return self._merge(knobs, body, people, drop=drop)
        except Wrong as error:
            return 400, str(error), None

    def do_what_is_due(self) -> None:
        """Carry out what was queued, and is due by now."""
        due = [item for item in self.later if item[0] <= time.monotonic()]
        self.later = [item for item in self.later if item not in due]
        for _, call in due:
            call()

    def _queue(self, knobs: Knobs, body: dict[str, Any], people: list[dict[str, Any]]) -> Reply:
        """Answer at once and do the work later; what fails then nobody hears of (assumed)."""

        def work() -> None:
            for item in people:
                self._one(knobs, body, item)

        self.later.append((time.monotonic() + knobs.async_lag_ms / 1000, work))
        entries = [_queued(item, with_id=knobs.async_answer == "queued_with_id") for item in people]
        return Reply(200, {"people": entries})

    def _merge(
        self, knobs: Knobs, body: dict[str, Any], people: list[dict[str, Any]], *, drop: bool
    ) -> Reply | tuple[int, str, Any]:
        judged = [self._judge(knobs, body, item) for item in people]
        bad = [item for item in judged if item is not None]
        refuses_all = len(bad) == len(people) and any(item.error for item in bad)
        if refuses_all or (any(item.error for item in bad) and knobs.mixed_batch in {"whole_400", "details"}):
            details = [item.entry if item else {"status": "", "error": ""} for item in judged]
            reason = next(item.error for item in bad if item.error)
            shown = None if knobs.mixed_batch == "whole_400" and not refuses_all else details
            return 400, f"No valid contacts provided ({reason})", shown
        left_out = self.dice.choose(len(people)) if drop else -1
        entries = []
        for place, (item, verdict) in enumerate(zip(people, judged, strict=True)):
            if place == left_out:
                continue
            entry = verdict.entry if verdict else self._one(knobs, body, item)
            if not (verdict and (knobs.mixed_batch == "only_accepted" or verdict.status == "absent")):
                entries.append(entry)
        if knobs.answer_order == "shuffled":
            entries = _shuffled(entries, self.dice)
        return Reply(200, {"people": entries})

    def _judge(self, knobs: Knobs, body: dict[str, Any], item: dict[str, Any]) -> Bad | None:
        """Return why a person is not merged, None for one who is."""
        fields = item.get("fields")
        if not isinstance(fields, dict):
            return Bad("invalid", "no fields")
        if wrong := self._wrong_field(knobs, fields):
            return Bad("invalid", wrong)
        email = str(fields.get(EMAIL) or "")
        if knobs.poison and email.lower().startswith(knobs.poison):
            return Bad("invalid", "Email is invalid")
        return None if self._find(knobs, body, fields) else self._not_created(knobs, body, email)

    def _not_created(self, knobs: Knobs, body: dict[str, Any], email: str) -> Bad | None:
        """Return why somebody who is not there is not created; None for one who is."""
        if body.get("merge_by") == [PERSON_ID]:
            if knobs.by_id_gone == "400":
                raise Wrong("Object not found")
            if knobs.by_id_gone == "invalid":
                return Bad("invalid", "Object not found")
        if body.get("skip_non_existing"):
            return _skipped(knobs)
        if body.get("merge_by") == [PERSON_ID] and knobs.by_id_gone == "skipped":
            return _skipped(knobs)
        if body.get("suppression_list_field_id") == EMAIL and email.lower() in self.account.suppressed:
            return Bad("suppressed", "Email is suppressed")
        if knobs.over_limit != "accepted" and len(self.account.people) >= (knobs.contact_limit or 1 << 60):
            return Bad("invalid", "contact limit")
        return None

    def _wrong_field(self, knobs: Knobs, fields: dict[str, Any]) -> str | None:
        """Return the text for a field that there is not (recorded), or a value that it does not take (assumed)."""
        for name, value in fields.items():
            known = self.account.fields.get(name)
            if known is None:
                return f"failed to validate field {name} in schema: {name}: Object not found"
            if (known.read_only and name != PERSON_ID) or not (name == PERSON_ID or takes(known, value)):
                return f"failed to validate field {name} in schema: {name}: invalid value"
            if is_too_long(known, value) and knobs.long_value == "invalid":
                return f"failed to validate field {name} in schema: {name}: too long"
        return None

    def _find(self, knobs: Knobs, body: dict[str, Any], fields: dict[str, Any]) -> Person | None:
        """Return whom a merge finds: by person id, which stands alone, or by up to three keys (vendor)."""
        keys = body.get("merge_by") or [EMAIL]
        if not isinstance(keys, list) or len(keys) > 3 or (PERSON_ID in keys and len(keys) > 1):
            raise Wrong(INVALID)
        if keys == [PERSON_ID]:
            return self.account.people.get(str(fields.get(PERSON_ID)))
        strategy = body.get("find_strategy", ANY)
        found = [self._by_key(knobs, key, fields.get(key)) for key in keys if fields.get(key)]
        if strategy == FIRST_FILLED:
            found = found[:1]
        hits = [item for item in found if item]
        if strategy == ALL and len(hits) < len(keys):
            return None
        return hits[0] if hits else None

    def _by_key(self, knobs: Knobs, key: str, value: Any) -> Person | None:
        if key == EMAIL:
            return next(iter(self.account.find(str(value), folds=knobs.email_case == "folds")), None)
        return next((person for person in self.account.people.values() if person.fields.get(key) == value), None)

    def _one(self, knobs: Knobs, body: dict[str, Any], item: dict[str, Any]) -> dict[str, str]:
        """Merge one person who was found in order, and answer for them."""
        fields = self._stored(knobs, item["fields"])
        person = self._find(knobs, body, fields)
        fields.pop(PERSON_ID, None)
        strategy = body.get("merge_strategy", OVERWRITE)
        status = "merged"
        if person is None:
            person, status = self.account.create(fields, "created by merge"), "created"
        elif strategy != KEEP:
            self._update(knobs, person, item, fields, strategy)
        if status == "created" or strategy != KEEP or knobs.strategy3_tags == "applied":
            self._tag(knobs, person, item)
        return {"person_id": person.id, "status": status}

    def _update(
        self, knobs: Knobs, person: Person, item: dict[str, Any], fields: dict[str, Any], strategy: int
    ) -> None:
        if strategy == FILL:
            fields = {name: value for name, value in fields.items() if name not in person.fields}
        else:
            cleared = {name: None for name, on in (item.get("clear_fields") or {}).items() if on}
            self.account.change(person, cleared, "cleared by merge")
            for name in [name for name in fields if name.startswith("sst:") and isinstance(fields[name], list)]:
                before = person.fields.get(name) or []
                fields[name] = list(dict.fromkeys([*before, *fields[name]]))
        if knobs.permission_on_update == "resubscribes":
            fields.setdefault(PERMISSION, True)
        self.account.change(person, fields, "merge")

    def _tag(self, knobs: Knobs, person: Person, item: dict[str, Any]) -> None:
        for name in _names(item.get("tags")):
            self.account.tag(person, self.account.tag_named(name, knobs.tag_case))
        for name in _names(item.get("unset_tags")):
            if found := self.account.known_tag(name, knobs.tag_case):
                self.account.untag(person, found)

    def _stored(self, knobs: Knobs, fields: dict[str, Any]) -> dict[str, Any]:
        kept = {}
        for name, value in fields.items():
            known = self.account.fields[name]
            if is_too_long(known, value) and knobs.long_value == "cut":
                value = value[: longest(known)]
            kept[name] = value if name == PERSON_ID else stored(known, value, normalises=knobs.geo_normalises)
        return kept


def _skipped(knobs: Knobs) -> Bad:
    """Return how somebody who is not there and not created is named: nobody knows."""
    if knobs.skipped_status == "400_if_all":
        return Bad("skipped", "Person does not exist")
    return Bad(knobs.skipped_status, "")


def _queued(item: dict[str, Any], *, with_id: bool) -> dict[str, str]:
    known = (item.get("fields") or {}).get(PERSON_ID) if with_id else None
    return {"person_id": known, "status": "queued"} if known else {"status": "queued"}


def _shuffled(entries: Sequence[dict[str, str]], dice: Dice) -> list[dict[str, str]]:
    left, mixed = list(entries), []
    while left:
        mixed.append(left.pop(dice.choose(len(left))))
    return mixed


def _names(value: object) -> list[str]:
    return [name for name in value if isinstance(name, str) and name] if isinstance(value, list) else []
