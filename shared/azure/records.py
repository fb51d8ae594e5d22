"""Records: frozen values that are kept in a table. And versions: what is stored says which version of the code can read it.

A version grows only when a reader of before would misunderstand what is written now; a field that it may ignore is no new
version. What says no version was written before there were any, and is of the first.
"""

from __future__ import annotations

from typing import ClassVar, Final

from pydantic import BaseModel, ConfigDict

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError

FIRST: Final = 1
"""The version of what says none."""


class Unreadable(ExportError):
    """Something that is stored and that this code cannot read. It harms nothing else, and nothing of it is told."""


class NewerVersion(Unreadable):
    """Something that is stored was written by a newer version of the app. It is not read at all, rather than by half."""

    def __init__(self, what: str) -> None:
        super().__init__(Reason.NEWER_VERSION, f"{what} was written by a newer version of the app.")


class RecordDamaged(Unreadable):
    """A record that cannot be read although it says to be of a version that this code knows; `etag` names what is there."""

    def __init__(self, what: str, etag: str) -> None:
        super().__init__(
            Reason.DOCUMENT_DAMAGED,
            f"{what} cannot be read. If a newer version of the app wrote it, install that again; else restore the table "
            "from a backup, or delete the export that it is of and save it again.",
        )
        self.etag = etag


def can_read(found: object, known: int) -> bool:
    """Return whether `found` is a version up to `known`; None stands for the first."""
    return found is None or (isinstance(found, int) and FIRST <= found <= known)


def check_version(what: str, found: object, known: int) -> None:
    """Raise NewerVersion, naming `what`, unless `found` is a version up to `known`; None stands for the first."""
    if not can_read(found, known):
        raise NewerVersion(what)


class Record(BaseModel):
    """A frozen value as a table keeps it; fields it does not know, which a newer version may ignore, are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: ClassVar[int] = FIRST
    """Each kind has its own, so that a new version of one kind leaves the others readable."""
