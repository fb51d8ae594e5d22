"""When the files of tables were written, and in which version: whether they are of one refresh. No SDK."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError
from shared.sources.blob_export.locations import is_of_one_time


@dataclass(frozen=True, slots=True)
class Written:
    """A blob as it was last written: its path, its version, and when, to the second."""

    path: str
    etag: str
    at: datetime


def bare(etag: object) -> str:
    """Return an ETag as listings give it, without the quotes that it has in a header."""
    return str(etag).strip('"')


def check_settled(model: Written, files: Iterable[Written], *, now: datetime, quiet: timedelta) -> None:
    """Raise ExportError SOURCE_NOT_SETTLED unless `model.json` and the files that are read are of one refresh, `quiet` old.

    A writer writes `model.json` after all files, or before all of them. So where some are newer than it and others are
    not, some have been written again and others are still to come. This is asked of files that lie where the former
    refresh had them, too: a folder of one time is written by one refresh, in whatever order. Storage tells the time to
    the second: a file of the same second counts as written before.
    """
    found = list(files)
    for blob in (model, *found):
        if now - blob.at < quiet:
            raise ExportError(
                Reason.SOURCE_NOT_SETTLED, f"{blob.path} is younger than {quiet.total_seconds():g} seconds."
            )
    lasting = [file for file in found if not is_of_one_time(file.path)]
    newer = next((file.path for file in lasting if file.at > model.at), None)
    older = next((file.path for file in lasting if file.at <= model.at), None)
    if newer and older:
        raise ExportError(
            Reason.SOURCE_NOT_SETTLED,
            f"{newer} was written after {model.path}, and {older} before it, so they are of two refreshes. "
            "If that lasts, run the Blob export again.",
        )


def version_of(files: Iterable[Written]) -> str:
    """Return what tells these files, as they were written, from any others."""
    return sha256(json.dumps(sorted((file.path, file.etag) for file in files)).encode()).hexdigest()[:32]
