"""Counts of segments that outlive the instance: one blob, so that a table is not read again after each cold start.

It is nothing but a memory of what was counted: whatever is wrong with it, tables are counted anew. Its keys are digests of
partitions' names and versions, its values say how many rows each has, and on which day that was last asked for.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from shared.azure.records import FIRST, NewerVersion, check_version
from shared.azure.storage import Conflict, Container, Storage, StorageFault, TooLarge

VERSION: Final = FIRST
PATH: Final = "segments.json"

MOST: Final = 20_000
"""Partitions that are remembered, about 50 bytes each: those that were asked for last."""

DAYS: Final = 30
"""Days after which a partition that nobody asked for is forgotten: it is no version of a segment any more."""

REFRESH_DAYS: Final = 7
"""Days after which it is noted that one is still asked for."""

TURNS: Final = 3

log = logging.getLogger(__name__)

type Kept = dict[str, tuple[int, int]]
"""Rows of a partition's version, and the day (as a number) on which somebody last asked for them."""


class KeptCounts:
    """Keeps counts in the app's own storage. A storage that does not answer only makes it forgetful."""

    def __init__(self, storage: Storage, now: Callable[[], datetime]) -> None:
        self._storage = storage
        self._now = now

    def read(self) -> Mapping[str, int]:
        """Return what is kept: rows by key."""
        try:
            return {key: rows for key, (rows, _) in self._load()[0].items()}
        except (StorageFault, NewerVersion) as error:
            log.info("kept counts cannot be read: %s", type(error).__name__)
            return {}

    def keep(self, counts: Mapping[str, int]) -> None:
        """Add counts to what is kept, and note that all of them were asked for today; without news nothing is written."""
        try:
            for _ in range(TURNS):
                if self._kept(counts):
                    return
        except (StorageFault, NewerVersion) as error:
            log.info("counts are not kept: %s", type(error).__name__)

    def _kept(self, counts: Mapping[str, int]) -> bool:
        """Do so unless somebody else writes meanwhile; return whether it is done."""
        kept, etag = self._load()
        today = self._now().date().toordinal()
        news = {
            key: (rows, today)
            for key, rows in counts.items()
            if key not in kept or kept[key][0] != rows or kept[key][1] <= today - REFRESH_DAYS
        }
        if not news:
            return True
        fresh = [item for item in {**kept, **news}.items() if item[1][1] > today - DAYS]
        newest = dict(sorted(fresh, key=lambda item: item[1][1])[-MOST:])
        data = json.dumps({"version": VERSION, "counts": newest}, separators=(",", ":")).encode()
        try:
            self._storage.put(Container.COUNTS, PATH, data, if_match=etag, only_new=etag is None)
        except Conflict:
            return False
        return True

    def _load(self) -> tuple[Kept, str | None]:
        """Return what is kept, nothing of what cannot be understood, and the blob's ETag; raise NewerVersion."""
        try:
            found = self._storage.get(Container.COUNTS, PATH)
        except TooLarge as damage:
            return {}, damage.etag
        if found is None:
            return {}, None
        try:
            content = json.loads(found[0])
            check_version("The file of counts", content["version"], VERSION)
            kept = {str(key): (int(rows), int(day)) for key, (rows, day) in content["counts"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return {}, found[1]
        return {key: value for key, value in kept.items() if value[0] >= 0}, found[1]
