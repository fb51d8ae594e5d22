"""The registry: connections and exports as stored documents, each with the ETag that guards its change."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final

from pydantic import BaseModel, ValidationError

from shared.azure.records import FIRST, NewerVersion, check_version
from shared.azure.storage import Container, Storage, TooLarge
from shared.exports.configuration import Connection, Export
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError

_FOLDER: Final = "exports/"
_READERS: Final = 8
_MOST_KEPT: Final = 2000
"""Exports that a process remembers as it last read them."""

VERSION: Final = FIRST
"""The version of stored documents."""


class DocumentDamaged(ExportError):
    """A stored document cannot be read: cut short, or of another version. It harms nothing else, and can be removed."""

    def __init__(self, reason: Reason, detail: str, etag: str) -> None:
        super().__init__(reason, detail)
        self.etag = etag


class Registry:
    """Reads and writes the configuration.

    Writes raise Conflict where `if_match` or `only_new` does not hold, reads DocumentDamaged.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._read: dict[str, tuple[Export, str]] = {}

    def connection(self, name: str) -> tuple[Connection, str] | None:
        """Return a connection and its ETag, or None."""
        return self._load(_connection(name), Connection)

    def export(self, name: str) -> tuple[Export, str] | None:
        """Return an export and its ETag, or None."""
        return self._load(_export(name), Export)

    def listed_exports(self, *, after: str = "", most: int) -> list[tuple[str, Export | DocumentDamaged | None]]:
        """Return exports in the order of their names, at most `most`, those greater than `after`.

        One that is damaged is the error that says so, one that was deleted meanwhile None. That costs a listing, and a call for each document that this process has not read in this version yet.
        """
        last = _export(after) if after else ""
        listed = list(islice(self._storage.versions(Container.CONFIGURATION, _FOLDER, after=last), most))
        unread = [path for path, etag in listed if (known := self._read.get(path)) is None or known[1] != etag]
        with ThreadPoolExecutor(_READERS) as pool:
            read = dict(zip(unread, pool.map(self._one_listed, unread), strict=True))
        kept = self._read if len(self._read) < _MOST_KEPT else {}
        self._read = {**kept, **{path: found for path, found in read.items() if isinstance(found, tuple)}}
        return [(_named(path), _document(read[path] if path in read else self._read.get(path))) for path, _ in listed]

    def _one_listed(self, path: str) -> tuple[Export, str] | DocumentDamaged | None:
        try:
            return self._load(path, Export)
        except DocumentDamaged as damage:
            return damage

    def export_or_damage(self, name: str) -> Export | DocumentDamaged | None:
        """Return an export, what is wrong with its document if that cannot be read, or None if there is none."""
        try:
            found = self.export(name)
        except DocumentDamaged as damage:
            return damage
        return found[0] if found else None

    def save_connection(
        self, name: str, connection: Connection, *, if_match: str | None = None, only_new: bool = False
    ) -> str:
        """Store a connection and return its ETag."""
        return self._save(_connection(name), connection, if_match, only_new)

    def save_export(self, name: str, export: Export, *, if_match: str | None = None, only_new: bool = False) -> str:
        """Store an export and return its ETag."""
        return self._save(_export(name), export, if_match, only_new)

    def delete_connection(self, name: str, *, if_match: str | None = None) -> None:
        """Delete a connection if it is there."""
        self._storage.delete(Container.CONFIGURATION, _connection(name), if_match=if_match)

    def delete_export(self, name: str, *, if_match: str | None = None) -> None:
        """Delete an export if it is there."""
        self._storage.delete(Container.CONFIGURATION, _export(name), if_match=if_match)

    def connections(self, *, after: str = "") -> Iterator[str]:
        """Yield the names of connections in order, those greater than `after`."""
        return self._names("connections/", after)

    def exports(self) -> Iterator[str]:
        """Yield the names of exports in order."""
        return self._names("exports/")

    def _load[T: BaseModel](self, path: str, kind: type[T]) -> tuple[T, str] | None:
        try:
            found = self._storage.get(Container.CONFIGURATION, path)
        except TooLarge as damage:
            found = b"", damage.etag  # which is no document either
        if found is None:
            return None
        try:
            return _parsed(kind, _title(path), found[0]), found[1]
        except NewerVersion as newer:
            raise DocumentDamaged(newer.reason, newer.detail, found[1]) from None
        except ValidationError as error:
            detail = f"{_title(path)} cannot be read ({', '.join(_fields(error))[:200]})."
            raise DocumentDamaged(Reason.DOCUMENT_DAMAGED, detail, found[1]) from None

    def _save(self, path: str, document: BaseModel, if_match: str | None, only_new: bool) -> str:
        data = json.dumps(
            {"version": VERSION, **document.model_dump(mode="json")}, indent=2, ensure_ascii=False
        ).encode()
        return self._storage.put(Container.CONFIGURATION, path, data, if_match=if_match, only_new=only_new)

    def _names(self, folder: str, after: str = "") -> Iterator[str]:
        last = f"{folder}{after}.json" if after else ""
        for name in self._storage.names(Container.CONFIGURATION, folder, after=last):
            yield name.removeprefix(folder).removesuffix(".json")


def _parsed[T: BaseModel](kind: type[T], title: str, data: bytes) -> T:
    """Read a document; raise NewerVersion for one of a newer version, and ValidationError for what is none."""
    return kind.model_validate(_content(title, data))


def _content(title: str, data: bytes) -> object:
    """Return what a document says but its version; None if it says nothing. Raise NewerVersion for one of a newer version."""
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if isinstance(content, dict):
        check_version(title, content.pop("version", None), VERSION)
    return content


def _title(path: str) -> str:
    return f"The stored document of {path.removesuffix('.json').replace('s/', ' ', 1)}"


def _fields(error: ValidationError) -> list[str]:
    """Name the fields of a document that cannot be read, the first of them."""
    named = {".".join(map(str, item["loc"])) or "(all of it)" for item in error.errors(include_input=False)}
    return sorted(named)[:5]


def _document(found: tuple[Export, str] | DocumentDamaged | None) -> Export | DocumentDamaged | None:
    return found[0] if isinstance(found, tuple) else found


def _named(path: str) -> str:
    return path.removeprefix(_FOLDER).removesuffix(".json")


def _connection(name: str) -> str:
    return f"connections/{name}.json"


def _export(name: str) -> str:
    return f"{_FOLDER}{name}.json"
