"""The ledger: one run at a time, one outcome a chunk, counts that hold however many write at once."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from azure.data.tables import TableServiceClient

from local.azurite import Azurite
from shared.accounts.accounts import LONGEST_WINDOW, SHORT_WINDOW, Accounts, AccountSlots
from shared.azure.clock import StorageClock
from shared.azure.tables import Table
from shared.delivery.pace import Window
from shared.reasons.codes import Reason, Status
from shared.runs.counts import Counts
from shared.runs.entry import Entry
from shared.runs.head import RunInProgress
from shared.runs.ledger import Ledger, NoSuchRun
from shared.runs.run import Run
from shared.runs.run_id import new_run_id
from tests.delivery.accounts import ManualClock
from tests.runs.lives import canceled, planned

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@pytest.fixture
def tables(azurite: Azurite) -> Iterator[TableServiceClient]:
    with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        yield service


@pytest.fixture
def ledger(tables: TableServiceClient) -> Ledger:
    return Ledger(Table(tables, "t" + secrets.token_hex(6)))


@pytest.fixture
def accounts(tables: TableServiceClient) -> Accounts:
    return Accounts(Table(tables, "t" + secrets.token_hex(6)), StorageClock())


def a_run(minutes: int = 0) -> Run:
    at = NOW + timedelta(minutes=minutes)
    return Run(export="e", id=new_run_id(at), trigger="on_demand", requested_by="me", queued_at=at)


def ended(run: Run) -> Run:
    return canceled(run, NOW)


def test_a_run_reads_back_as_it_was_written(ledger: Ledger) -> None:
    started = a_run()
    run = planned(started, NOW, counts=Counts(rows_read=3)).stopped(Reason.KEY_REFUSED)
    run = run.unreachable(NOW, "[not json] {at all}")
    ledger.start(started)
    ledger.change("e", run.id, lambda _: run)
    assert ledger.run("e", run.id) == run


def test_a_second_run_is_refused_with_the_first_ones_id(ledger: Ledger) -> None:
    first = a_run()
    ledger.start(first, lambda head: head.refresh_seen("r1"))
    with pytest.raises(RunInProgress) as caught:
        ledger.start(a_run(1), lambda head: head.refresh_seen("r2"))
    assert caught.value.run_id == first.id
    assert ledger.head("e").refresh == "r1"


def test_a_start_whose_answer_was_lost_is_a_start(ledger: Ledger) -> None:
    first = a_run()
    ledger.start(first)
    ledger.start(first)  # storage wrote it, said 500, and the client asked again
    assert ledger.head("e").active == first.id


def test_of_many_that_start_at_once_one_does(ledger: Ledger) -> None:
    def attempt(minutes: int) -> bool:
        try:
            ledger.start(a_run(minutes))
        except RunInProgress:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(8))) == 1


def test_runs_come_newest_first_and_page_by_page(ledger: Ledger) -> None:
    made = [a_run(minutes) for minutes in range(5)]
    for run in made:
        ledger.start(run)
        ledger.finish("e", run.id, ended, state_of=None)
    newest = [run.id for run in reversed(made)]
    first = [run.id for run in ledger.runs("e", most=2)]
    rest = [run.id for run in ledger.runs("e", before=first[-1])]
    assert first + rest == newest


def test_a_chunk_recorded_by_many_at_once_counts_once(ledger: Ledger) -> None:
    run = a_run()
    ledger.start(run)
    ledger.change("e", run.id, lambda run: planned(run, NOW, chunks=20))

    def record(chunk: int) -> bool:
        entry = Entry(chunk=f"{chunk % 20:06d}")
        return ledger.record(
            "e",
            run.id,
            entry,
            lambda run: run.recorded(entry, Counts(delivered=5), None, NOW),
        )[1]

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(record, range(60))) == 20
    final = ledger.run("e", run.id)
    assert (final.done, final.counts.delivered, final.is_delivered) == (20, 100, True)
    assert [entry.chunk for entry in ledger.entries("e", run.id)] == [f"{n:06d}" for n in range(20)]


def test_what_continues_a_chunk_comes_after_it_however_often_it_was_continued(ledger: Ledger) -> None:
    """What a person's receipts say counts in the order in which it was learnt."""
    run = a_run()
    ledger.start(run)
    names = ["000001", *(f"000001-{turn}-{turn:08x}" for turn in range(1, 12)), "000002", "000002-1-ab"]
    ledger.change("e", run.id, lambda run: planned(run, NOW, chunks=len(names)))
    for name in reversed(names):
        entry = Entry(chunk=name)
        ledger.record("e", run.id, entry, lambda run, entry=entry: run.recorded(entry, Counts(), None, NOW))  # type: ignore[misc]
    assert [entry.chunk for entry in ledger.entries("e", run.id)] == names


