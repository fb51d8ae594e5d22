"""What every answer of the API is: a view, a page of them, or a problem."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from shared.reasons.errors import ExportError


class View(BaseModel):
    """An answer's body. What is not set is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def content(self) -> dict[str, Any]:
        """Return it as JSON would hold it."""
        return self.model_dump(mode="json", exclude_unset=True)


class Page[Item](View):
    """One page of a list; `next` is what to pass as `after` for the following page, or null."""

    items: tuple[Item, ...]
    next: str | None


class FieldError(View):
    """What is wrong with one field of a body: its path, such as `mapping.FirstName`, never the value that was sent."""

    field: str
    code: str
    detail: str


class ProblemView(View):
    """What is wrong and what to do (RFC 9457). Some problems name more: the run or export that is in the way."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    errors: tuple[FieldError, ...] = ()


class DamagedView(View):
    """What is known of a thing whose stored document cannot be read, and what to do."""

    name: str
    damaged: Literal[True]
    code: str
    detail: str

    @classmethod
    def of(cls, name: str, damage: ExportError) -> DamagedView:
        """Return the view of a thing whose stored document, or what is known of it, cannot be read."""
        return cls(name=name, damaged=True, code=damage.reason, detail=f"{damage.detail} {damage.reason.advice}")
