"""The registry: connections and exports as stored documents, each with the ETag that guards its change."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ValidationError

from shared.azure.storage import Container, Storage, TooLarge
from shared.exports.configuration import Connection, Export
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError


class DocumentDamaged(ExportError):
    """A stored document cannot be read: cut short, or of another version. It harms nothing else, and can be removed."""

    def __init__(self, path: str, error: ValidationError, etag: str) -> None:
        fields = sorted(
            {".".join(map(str, item["loc"])) or "(all of it)" for item in error.errors(include_input=False)}
        )
        named = path.removesuffix(".json").replace("s/", " ", 1)
        super().__init__(
            Reason.DOCUMENT_DAMAGED, f"The stored document of {named} cannot be read ({', '.join(fields[:5])[:200]})."
        )
        self.etag = etag


class Registry:
    """Reads and writes the configuration.

    Writes raise Conflict where `if_match` or `only_new` does not hold, reads DocumentDamaged.
    """

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def connection(self, name: str) -> tuple[Connection, str] | None:
        """Give a connection and its ETag, or None."""
        return self._load(_connection(name), Connection)

    def export(self, name: str) -> tuple[Export, str] | None:
        """Give an export and its ETag, or None."""
        return self._load(_export(name), Export)

    def is_damaged(self, export: str) -> bool:
        """Whether an export's document is there and cannot be read."""
        try:
            self.export(export)
        except DocumentDamaged:
            return True
        return False

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
        try:
            found = self._storage.get(Container.CONFIGURATION, path)
        except TooLarge as damage:
            found = b"", damage.etag  # which is no document either
        if found is None:
            return None
        try:
            return kind.model_validate_json(found[0]), found[1]
        except ValidationError as error:
            raise DocumentDamaged(path, error, found[1]) from None

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