def test_finishing_frees_the_export_moves_the_state_and_is_harmless_again(ledger: Ledger) -> None:
    run = a_run()
    ledger.start(run)
    ledger.finish("e", run.id, ended, state_of="main")
    ledger.finish("e", run.id, lambda run: run.ended(NOW, Reason.INTERNAL_ERROR), state_of=None)
    assert ledger.run("e", run.id).status is Status.CANCELED
    assert (ledger.head("e").active, ledger.head("e").states) == (None, {"main": run.id})


@pytest.mark.parametrize("name", ["", "nonsense", "20261399t999999-ab", "../x"])
def test_what_is_no_run_is_not_found(ledger: Ledger, name: str) -> None:
    with pytest.raises(NoSuchRun):
        ledger.run("e", name)


@pytest.mark.parametrize("rate", [100, 10_000])
def test_windows_reserved_by_many_at_once_never_overlap(accounts: Accounts, rate: int) -> None:
    instances = [AccountSlots(accounts, "main", rate, StorageClock()) for _ in range(2)]

    def reserve(turn: int) -> Window:
        return instances[turn % 2].reserve(10, math.inf)

    with ThreadPoolExecutor(8) as pool:
        windows = sorted(pool.map(reserve, range(24)), key=lambda window: window.start)
    for earlier, later in pairwise(windows):
        assert later.start >= earlier.end - 1e-6


def test_an_instance_that_is_slower_than_the_pace_reserves_once_for_all_its_chunks(accounts: Accounts) -> None:
    clock = ManualClock()
    slots = AccountSlots(accounts, "main", 10_000, clock)
    windows = [slots.reserve(100, math.inf), slots.reserve(100, math.inf)]
    known = accounts.pace("main").next_free
    assert known == pytest.approx(clock.now() + SHORT_WINDOW)
    windows += [slots.reserve(100, math.inf) for _ in range(3)]
    assert accounts.pace("main").next_free == known
    assert [window.start - clock.now() for window in windows] == pytest.approx([0, 0.01, 0.02, 0.03, 0.04])
    clock.time += 0.1
    assert clock.now() <= slots.reserve(100, math.inf).start < clock.now() + 0.001  # what it slept through is lost
    slots.throttled(None)
    assert slots.reserve(100, math.inf).start >= clock.now() + 1


def test_who_waits_for_the_pace_reserves_no_more_than_it_needs(accounts: Accounts) -> None:
    slots = AccountSlots(accounts, "main", 40, ManualClock())
    assert [slots.reserve(size, math.inf).slots for size in (200, 5, 1)] == [200, 5, 1]
    begun = accounts.pace("main").next_free
    slots.reserve(3, math.inf)
    assert accounts.pace("main").next_free == pytest.approx(begun + 3 / 40)


def test_a_window_is_no_longer_when_the_account_is_throttled(accounts: Accounts) -> None:
    slots = AccountSlots(accounts, "main", 100, StorageClock())
    slots.throttled(None)
    window = slots.reserve(10_000, math.inf)
    assert window.slots < 100 * LONGEST_WINDOW
    assert window.end - window.start <= LONGEST_WINDOW


def test_knowledge_of_an_account_is_shared_and_can_be_forgotten(accounts: Accounts) -> None:
    assert accounts.list_id("main", "A/B?#") is None
    accounts.remember_list("main", "A/B?#", "contactlist_1")
    assert accounts.list_id("main", "A/B?#") == "contactlist_1"
    accounts.remember_list("main", "A/B?#", None)
    assert accounts.list_id("main", "A/B?#") is None
    accounts.remember_list_method("main", "contact")
    assert accounts.list_method("main") == "contact"
