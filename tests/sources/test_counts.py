"""Members of segments: each table answers for itself, and nothing is counted twice."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.sources.counts import LATER, Counts, Members
from tests.sources.blob_export.export import BODY, Source
from tests.sources.played import ENOUGH, Played, counts_of, table

STORAGE_CALLS = "azure.core.pipeline.policies.http_logging_policy"


def test_a_version_is_counted_once_and_another_one_anew() -> None:
    played = Played()
    counts, vip = counts_of(played), table("VIP", "a", "b")
    for _ in range(3):
        assert counts.of([vip], ENOUGH) == {"VIP": Members(8)}
    assert played.read_paths == {"a": 1, "b": 1}
    played.etags["b"], played.rows = "2", 5
    assert counts.of([vip], ENOUGH) == {"VIP": Members(10)}
    assert played.read_paths == {"a": 1, "b": 2}


def test_a_table_whose_blob_is_gone_harms_no_other() -> None:
    played = Played()
    played.gone = {"old/b"}
    found = counts_of(played).of([table("VIP", "a"), table("Old", "old/a", "old/b"), table("New", "c")], ENOUGH)
    assert found == {"VIP": Members(4), "Old": Members(None, "old/b does not exist."), "New": Members(4)}


def test_what_there_is_no_time_for_is_unknown_not_nothing_and_comes_later() -> None:
    played = Played()
    played.hold.clear()
    counts, vip = counts_of(played), table("VIP", *(str(number) for number in range(20)))
    assert counts.of([vip], 0.05) == {"VIP": Members(None, LATER)}
    played.hold.set()
    assert counts.of([vip], ENOUGH) == {"VIP": Members(80)}


def test_many_may_ask_at_once() -> None:
    counts, vip = counts_of(Played()), table("VIP", *(str(number) for number in range(50)))
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: counts.of([vip], ENOUGH)["VIP"].rows, range(16))) == {200}


def test_partitions_that_did_not_change_cost_a_listing(source: Source, caplog: pytest.LogCaptureFixture) -> None:
    """Against a storage emulator, through the real client: 40 partitions, 161 calls at first, one from then on."""
    source.model(*(source.put(f"Export/VIP/2026/01/01/0000/VIP_{number}.csv", BODY) for number in range(40)))
    counts, vip = Counts(source.reader), source.reader.catalogue().table("VIP")
    assert counts.of([vip], ENOUGH)["VIP"] == Members(80)
    with caplog.at_level(logging.INFO, logger=STORAGE_CALLS):
        assert counts.of([vip], ENOUGH)["VIP"] == Members(80)
    assert sum(record.getMessage().startswith("Request URL") for record in caplog.records) == 1

    source.put("Export/VIP/2026/01/01/0000/VIP_7.csv", BODY + b"3,Cid,cid@example.com\n")
    assert counts.of([vip], ENOUGH)["VIP"] == Members(81)
    source.container.delete_blob("Export/VIP/2026/01/01/0000/VIP_8.csv")
    gone = counts.of([vip], ENOUGH)["VIP"]
    assert gone.rows is None
    assert "VIP_8.csv does not exist" in gone.why
