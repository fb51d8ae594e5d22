"""Who is looked for in a segment is looked for in one refresh of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import cast

import polars as pl
import pytest

from export_trigger.steps.find_person import find_person
from shared.composition.app import App
from shared.reasons.codes import Reason
from shared.sources.source import Catalogue
from shared.state.digests import DigestKey
from tests.cleaning.recipes import recipe_for
from tests.sources.memory_source import MemorySource

NOW = datetime(2026, 11, 30, tzinfo=UTC)
ANN = "ann@example.com"


@dataclass
class Rewritten(MemorySource):
    """A source whose rows are written again between each two looks, or never; its catalogue stays as it is."""

    looks: Iterable[int] = field(default_factory=count)

    def verify_settled(self, catalogue: Catalogue, names: Iterable[str], *, now: datetime, quiet: timedelta) -> str:
        super().verify_settled(catalogue, names, now=now, quiet=quiet)
        return str(next(iter(self.looks)))


@pytest.mark.parametrize(("looks", "reason"), [(count(), Reason.SOURCE_NOT_SETTLED), ([7], None)])
def test_a_segment_that_was_written_again_meanwhile_is_said_to_be(looks: Iterable[int], reason: Reason | None) -> None:
    source = Rewritten(looks=looks)
    source.publish({"Team": pl.DataFrame({"person": ["k1"], "Email": [ANN]})}, NOW)
    app = cast("App", SimpleNamespace(source=source, settings=SimpleNamespace(settle_seconds=60), now=lambda: NOW))
    found = find_person(app, ["Team"], recipe_for({"Email": "Email"}), DigestKey(b"k" * 32), ANN, None)
    (looked,) = found.segments
    assert (looked.fault and looked.fault.reason) == reason
    assert bool(looked.rows) == (found.contact is not None) == (reason is None)
