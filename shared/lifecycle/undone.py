"""What is written down of a chunk that is sent no more: nothing is known to be done, and of some nothing is known at all."""

from __future__ import annotations

from collections.abc import Sequence

from shared.composition.app import App
from shared.delivery.chunks import Operation
from shared.lifecycle.record import Outcome
from shared.lifecycle.window import NO_CALLS
from shared.reasons.codes import Reason
from shared.runs.counts import Counts
from shared.runs.files import write_table
from shared.runs.run import Run
from shared.state.state import Receipt, tabulate


def left(app: App, run: Run, reason: Reason, operations: Sequence[Operation], calls: Counts = NO_CALLS) -> Outcome:
    """Return the outcome of a chunk that is sent no more; it is in doubt if any attempt may have sent something of it."""

    def in_doubt() -> bytes:
        account = run.account or app.accounts.identities.home(str(run.connection)) or str(run.connection)
        lists = [app.accounts.list_id(account, target.list) for target in run.targets]
        known = tuple(dict.fromkeys(filter(None, lists)))
        return write_table(tabulate(doubts(operations, lists), known), known)

    counts = calls + Counts(undelivered=rows_of(operations))
    return Outcome(stop=reason, counts=counts, left=len(operations), in_doubt=in_doubt)


def rows_of(operations: Sequence[Operation]) -> int:
    """Count the operations that stand for a row."""
    return sum(operation.is_row for operation in operations)


def doubts(operations: Sequence[Operation], lists: Sequence[str | None]) -> list[Receipt]:
    """Return receipts that leave open whether the operations were done: the next run does them again, whoever they concern."""
    return [
        Receipt(
            operation.person,
            operation.contact_id,
            unconfirmed=operation.upsert,
            removed=_named(operation.remove, lists),
            attempted=_named((*operation.add, *operation.remove), lists),
        )
        for operation in operations
    ]


def _named(indices: Sequence[int], lists: Sequence[str | None]) -> tuple[str, ...]:
    """Name the lists of these indices by id; what was never made holds nobody."""
    return tuple(list_id for index in indices if (list_id := lists[index]))
