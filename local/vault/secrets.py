"""What the vault holds: secrets by name, each with its versions, kept in a file of one's own so that a restart keeps them."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a secret; `created` in seconds since 1970."""

    id: str
    value: str
    created: int


class NameKept(Exception):
    """A secret of this name was deleted and can be recovered: until then, or until it is purged, none can be stored under it."""


_DELETED: Final = "deleted/"
"""Before the name of a secret that was deleted, in the file."""


class Secrets:
    """Secrets by lower-case name; with soft delete, as every vault of Azure has it. Safe for threads."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._versions: dict[str, list[Version]] = {}
        self._deleted: dict[str, list[Version]] = {}
        if file is not None and file.exists():
            stored = json.loads(file.read_text())
            for key, items in stored.items():
                kept = self._deleted if key.startswith(_DELETED) else self._versions
                kept[key.removeprefix(_DELETED)] = [Version(**item) for item in items]

    def get(self, name: str, version: str = "") -> Version | None:
        """Return a secret's newest version, or the one named."""
        with self._lock:
            versions = self._versions.get(name.lower(), [])
            if not version:
                return versions[-1] if versions else None
            return next((item for item in versions if item.id == version), None)

    def set(self, name: str, value: str) -> Version:
        """Store a new version; raise NameKept."""
        made = Version(secrets.token_hex(16), value, int(time.time()))
        with self._lock:
            if name.lower() in self._deleted:
                raise NameKept
            self._versions.setdefault(name.lower(), []).append(made)
            self._save()
        return made

    def delete(self, name: str) -> Version | None:
        """Delete a secret, so that it can be recovered; return its newest version."""
        return self._move(name, self._versions, self._deleted)

    def recover(self, name: str) -> Version | None:
        """Recover a secret that was deleted; return its newest version."""
        return self._move(name, self._deleted, self._versions)

    def _move(self, name: str, there: dict[str, list[Version]], here: dict[str, list[Version]]) -> Version | None:
        with self._lock:
            versions = there.pop(name.lower(), [])
            if not versions:
                return None
            here[name.lower()] = versions
            self._save()
        return versions[-1]

    def versions(self, name: str) -> list[Version]:
        """Return all versions of a secret."""
        with self._lock:
            return list(self._versions.get(name.lower(), []))

    def names(self) -> list[str]:
        """Return the names of all secrets."""
        with self._lock:
            return sorted(self._versions)

    def _save(self) -> None:
        if self._file is None:
            return
        all_of_them = {**self._versions, **{f"{_DELETED}{name}": items for name, items in self._deleted.items()}}
        stored = {name: [asdict(item) for item in items] for name, items in all_of_them.items()}
        draft = self._file.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(stored, file)
        draft.replace(self._file)
