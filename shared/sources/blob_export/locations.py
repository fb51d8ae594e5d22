"""Where the files of a table lie, as `model.json` says: which of them count, and which blob each of them is. No SDK.

Where that leaves two readings, the table is at fault: a file too few makes leavers, and one too many makes strangers.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from shared.sources.blob_export.tables import BlobTable

LONGEST_PATH: Final = 1_024
"""Characters of a blob's name, as many as Azure takes."""

_SNAPSHOT_FOLDER: Final = re.compile(r"/(\d{4})/(\d{2})/(\d{2})/(\d{4})/[^/]*$", re.ASCII)
_SNAPSHOT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NUMBER: Final = re.compile(r"([_-]?\d+)?(\.\w+)*$", re.ASCII)
_SIGNATURE: Final = {
    *("sv", "ss", "srt", "sr", "sp", "st", "se", "sip", "spr", "si", "sig", "ses", "sdd", "scid", "saoid", "suoid"),
    *("sduoid", "skoid", "sktid", "skt", "ske", "sks", "skv", "skdutid", "rscc", "rscd", "rsce", "rscl", "rsct"),
}
"""The parameters of a shared access signature: they let somebody in, and do not choose what is read."""


class Fault(Exception):
    """Why a table cannot be understood."""


@dataclass(frozen=True, slots=True)
class Place:
    """A partition's location, a URL, and when it was refreshed, if `model.json` says so."""

    location: str
    refreshed: datetime | None


def is_of_one_time(path: str) -> bool:
    """Return whether a file lies in a snapshot folder, which each refresh makes anew (Microsoft's documents of the export)."""
    return _SNAPSHOT_FOLDER.search(path) is not None


def newest_of(table: str, places: Sequence[Place]) -> list[int]:
    """Return the numbers of the places in the newest snapshot folder; raise Fault where another may count as well.

    A folder is an older snapshot of the newest if that has files of all its names, and its times do not say otherwise.
    """
    paths = [unquote(urlsplit(place.location).path) for place in places]
    found = [_SNAPSHOT_FOLDER.search(path) for path in paths]
    folders = ["".join(match.groups()) if match else "" for match in found]
    if len(set(folders)) == 1:
        return list(range(len(places)))
    newest = max(folders)
    roots = {path[: match.start()] if match else "" for path, match in zip(paths, found, strict=True)}
    files: dict[str, set[str]] = defaultdict(set)
    for folder, path in zip(folders, paths, strict=True):
        files[folder].add(path.rpartition("/")[2])
    is_whole = "" not in files and len(roots) == 1 and all(older <= files[newest] for older in files.values())
    if not is_whole or _contradict(folders, places):
        raise Fault(
            f"The partitions of table {table!r} lie in folders of different times, and it cannot be told which "
            "count. Run the Blob export again."
        )
    return [number for number, folder in enumerate(folders) if folder == newest]


def _contradict(folders: Sequence[str], places: Sequence[Place]) -> bool:
    """Return whether a file of an older folder was refreshed after one of the newest."""
    newest = max(folders)
    told = [(folder == newest, place.refreshed) for folder, place in zip(folders, places, strict=True)]
    begun = min((at for is_newest, at in told if is_newest and at), default=None)
    return begun is not None and any(at > begun for is_newest, at in told if not is_newest and at)


def blob_of(location: str, table: str, container: str) -> tuple[str, str | None]:
    """Return the path within `container` that a location names, and the snapshot, if it names one; raise Fault."""
    parts = urlsplit(location)
    path = _path(parts.path, table, container)
    asked = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name not in _SIGNATURE]
    if not asked:
        return path, None
    (name, snapshot), *more = asked
    if more or name != "snapshot":
        other = next((name for name, _ in asked if name != "snapshot"), name)
        raise Fault(
            f"A partition of table {table!r} has a location with {other[:40]!r} in its query, so it cannot be told which "
            "version of the file counts. Run the Blob export again."
        )
    if not _SNAPSHOT.fullmatch(snapshot):
        raise Fault(f"A partition of table {table!r} names a snapshot that is no time. Run the Blob export again.")
    return path, snapshot


def _path(path: str, table: str, container: str) -> str:
    """Return the path within `container`; the emulator's locations begin with the account's name."""
    segments = unquote(path).lstrip("/").split("/")
    for start in (0, 1):
        if len(segments) > start + 1 and segments[start].lower() == container.lower():
            inside = "/".join(segments[start + 1 :])
            climbs = "." in segments or ".." in segments
            if climbs or not inside.strip("/") or len(inside) > LONGEST_PATH or _CONTROL.search(inside):
                raise Fault(
                    f"A partition of table {table!r} has a location that can be no blob. Run the Blob export again."
                )
            return inside
    raise Fault(
        f"A partition of table {table!r} lies outside the container {container!r}, beside which this app reads nothing. "
        "Have Customer Insights write the table there, or leave it out of the Blob export."
    )


def shared_files(tables: Iterable[BlobTable], names: Iterable[str]) -> dict[str, str]:
    """Return the tables that name a file of another one, each with its fault; `names` are those of all tables.

    A folder or a file that is called like a table says whose it is. A file that is nobody's by its path may be meant for
    all of them.
    """
    owners: dict[str, set[str]] = defaultdict(set)
    for table in tables:
        for partition in table.partitions:
            owners[partition.path].add(table.name)
    known = {_letters(name) for name in names} - {""}
    faults: dict[str, str] = {}
    for path, sharing in owners.items():
        if len(sharing) > 1 and known & _called(path):
            for name in sharing:
                other = min(sharing - {name})
                faults[name] = (
                    f"model.json names one file for table {name!r} and for table {other!r}, and it cannot be told whose "
                    "rows it holds. Run the Blob export again."
                )
    return faults


def _called(path: str) -> set[str]:
    """Return what the folders of a path, and its file, are called."""
    *folders, file = path.split("/")
    return {_letters(name) for name in (*folders, file, _NUMBER.sub("", file))}


def _letters(name: str) -> str:
    """Return a name as paths may write it: without case, and without signs."""
    return re.sub(r"[\W_]", "", name).casefold()
