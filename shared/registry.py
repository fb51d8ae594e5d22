"""The registry: connections and exports as stored documents, each with the ETag that guards its change."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from shared.adapters.storage import Container, Storage
from shared.configuration import Connection, Export


class Registry:
    """Reads and writes the configuration. Writes raise Conflict where `if_match` or `only_new` does not hold."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def connection(self, name: str) -> tuple[Connection, str] | None:
        """Give a connection and its ETag, or None."""
        return self._load(_connection(name), Connection)

    def export(self, name: str) -> tuple[Export, str] | None:
        """Give an export and its ETag, or None."""
        return self._load(_export(name), Export)

    def save_connection(
        self, name: str, connection: Connection, *, if_match: str | None = None, only_new: bool = False
    ) -> str:
        """Store a connection and give its ETag."""
        return self._save(_connection(name), connection, if_match, only_new)

    def save_export(self, name: str, export: Export, *, if_match: str | None = None, only_new: bool = False) -> str:
        """Store an export and give its ETag."""
        return self._save(_export(name), export, if_match, only_new)

    def delete_connection(self, name: str, *, if_match: str | None = None) -> None:
        """Delete a connection if it is there."""
        self._storage.delete(Container.CONFIGURATION, _connection(name), if_match=if_match)

    def delete_export(self, name: str, *, if_match: str | None = None) -> None:
        """Delete an export if it is there."""
        self._storage.delete(Container.CONFIGURATION, _export(name), if_match=if_match)

    def connections(self, *, after: str = "") -> Iterator[str]:
        """Give the names of connections in order, those greater than `after`."""
        return self._names("connections/", after)

    def exports(self, *, after: str = "") -> Iterator[str]:
        """Give the names of exports in order, those greater than `after`."""
        return self._names("exports/", after)

    def _load[T: BaseModel](self, path: str, kind: type[T]) -> tuple[T, str] | None:
        found = self._storage.get(Container.CONFIGURATION, path)
        return None if found is None else (kind.model_validate_json(found[0]), found[1])

    def _save(self, path: str, document: BaseModel, if_match: str | None, only_new: bool) -> str:
        data = document.model_dump_json(indent=2).encode()
        return self._storage.put(Container.CONFIGURATION, path, data, if_match=if_match, only_new=only_new)

    def _names(self, folder: str, after: str) -> Iterator[str]:
        last = f"{folder}{after}.json" if after else ""
        for name in self._storage.names(Container.CONFIGURATION, folder, after=last):
            yield name.removeprefix(folder).removesuffix(".json")


def _connection(name: str) -> str:
    return f"connections/{name}.json"


def _export(name: str) -> str:
    return f"exports/{name}.json"
