"""A route: one endpoint of the API, with what its binding and the OpenAPI document say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from export_trigger.http.access import Role

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
    bare: tuple[int, ...] = ()
    """Statuses of answers that have no content, besides 204."""
    media: str = "application/json"
    is_body_optional: bool = False
    """Whether a call without a body means something too."""
    is_conditional: bool = False
    """Whether it takes `If-Match`; a `PUT` then takes `If-None-Match`, too: `*` makes only what is not there."""
    is_versioned: bool = False
    """Whether its `ETag` is that of a stored document, which says nothing of what else is shown: it is never answered 304."""
    headers: tuple[str, ...] = ()
    """Headers that it takes besides."""
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
        return _load(self.view) if self.view else None

    @property
    def summary(self) -> str:
        """What it does: the first sentence of the endpoint's own documentation."""
        return (self.load().__doc__ or self.name).partition("\n")[0]


def _load(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(import_module(f"export_trigger.http.{module}"), attribute)
