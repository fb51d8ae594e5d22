"""Records: frozen values that are kept in a table."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Record(BaseModel):
    """A frozen value as a table keeps it; fields it does not know, of a newer version, are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")
