"""What the files of one table say of each other: one that is unlike the others is not what it seems. No SDK."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was read to its end: its rows, and how it is written.

    `as_told` says whether its columns are those of `model.json`, in that order.
    """

    path: str
    rows: int
    has_header: bool
    is_blank: bool
    as_told: bool
    ends_with_a_line: bool


def check_siblings(table: str, files: Sequence[ReadFile]) -> None:
    """Raise ExportError SOURCE_MALFORMED for a file of `table` that the others show to be another than it seems."""
    headed = next((file for file in files if file.has_header), None)
    blank = next((file for file in files if file.is_blank), None)
    if blank and headed:
        raise _unlike(
            f"{blank.path} is empty, although other files of {table!r} begin with a header, so its rows are missing"
        )


def _unlike(what: str) -> ExportError:
    return ExportError(Reason.SOURCE_MALFORMED, f"{what}. Refresh the Blob export.")
