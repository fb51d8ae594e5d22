"""A run's life in any order of steps."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.reasons.codes import Reason
from shared.runs.counts import Counts, Findings
from shared.runs.run import IllegalTransition, Run
from tests.runs.states import LATER, QUEUED, STEPS, entry, plan


class Life(RuleBasedStateMachine):
    """Any steps in any order: whatever is refused changes nothing, whatever is taken keeps the run sound."""

    def __init__(self) -> None:
        super().__init__()
        self.run = QUEUED
        self.before = QUEUED

    def step(self, how: Callable[[Run], Run]) -> None:
        self.before = self.run
        try:
            self.run = how(self.run)
        except IllegalTransition:
            return

    @rule(step=st.sampled_from(sorted(STEPS)))
    def take(self, step: str) -> None:
        self.step(STEPS[step])

    @rule(chunks=st.integers(0, 3), rows=st.integers(-1, 5))
    def planned(self, chunks: int, rows: int) -> None:
        self.step(lambda run: run.planned(plan(chunks, Counts(rows_read=rows)), LATER))

    @rule(settled=st.integers(0, 3), delivered=st.integers(-1, 3), goes_on=st.booleans(), stops=st.booleans())
    def recorded(self, settled: int, delivered: int, goes_on: bool, stops: bool) -> None:
        done = entry(settled=settled, continued_by="c" if goes_on else None)
        stop = Reason.AUTOPILOT_REFUSED if stops else None
        self.step(lambda run: run.recorded(done, Counts(delivered=delivered), stop, LATER))

    @precondition(lambda self: self.run.is_delivered)
    @rule(findings=st.booleans())
    def ended(self, findings: bool) -> None:
        found = (Findings(list="VIP", exists=True),) if findings else ()
        self.step(lambda run: run.ended(LATER, run.stop, findings=found))

    @invariant()
    def nothing_goes_back(self) -> None:
        before, run = self.before, self.run
        if before.status.is_final:
            assert run == before
        assert run.counts.are_sound
        assert all(getattr(run.counts, name) >= getattr(before.counts, name) for name in Counts.model_fields)
        for name in ("chunks", "done", "settled"):
            assert getattr(run, name) >= getattr(before, name)
        assert before.plan is None or run.plan == before.plan
        assert before.stop is None or run.stop == before.stop
        assert run.stop is None or run.plan is None or set(run.begun) <= set(before.begun)

    @invariant()
    def it_is_whole(self) -> None:
        run = self.run
        assert (run.plan is None) is (run.planned_at is None)
        assert run.done <= run.chunks
        assert run.plan is not None or not (run.chunks or run.done or run.begun)
        assert run.status.is_final is (run.ended_at is not None)
        if run.status.is_final:
            assert run.plan is None or run.is_delivered
            assert run.reason is not None or run.plan is not None
            assert run.counts.unaccounted <= 0


TestLife = Life.TestCase


TestLife.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)
