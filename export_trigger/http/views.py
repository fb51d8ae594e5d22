"""What the API answers with, as types: the served OpenAPI document is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from export_trigger.http.access import Role, RoleName
from export_trigger.http.run_views import EndedRun, GoingRun, NextRun
from export_trigger.http.view import DamagedView, Page, View
from shared.erasure.requests import Progress
from shared.exports.audit import AuditEntry
from shared.exports.configuration import Connection, Consent, Export, ListStrategy


class ConnectionView(View):
    """A connection. Contributors and viewers see its name and kind; the rest is for administrators."""

    name: str
    display_name: str
    kind: str
    region: str | None = None
    secret_name: str = ""
    access: str = ""
    rate_limit: float = 0
    calls_in_flight: int | None = None
    list_strategy: ListStrategy = "auto"
    consent: Consent | None = None
    account: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    updated_by: str = ""
    secret: Literal["readable", "missing", "forbidden", "unreachable"] | None = None

    @classmethod
    def of(cls, name: str, connection: Connection, role: Role, **more: str) -> ConnectionView:
        """Return a connection as a caller of a role may see it."""
        if role is not Role.ADMIN:
            return cls(name=name, display_name=connection.display_name, kind=connection.kind)
        return cls.model_validate({"name": name, **connection.model_dump(), **more})


class ConnectionPage(Page[ConnectionView | DamagedView]):
    """A page of connections."""


class KeyTested(View):
    """Whether the destination accepts a connection's key, and whose account it opens; else why not."""

    accepted: bool
    account: str = ""
    code: str = ""
    detail: str = ""


class SegmentView(View):
    """A segment as the source has it. `members` is null while it is not counted, `not_counted` says why it cannot be."""

    name: str
    columns: tuple[str, ...]
    members: int | None
    not_counted: str | None
    refreshed_at: datetime | None
    eligible: bool
    suggested_mapping: Mapping[str, str]
    why_not: str | None


class SegmentPage(Page[SegmentView]):
    """A page of segments."""


Action = Literal["preview", "run", "verify", "explain", "edit", "delete", "duplicate", "cancel"]
"""What can be done with an export."""


class ExportView(Export):
    """An export: its settings, how it stands, and what the caller may do with it.

    `last_run` is the one that ended last, whatever it was, beside `current_run`, which is going. `last_delivery` is the last
    that tells how a delivery went: no verification is. `last_delivered` is the last one after which the lists held what a
    whole refresh said. `list_word` is what its destination calls a list. `next_run` is null if the
    schedule is off. When it was just saved, `members` of its segments and what to know.
    """

    name: str
    active_run: str | None
    current_run: GoingRun | None
    last_run: EndedRun | None
    last_delivery: EndedRun | None
    last_delivered: EndedRun | None
    next_run: NextRun | None
    list_word: str
    may: tuple[Action, ...]
    members: Mapping[str, int | None] = {}
    warnings: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, export: Export, **more: object) -> ExportView:
        """Return the view of an export as stored, with `more` fields."""
        return cls.model_validate({"name": name, **export.model_dump(), **more})

    def content(self) -> dict[str, Any]:
        """Return it as JSON would hold it: every setting, and what saving showed only where it was saved."""
        only_if_set = {"members", "warnings"} - self.model_fields_set
        return self.model_dump(mode="json", exclude=only_if_set)


class ExportPage(Page[ExportView | DamagedView]):
    """A page of exports."""

    def content(self) -> dict[str, Any]:
        """Return it as JSON would hold it."""
        return {"items": [item.content() for item in self.items], "next": self.next}


class ErasedAt(View):
    """What came of an erasure at one connection's account."""

    connection: str
    erased: bool
    code: str
    detail: str


class RunOf(View):
    """A run of an export."""

    export: str
    run: str


class ErasureView(View):
    """A request to erase: `erased` only once every account was read back and every run that might undo it is over.

    `accounts` counts those that held the person, `states` the states that did; `states_unread` names those that could not be
    read, `waiting_for` the runs that may still deliver the person.
    """

    id: str
    erased: bool
    progress: Progress
    detail: str
    requested_at: datetime
    tried_at: datetime | None
    done_at: datetime | None
    accounts: int
    states: int
    connections: tuple[ErasedAt, ...]
    waiting_for: tuple[RunOf, ...]
    states_unread: tuple[str, ...]


class RoleView(View):
    """What a role may do, by the `operationId`s of this document; `app_role` is its value in Microsoft Entra."""

    role: RoleName
    app_role: str
    may: tuple[str, ...]


class Me(View):
    """Who is calling: the id that the audit trail knows them by, and their role.

    With `mode` `keys` whoever has a function key is an administrator. `may` names what the caller's role allows; an
    export says for itself what they may do with it. `roles` shows which role would be needed for something else.
    """

    id: str
    role: RoleName
    mode: Literal["keys", "entra"]
    may: tuple[str, ...]
    roles: tuple[RoleView, ...]


class AuditPage(Page[AuditEntry]):
    """A page of the audit trail."""


class Reach(View):
    """Whether one part can be reached, and if not, which setting or role to correct."""

    reachable: bool
    code: str = ""
    detail: str = ""


class DigestKeyReach(Reach):
    """Whether the digest key can be read, and its fingerprint (null while there is none)."""

    fingerprint: str | None = None


class Damage(View):
    """A stored connection or export that cannot be read."""

    connection: str = ""
    export: str = ""
    detail: str


class SwitchedOff(View):
    """An optional setting that is wrong: what it would switch on is off, and everything else goes on."""

    setting: str
    detail: str


class Health(View):
    """Whether everything that the app stands on can be reached, which version of the app answers, and what is wrong but harms nothing else."""

    version: str
    healthy: bool
    storage: Reach
    vault: Reach
    digest_key: DigestKeyReach
    source: Reach
    damaged: tuple[Damage, ...]
    switched_off: tuple[SwitchedOff, ...]
