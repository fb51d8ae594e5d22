"""The timers: one looks for refreshed segments and due exports, one for runs that a dead process left lying."""

from __future__ import annotations

import azure.functions as func

from shared.reasons.faults import without_texts

blueprint = func.Blueprint()  # type: ignore[no-untyped-call]


@blueprint.timer_trigger("timer", schedule="%EXPORT_SCHEDULE%", run_on_startup=False, use_monitor=True)
@without_texts
def tick(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the trigger asks for it
    """Run the tick; one that is past due does the same work, once."""
    from export_trigger.steps import tick as step
    from shared.composition.app import app
    from shared.telemetry import tracing

    tracing.listen()
    step.tick(app())


@blueprint.timer_trigger("timer", schedule="%SUPERVISION_SCHEDULE%", run_on_startup=False, use_monitor=False)
@without_texts
def supervise(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the trigger asks for it
    """Take up runs whose processes died."""
    from export_trigger.steps import supervise as step
    from shared.composition.app import app
    from shared.telemetry import tracing

    tracing.listen()
    step.supervise(app())
