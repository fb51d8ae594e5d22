"""The routes: every endpoint of the API in one table, from which the bindings and the OpenAPI document are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from export_trigger.http.access import Role
from shared.reasons.codes import Status

if TYPE_CHECKING:
    from pydantic import BaseModel

    from export_trigger.http.request import Answer, Call
    from shared.composition.app import App


@dataclass(frozen=True, slots=True)
class Query:
    """A query parameter: its name and its JSON schema."""

    name: str
    schema: Mapping[str, object]


PAGE: Final = (
    Query("limit", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}),
    Query("after", {"type": "string"}),
)
"""What a list takes: how many, and after which."""


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: `name` is the function's name in the portal, `role` the least that may call it.

    `endpoint`, `body` and `view` name a function and types in `export_trigger.http`: what they stand on is heavy, and
    loads when the first call comes, not when the functions are indexed. `statuses` says what each status of an answer
    that is no problem means; `view` is its JSON, unless it is of another `media` type, or has no content (204).
    """

    name: str
    method: str
    path: str
    role: Role
    endpoint: str
    view: str | None = None
    body: str | None = None
    query: tuple[Query, ...] = ()
    statuses: Mapping[int, str] = field(default_factory=lambda: {200: "Done."})
    media: str = "application/json"
    is_conditional: bool = False
    """Whether it takes `If-Match`."""
    is_audited: bool = False
    """Whether its success belongs in the audit trail; runs and erasures note their own start."""

    def load(self) -> Callable[[App, Call], Answer]:
        """Return the endpoint."""
        found: Callable[[App, Call], Answer] = _load(self.endpoint)
        return found

    def load_body(self) -> type[BaseModel] | None:
        """Return the type of the body, if one is taken."""
        return _load(self.body) if self.body else None

    def load_view(self) -> type[BaseModel] | None:
        """Return the type of the answer, if it is JSON."""
        return _load(self.view if "." in self.view else f"views.{self.view}") if self.view else None

    @property
    def summary(self) -> str:
        """What it does: the first sentence of the endpoint's own documentation."""
        return (self.load().__doc__ or self.name).partition("\n")[0]


_SAVED: Final = {200: "Replaced.", 201: "Created."}
_GONE: Final = {204: "Removed."}
_STARTED: Final = {202: "Started."}
_DETACH: Final = Query("detach", {"type": "boolean", "default": False})
_EXPORT: Final = Query("export", {"type": "string"})
_STATUS: Final = Query("status", {"type": "string", "enum": [status.value for status in Status]})
_REPAIR: Final = Query("repair", {"type": "boolean", "default": False})

