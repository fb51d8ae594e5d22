"""The routes: every endpoint of the API in one table, from which the bindings and the OpenAPI document are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from export_trigger.http.access import Role

if TYPE_CHECKING:
    from pydantic import BaseModel

    from export_trigger.http.request import Answer, Call
    from shared.composition.app import App


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: `name` is the function's name in the portal, `role` the least that may call it.

    `endpoint` and `body` name a function and a type in `shared`: what they stand on is heavy, and loads when the first
    call comes, not when the functions are indexed.
    """

    name: str
    method: str
    path: str
    role: Role
    endpoint: str
    body: str | None = None
    status: int = 200

    def load(self) -> Callable[[App, Call], Answer]:
        """Give the endpoint."""
        found: Callable[[App, Call], Answer] = _load(self.endpoint)
        return found

    def load_body(self) -> type[BaseModel] | None:
        """Give the type of the body, if one is taken."""
        return _load(self.body) if self.body else None

    @property
    def is_change(self) -> bool:
        """Whether it belongs in the audit trail; runs and erasures note their own start."""
        return self.method in {"PUT", "DELETE"} or self.name in {"cancel_run", "duplicate_export"}

    @property
    def summary(self) -> str:
        """What it does: the first sentence of the endpoint's own documentation."""
        return (self.load().__doc__ or self.name).partition("\n")[0]


ROUTES: Final = (
    Route("list_connections", "GET", "connections", Role.VIEWER, "connections.list_connections"),
    Route("get_connection", "GET", "connections/{connection}", Role.VIEWER, "connections.get_connection"),
    Route(
        "put_connection",
        "PUT",
        "connections/{connection}",
        Role.ADMIN,
        "connections.put_connection",
        "connect.ConnectionBody",
    ),
    Route("test_connection", "POST", "connections/{connection}/test", Role.ADMIN, "connections.test_connection"),
    Route(
        "delete_connection",
        "DELETE",
        "connections/{connection}",
        Role.ADMIN,
        "connections.delete_connection",
        status=204,
    ),
    Route("list_segments", "GET", "segments", Role.VIEWER, "source.list_segments"),
    Route("list_exports", "GET", "exports", Role.VIEWER, "exports.list_exports"),
    Route("get_export", "GET", "exports/{export}", Role.VIEWER, "exports.get_export"),
    Route("put_export", "PUT", "exports/{export}", Role.CONTRIBUTOR, "exports.put_export", "exports.ExportSettings"),
    Route("delete_export", "DELETE", "exports/{export}", Role.CONTRIBUTOR, "exports.delete_export", status=204),
    Route(
        "duplicate_export",
        "POST",
        "exports/{export}/duplicate",
        Role.CONTRIBUTOR,
        "exports.duplicate_export",
        "exports.DuplicateBody",
        status=201,
    ),
    Route("preview_export", "POST", "exports/{export}/preview", Role.VIEWER, "preview.preview_export"),
    Route("start_run", "POST", "exports/{export}/runs", Role.CONTRIBUTOR, "runs.post_run", status=202),
    Route("list_runs", "GET", "exports/{export}/runs", Role.VIEWER, "runs.list_runs"),
    Route("get_run", "GET", "exports/{export}/runs/{run}", Role.VIEWER, "runs.get_run"),
    Route("cancel_run", "POST", "exports/{export}/runs/{run}/cancel", Role.CONTRIBUTOR, "runs.cancel", status=202),
    Route(
        "rerun_rejected", "POST", "exports/{export}/runs/{run}/rerun", Role.CONTRIBUTOR, "runs.post_rerun", status=202
    ),
    Route("verify_export", "POST", "exports/{export}/verify", Role.CONTRIBUTOR, "runs.post_verify", status=202),
    Route("get_rejected", "GET", "exports/{export}/runs/{run}/rejected", Role.VIEWER, "runs.get_rejected"),
    Route("start_all_runs", "POST", "runs", Role.CONTRIBUTOR, "runs.post_all_runs", status=202),
    Route("post_erasure", "POST", "erasure", Role.ADMIN, "erasure.post_erasure", "erasure.ErasureBody"),
    Route("get_erasure", "GET", "erasure/{erasure}", Role.ADMIN, "erasure.get_erasure"),
    Route("list_audit", "GET", "audit", Role.ADMIN, "source.list_audit"),
    Route("get_health", "GET", "health", Role.VIEWER, "health.get_health"),
)


def _load(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(f"export_trigger.http.{module}"), attribute)
