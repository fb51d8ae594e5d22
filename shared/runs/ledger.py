"""The ledger: runs and what became of their chunks, in one table, exact under any redelivery.

Everything about an export stands in one partition, so that what belongs together changes in one transaction: a run
starts and the head names it; a chunk's outcome is recorded and the run's counts grow; a run ends and its state becomes
the export's. A second recording of the same chunk fails as a whole.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from shared.azure.records import RecordDamaged, Unreadable
from shared.azure.tables import Change, Lost, Table
from shared.reasons.codes import Status
from shared.runs.entry import Entry
from shared.runs.files import turn_of
from shared.runs.head import FollowUp, Head, RunInProgress
from shared.runs.run import Run
from shared.runs.run_id import LATEST, moment_of

log = logging.getLogger(__name__)

_HEAD: Final = "head"
_LAST_MOMENT: Final = LATEST * 1000

_SPANS: Final = (timedelta(hours=6), timedelta(days=4), timedelta(days=60), None)
"""How far back runs of all exports are looked for, until there are enough: mostly the first few hours hold them."""


class NoSuchRun(Exception):
    """The ledger knows no such run: it was never started, or its history has been cleared away."""


class Ledger:
    """Reads and writes runs. Every change is a compare-and-swap, tried again until it holds."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def exports(self) -> Iterator[str]:
        """Yield the exports that anything is known of, those that were deleted too, in the order of their names."""
        return self._table.partitions()

    def head(self, export: str) -> Head:
        """Return the export's head."""
        return self._head(export)[0]

    def run(self, export: str, run_id: str) -> Run:
        """Return one run; raise NoSuchRun."""
        return self._run(export, run_id)[0]

    def runs(self, export: str, *, before: str | None = None, most: int = 50) -> list[Run]:
        """Return the export's runs, newest first, at most `most`, and only those before the run `before`, if it is given."""
        return list(islice(self.each_run(export, before=before), most))

    def each_run(self, export: str, *, before: str | None = None) -> Iterator[Run]:
        """Yield the export's runs that can be read, newest first, and only those before the run `before`, if it is given."""
        return (run for _, run in self.each_row(export, before=before) if not isinstance(run, Unreadable))

    def each_row(
        self, export: str, *, before: str | None = None, older_than: datetime | None = None
    ) -> Iterator[tuple[str, Run | Unreadable]]:
        """Yield the export's runs by their ids, read as they are asked for; one that cannot be read is the error that says so."""
        start = "run-"
        if before is not None:
            start = _run_key(before) + "~"
        elif older_than is not None:
            start = _moment_key(older_than)
        for key, run in self._table.rows(export, start, "run-~", Run):
            if isinstance(run, Unreadable):
                log.error("a run cannot be read: %s", run.detail)
            yield key.removeprefix("run-").partition("-")[2], run

    def heads(self) -> dict[str, Head | Unreadable]:
        """Return the heads of all exports; one that this code cannot read is the error that says so."""
        return dict(self._table.across(_HEAD, _HEAD + "~", Head))

    def unfinished(self) -> dict[tuple[str, str], Run]:
        """Return the runs of all exports that have not ended, by export and id."""
        found = (
            run
            for status in (Status.QUEUED, Status.PROCESSING)
            for _, run in self._table.across("run-", "run-~", Run, status=status.value)
        )
        return {(run.export, run.id): run for run in found if isinstance(run, Run)}

    def latest(
        self, now: datetime, *, after: tuple[str, str] | None = None, status: Status | None = None, most: int = 50
    ) -> list[Run]:
        """Return the runs of all exports, newest first, at most `most`: those after a run, by its export and id.

        Keys tell when a run was started: so only the newest are asked for, and older ones until there are enough. Raise
        NoSuchRun if `after` is no run's id.
        """
        position = ("", "") if after is None else (_run_key(after[1]), after[0])
        begin = now if after is None else moment_of(after[1]) or now
        equal = {} if status is None else {"status": status.value}
        found: list[Run] = []
        for span in _SPANS:
            end = "run-~" if span is None else _moment_key(begin - span)
            runs = (run for _, run in self._table.across(position[0] or "run-", end, Run, **equal))
            found = [run for run in runs if isinstance(run, Run) and _position(run) > position]
            if len(found) >= most:
                break
        return sorted(found, key=_position)[:most]

    def start(
        self, run: Run, change: Callable[[Head], Head] = lambda head: head, *, fulfils: FollowUp | None = None
    ) -> None:
        """Record a new run and make it the export's active one; raise RunInProgress.

        `change` is what else the head notes with it, such as which refresh is tried. `fulfils` is the follow-up that the
        run is: in the same transaction it is not pending any more. Raise FollowUpTaken if it is not now.
        """
        while True:
            head, etag = self._head(run.export)
            if head.active == run.id:  # written, but the answer was lost and the client asked again
                return
            changed = change(head).started(run, fulfils)
            if self._table.try_write(run.export, [Change(_run_key(run.id), run, None), Change(_HEAD, changed, etag)]):
                return

    def change_head(self, export: str, change: Callable[[Head], Head]) -> None:
        """Change the head; `change` is asked again if somebody else changed it meanwhile, and may return it unchanged."""
        while True:
            head, etag = self._head(export)
            changed = change(head)
            if changed == head or self._table.try_write(export, [Change(_HEAD, changed, etag)]):
                return

    def going(self, export: str) -> list[str]:
        """Return the ids of an export's runs that are going: the head's, or where that is damaged all that say so."""
        try:
            active = self.head(export).active
        except RecordDamaged:
            return [run_id for run_id, run in self.each_row(export) if isinstance(run, Run) and not run.status.is_final]
        return [active] if active else []

    def mark_deleted(self, export: str) -> None:
        """Note that an export is deleted, in the place of a head that is damaged too; raise NewerVersion."""
        try:
            self.change_head(export, Head.marked_deleted)
        except RecordDamaged:
            self._table.put(export, _HEAD, Head().marked_deleted())

    def start_over(self, export: str, at: datetime, *, only_if: Callable[[Head], bool] = lambda _: True) -> bool:
        """Make the next run start with nothing; return whether that was done. Raise RunInProgress while one is going.

        `only_if` is asked of each version of the head: what somebody changes meanwhile stays.
        """
        while True:
            head, etag = self._head(export)
            if not only_if(head):
                return False
            if head.active is not None:
                raise RunInProgress(head.active)
            if self._table.try_write(export, [Change(_HEAD, Head.starting_over(at), etag)]):
                return True

    def forget_head(self, export: str, *, only_if: Callable[[Head], bool]) -> None:
        """Forget the head of an export that is gone, if that holds of the version that is there."""
        while True:
            head, etag = self._head(export)
            if etag is None or head.active is not None or not only_if(head):
                return
            with suppress(Lost):
                self._table.delete_version(export, _HEAD, etag)

    def release(self, export: str, run_id: str) -> None:
        """Free the export from a run that is gone."""
        self.change_head(export, lambda head: head.released(run_id))

    def change(self, export: str, run_id: str, change: Callable[[Run], Run]) -> Run:
        """Change a run and return it as it is then; one that has ended stays as it is.

        `change` is asked again if somebody else changed the run meanwhile, and may return it unchanged.
        """
        while True:
            run, etag = self._run(export, run_id)
            if run.status.is_final:
                return run
            changed = change(run)
            if changed == run or self._table.try_write(export, [Change(_run_key(run_id), changed, etag)]):
                return changed

    def record(self, export: str, run_id: str, entry: Entry, change: Callable[[Run], Run]) -> tuple[Run, bool]:
        """Record a chunk's outcome and change its run with it.

        Return the run, and False if nothing was recorded: the chunk had an outcome already, or the run ends or has ended. An
        outcome of the same attempt is ours: it was written, but the answer was lost and the client asked again.
        """
        key = _chunk_key(run_id, entry.chunk)
        while True:
            run, etag = self._run(export, run_id)
            known = self._table.get(export, key, Entry)
            if known is not None:
                return run, bool(entry.attempt) and known[0].attempt == entry.attempt
            if run.status.is_final or run.is_delivered:  # then it had one, which was forgotten at the run's end
                return run, False
            changed = change(run)
            if self._table.try_write(export, [Change(key, entry, None), Change(_run_key(run_id), changed, etag)]):
                return changed, True

    def entry(self, export: str, run_id: str, chunk: str) -> Entry | None:
        """Return what is recorded of one chunk, or None."""
        found = self._table.get(export, _chunk_key(run_id, chunk), Entry)
        return found[0] if found else None

    def entries(self, export: str, run_id: str) -> list[Entry]:
        """Return what is recorded of a run's chunks, each before what continues it."""
        start = _chunk_key(run_id, "")
        found = [entry for _, entry in self._table.between(export, start, start + "~", Entry)]
        return sorted(found, key=lambda entry: turn_of(entry.chunk))

    def forget_entries(self, export: str, run_id: str) -> None:
        """Forget what was recorded of an ended run's chunks: the run itself holds the sums."""
        start = _chunk_key(run_id, "")
        self._table.delete(export, self._table.keys(export, start, start + "~"))

    def recorded(self, export: str) -> list[str]:
        """Return the ids of the runs of whose chunks anything is recorded, a query each."""
        found: list[str] = []
        start = "chunk-"
        while keys := self._table.keys(export, start, "chunk-~", most=1):
            found.append("-".join(keys[0].split("-")[1:3]))
            start = _chunk_key(found[-1], "~")
        return found

    def forget(self, export: str, run_id: str) -> None:
        """Forget an ended run."""
        self.forget_entries(export, run_id)
        self._table.delete(export, [_run_key(run_id)])

    def finish(
        self,
        export: str,
        run_id: str,
        end: Callable[[Run], Run],
        *,
        state_of: str | None,
        follow_up: Callable[[Run, Head], FollowUp | None] = lambda *_: None,
    ) -> Run:
        """End a run and free its export; with `state_of`, the run's state becomes that connection's.

        `follow_up` returns what has to follow. Again is harmless. `end` may return the run unchanged: then it goes on.
        """
        while True:
            run, etag = self._run(export, run_id)
            if run.status.is_final:
                return run
            head, head_etag = self._head(export)
            ended = end(run)
            if ended == run:
                return run
            freed = head.ended(ended)
            if state_of is not None:
                freed = freed.with_state(state_of, ended)
            freed = freed.followed_by(follow_up(ended, freed))
            if self._table.try_write(export, [Change(_run_key(run_id), ended, etag), Change(_HEAD, freed, head_etag)]):
                return ended

    def _head(self, export: str) -> tuple[Head, str | None]:
        return self._table.get(export, _HEAD, Head) or (Head(), None)

    def _run(self, export: str, run_id: str) -> tuple[Run, str]:
        found = self._table.get(export, _run_key(run_id), Run)
        if found is None:
            raise NoSuchRun(run_id)
        return found


def _run_key(run_id: str) -> str:
    """Order runs newest first: rows come in ascending order of their keys. Raise NoSuchRun for what is no run's id."""
    started = moment_of(run_id)
    if started is None:
        raise NoSuchRun(run_id)
    return f"{_moment_key(started)}-{run_id}"


def _position(run: Run) -> tuple[str, str]:
    return _run_key(run.id), run.export


def _moment_key(moment: datetime) -> str:
    return f"run-{_LAST_MOMENT - round(moment.timestamp() * 1000):013d}"


def _chunk_key(run_id: str, chunk: str) -> str:
    return f"chunk-{run_id}-{chunk}"
