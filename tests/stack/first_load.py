"""A first load, planned from storage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from local.targets import AUTOPILOT
from shared.azure.settings import StorageAccount
from shared.planning.plan import Plan, plan
from shared.planning.spool import Spool
from shared.planning.survey import Scope
from shared.sources.blob_export.connect import connect
from shared.sources.source import SourceSegment
from shared.state.digests import DigestKey
from shared.state.state import State
from tests.cleaning.recipes import recipe_for


@contextmanager
def planned(storage: str, path: str, names: list[str]) -> Iterator[Plan]:
    """Plan a first load of tables in storage."""
    source = connect(StorageAccount(connection_string=storage), path)
    catalogue = source.catalogue()
    segments = [SourceSegment(source, catalogue.table(name)) for name in names]
    key, scope = DigestKey(b"k" * 32), Scope(remove_leavers=True)
    with Spool() as spool:
        yield plan(segments, recipe_for(AUTOPILOT.mapping), key, State.empty(), [""] * len(names), scope, spool)