ROUTES: Final = (
    Route(
        "list_connections",
        "GET",
        "connections",
        Role.VIEWER,
        "connections.list_connections",
        view="ConnectionPage",
        query=PAGE,
    ),
    Route(
        "get_connection",
        "GET",
        "connections/{connection}",
        Role.VIEWER,
        "connections.get_connection",
        view="ConnectionView",
    ),
    Route(
        "put_connection",
        "PUT",
        "connections/{connection}",
        Role.ADMIN,
        "connections.put_connection",
        view="ConnectionView",
        body="connect.ConnectionBody",
        statuses=_SAVED,
        is_conditional=True,
        is_audited=True,
    ),
    Route(
        "test_connection",
        "POST",
        "connections/{connection}/test",
        Role.ADMIN,
        "connections.test_connection",
        view="KeyTested",
    ),
    Route(
        "delete_connection",
        "DELETE",
        "connections/{connection}",
        Role.ADMIN,
        "connections.delete_connection",
        query=(_DETACH,),
        statuses=_GONE,
        is_conditional=True,
        is_audited=True,
    ),
    Route(
        "list_segments",
        "GET",
        "segments",
        Role.VIEWER,
        "source.list_segments",
        view="SegmentPage",
        query=PAGE,
    ),
    Route(
        "list_exports",
        "GET",
        "exports",
        Role.VIEWER,
        "exports.list_exports",
        view="ExportPage",
        query=PAGE,
    ),
    Route(
        "get_export",
        "GET",
        "exports/{export}",
        Role.VIEWER,
        "exports.get_export",
        view="ExportView",
    ),
    Route(
        "put_export",
        "PUT",
        "exports/{export}",
        Role.CONTRIBUTOR,
        "exports.put_export",
        view="ExportView",
        body="exports.ExportSettings",
        statuses=_SAVED,
        is_conditional=True,
        is_audited=True,
    ),
    Route(
        "delete_export",
        "DELETE",
        "exports/{export}",
        Role.CONTRIBUTOR,
        "exports.delete_export",
        statuses=_GONE,
        is_conditional=True,
        is_audited=True,
    ),
    Route(
        "duplicate_export",
        "POST",
        "exports/{export}/duplicate",
        Role.CONTRIBUTOR,
        "exports.duplicate_export",
        view="ExportView",
        body="exports.DuplicateBody",
        statuses={201: "Created."},
        is_audited=True,
    ),
    Route(
        "preview_export",
        "POST",
        "exports/{export}/preview",
        Role.VIEWER,
        "preview.preview_export",
        view="Preview",
    ),
    Route(
        "explain_person",
        "POST",
        "exports/{export}/explain",
        Role.CONTRIBUTOR,
        "explain.explain_person",
        view="explain.PersonExplained",
        body="person.PersonBody",
        is_audited=True,
    ),
    Route(
        "start_run",
        "POST",
        "exports/{export}/runs",
        Role.CONTRIBUTOR,
        "runs.post_run",
        view="RunStarted",
        statuses=_STARTED,
    ),
    Route(
        "list_runs",
        "GET",
        "exports/{export}/runs",
        Role.VIEWER,
        "runs.list_runs",
        view="RunPage",
        query=PAGE,
    ),
    Route(
        "list_all_runs",
        "GET",
        "runs",
        Role.VIEWER,
        "runs.list_all_runs",
        view="RunPage",
        query=(*PAGE, _EXPORT, _STATUS),
    ),
    Route(
        "get_run",
        "GET",
        "exports/{export}/runs/{run}",
        Role.VIEWER,
        "runs.get_run",
        view="RunView",
    ),
    Route(
        "cancel_run",
        "POST",
        "exports/{export}/runs/{run}/cancel",
        Role.CONTRIBUTOR,
        "runs.cancel",
        view="RunView",
        statuses={202: "It stops."},
        is_audited=True,
    ),
    Route(
        "rerun_rejected",
        "POST",
        "exports/{export}/runs/{run}/rerun",
        Role.CONTRIBUTOR,
        "runs.post_rerun",
        view="RunStarted",
        statuses=_STARTED,
    ),
    Route(
        "verify_export",
        "POST",
        "exports/{export}/verify",
        Role.CONTRIBUTOR,
        "runs.post_verify",
        view="RunStarted",
        query=(_REPAIR,),
        statuses=_STARTED,
    ),
    Route(
        "get_rejected",
        "GET",
        "exports/{export}/runs/{run}/rejected",
        Role.VIEWER,
        "rejected.get_rejected",
        media="text/csv",
    ),
    Route(
        "get_rejected_summary",
        "GET",
        "exports/{export}/runs/{run}/rejected/summary",
        Role.VIEWER,
        "rejected.get_rejected_summary",
        view="RejectedSummary",
    ),
    Route(
        "start_all_runs",
        "POST",
        "runs",
        Role.CONTRIBUTOR,
        "runs.post_all_runs",
        view="AllStarted",
        statuses=_STARTED,
    ),
    Route(
        "post_erasure",
        "POST",
        "erasure",
        Role.ADMIN,
        "erasure.post_erasure",
        view="ErasureView",
        body="person.PersonBody",
        statuses={200: "Erased.", 202: "Not done yet: what is missing is named, and tried again by itself."},
    ),
    Route(
        "get_erasure",
        "GET",
        "erasure/{erasure}",
        Role.ADMIN,
        "erasure.get_erasure",
        view="ErasureView",
    ),
    Route(
        "list_audit",
        "GET",
        "audit",
        Role.ADMIN,
        "source.list_audit",
        view="AuditPage",
        query=PAGE,
    ),
    Route(
        "get_me",
        "GET",
        "me",
        Role.VIEWER,
        "me.get_me",
        view="Me",
    ),
    Route(
        "get_health",
        "GET",
        "health",
        Role.VIEWER,
        "health.get_health",
        view="Health",
        statuses={200: "All well.", 503: "Something cannot be reached."},
    ),
)


def _load(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(f"export_trigger.http.{module}"), attribute)
