"""Counts outlive the instance: a new one reads no table that another has counted, and nothing wrong with them is believed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest

from shared.azure.storage import Container
from shared.composition.app import App
from shared.sources.counts import Members
from shared.sources.kept_counts import DAYS, MOST, PATH, REFRESH_DAYS, KeptCounts
from tests.delivery.accounts import ManualClock
from tests.sources.played import ENOUGH, Played, counts_of, table


@pytest.fixture
def kept(timed: App) -> Iterator[KeptCounts]:
    timed.storage.delete(Container.COUNTS, PATH)
    yield KeptCounts(timed.storage, timed.now)
    timed.storage.delete(Container.COUNTS, PATH)


def test_an_instance_that_starts_reads_no_table_that_another_has_counted(kept: KeptCounts) -> None:
    played, vip = Played(), table("VIP", "a", "b")
    assert counts_of(played, kept).of([vip], ENOUGH) == {"VIP": Members(8)}
    assert counts_of(played, kept).of([vip], ENOUGH) == {"VIP": Members(8)}
    assert played.read_paths == {"a": 1, "b": 1}
    played.etags["b"], played.rows = "2", 5
    assert counts_of(played, kept).of([vip], ENOUGH) == {"VIP": Members(10)}
    assert played.read_paths == {"a": 1, "b": 2}


def test_what_nobody_asked_for_goes_and_what_is_asked_for_stays(
    kept: KeptCounts, timed: App, clock: ManualClock
) -> None:
    kept.keep({"used": 1, "forgotten": 2})
    for _ in range(DAYS // REFRESH_DAYS + 1):
        clock.sleep(timedelta(days=REFRESH_DAYS).total_seconds())
        kept.keep({"used": 1})
    assert kept.read() == {"used": 1}


def test_without_news_nothing_is_written(kept: KeptCounts, timed: App) -> None:
    kept.keep({"a": 1})
    etag = timed.storage.etag(Container.COUNTS, PATH)
    kept.keep({"a": 1})
    assert timed.storage.etag(Container.COUNTS, PATH) == etag


def test_only_so_many_are_kept(kept: KeptCounts, timed: App) -> None:
    kept.keep({f"{number:032x}": number for number in range(MOST + 10)})
    assert len(kept.read()) == MOST
    found = timed.storage.get(Container.COUNTS, PATH)
    assert found is not None
    assert len(found[0]) < 1 << 20


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[1]", b'{"version":1,"counts":{"a":3}}', b'{"version":1,"counts":{"a":[-1,800000]}}']
)
def test_what_is_damaged_is_nothing_and_written_anew(kept: KeptCounts, timed: App, text: bytes) -> None:
    timed.storage.put(Container.COUNTS, PATH, text)
    assert kept.read() == {}
    kept.keep({"b": 2})
    assert kept.read() == {"b": 2}


def test_what_a_newer_version_wrote_is_left_alone(kept: KeptCounts, timed: App) -> None:
    text = json.dumps({"version": 2, "counts": {"a": "many"}}).encode()
    timed.storage.put(Container.COUNTS, PATH, text)
    assert kept.read() == {}
    kept.keep({"b": 2})
    found = timed.storage.get(Container.COUNTS, PATH)
    assert found is not None
    assert found[0] == text
