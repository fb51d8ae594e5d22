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
    _check_headers(table, files)
    _check_ends(table, files)


def _check_headers(table: str, files: Sequence[ReadFile]) -> None:
    """Raise for a file without a header beside one whose header is not the order of `model.json`: it may have that, too."""
    headless = next((file for file in files if file.rows and not file.has_header), None)
    other = next((file for file in files if file.has_header and not file.as_told), None)
    if headless and other:
        raise _unlike(
            f"{headless.path} has no header, and that of {other.path} names other columns than model.json, or in another "
            f"order, so nobody knows the columns of all files of {table!r}"
        )


def _check_ends(table: str, files: Sequence[ReadFile]) -> None:
    """Raise for a file whose last line has no end where that of others has: it may be cut off within its last value."""
    whole = any(file.rows and file.ends_with_a_line for file in files)
    cut = next((file for file in files if not file.is_blank and not file.ends_with_a_line), None)
    if whole and cut:
        raise _unlike(
            f"{cut.path} ends without a line end, although other files of {table!r} have one, so it may be cut off"
        )


def _unlike(what: str) -> ExportError:
    return ExportError(Reason.SOURCE_MALFORMED, f"{what}. Run the Blob export again.")
