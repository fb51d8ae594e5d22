"""Runs: started, watched, canceled, and their rejected rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from http import HTTPStatus
from itertools import islice

from export_trigger.http.draft import check_connection, check_former_connection, find_export
from export_trigger.http.request import Answer, Call, Problem, after_invalid, check_name
from export_trigger.http.run_views import (
    AllStarted,
    ExportSkipped,
    ExportStarted,
    ProgressView,
    RunPage,
    RunStarted,
    RunView,
)
from export_trigger.steps.cancel import cancel_run
from shared.azure.records import Unreadable
from shared.composition.app import App
from shared.exports.configuration import Off
from shared.exports.registry import DocumentDamaged
from shared.lifecycle.start import start_run
from shared.reasons.codes import Reason, Status
from shared.runs.head import RunInProgress
from shared.runs.ledger import NoSuchRun
from shared.runs.run import Run, Trigger, Verification


def post_run(app: App, call: Call) -> Answer:
    """Start a run; 409 with the other run's id if one is going."""
    export, _ = find_export(app, call)
    check_connection(app, call, export.connection)
    return _start(app, call.params["export"], call, "on_demand")


def post_rerun(app: App, call: Call) -> Answer:
    """Try only the rows again that a run rejected; everything else waits for the next ordinary run."""
    export, _ = find_export(app, call)
    check_connection(app, call, export.connection)
    rejected = find_run(app, call)
    return _start(app, rejected.export, call, "rejected_rows", rejected_of=rejected.id)


def post_verify(app: App, call: Call) -> Answer:
    """Read the export's lists back and compare them with what was delivered; with `repair`, repair what differs."""
    export, _ = find_export(app, call)
    check_connection(app, call, export.connection)
    verification: Verification = "repair" if call.flag("repair") else "report"
    return _start(app, call.params["export"], call, "verify", verification=verification)


def post_all_runs(app: App, call: Call) -> Answer:
    """Start every export whose schedule is on."""
    started: list[ExportStarted] = []
    skipped: list[ExportSkipped] = []
    for name in list(app.registry.exports()):
        try:
            found = app.registry.export(name)
            if found is None or isinstance(found[0].schedule, Off):
                continue
            check_connection(app, call, found[0].connection)
            run = start_run(app, name, trigger="run_all", requested_by=call.caller.id)
            started.append(ExportStarted(export=name, run=run.id))
        except RunInProgress as going:
            skipped.append(ExportSkipped(export=name, code=Reason.RUN_IN_PROGRESS, run=going.run_id))
        except (DocumentDamaged, Unreadable) as damage:
            skipped.append(ExportSkipped(export=name, code=damage.reason))
        except Problem as problem:
            skipped.append(ExportSkipped(export=name, code=problem.code))
    return Answer(HTTPStatus.ACCEPTED, AllStarted(started=tuple(started), skipped=tuple(skipped)))


def list_runs(app: App, call: Call) -> Answer:
    """List an export's runs, newest first; those of a deleted one of its name are not among them."""
    find_export(app, call)
    after, limit = call.page()
    try:
        runs = app.ledger.runs(call.params["export"], before=after or None, most=limit + 1)
    except NoSuchRun:
        raise _not_found(after) from None
    since = app.ledger.head(call.params["export"]).began_at
    runs = [run for run in runs if since is None or run.queued_at >= since]
    return Answer(
        body=RunPage(
            items=tuple(view(app, run) for run in runs[:limit]), next=runs[limit - 1].id if len(runs) > limit else None
        )
    )


def list_all_runs(app: App, call: Call) -> Answer:
    """List the runs of all exports, newest first, also of exports that were deleted; those of one export, or in one status."""
    after, limit = call.page()
    position, status, export = _position(after), _status(call), call.query.get("export")
    try:
        if export is None:
            runs = app.ledger.latest(app.now(), after=position, status=status, most=limit + 1)
        else:
            check_name("export", export)
            before = position[1] if position else None
            wanted = (run for run in app.ledger.each_run(export, before=before) if status in {None, run.status})
            runs = list(islice(wanted, limit + 1))
    except NoSuchRun:
        raise after_invalid() from None
    last = f"{runs[limit - 1].id}.{runs[limit - 1].export}" if len(runs) > limit else None
    return Answer(body=RunPage(items=tuple(view(app, run) for run in runs[:limit]), next=last))


def get_run(app: App, call: Call) -> Answer:
    """Show a run: status, reason, counts, progress and when it may end."""
    return Answer(body=view(app, find_run(app, call)))


def cancel(app: App, call: Call) -> Answer:
    """Stop a run between chunks; what was delivered stays recorded."""
    export, _ = find_export(app, call)
    check_former_connection(app, call, export.connection)
    run = find_run(app, call)
    if run.status.is_final:
        raise Problem(HTTPStatus.CONFLICT, "run_ended", f"The run has ended: {run.status}.")
    return Answer(HTTPStatus.ACCEPTED, view(app, cancel_run(app, run.export, run.id)))


def view(app: App, run: Run) -> RunView:
    """Show a run to a user."""
    reason, now = run.reason, app.now()
    is_over, is_waiting = run.status.is_final, run.is_waiting(now)
    tells = is_over or run.unreachable_since is not None
    known = run.model_dump(include=set(RunView.model_fields) & set(Run.model_fields))
    return RunView.model_validate(
        {
            **known,
            "detail": run.detail if tells else run.remarks,
            "advice": reason.advice_after(run.detail) if reason else "",
            "segments": [target.model_dump() for target in run.targets],
            "canceling": run.stop is Reason.CANCELED_BY_USER and not is_over,
            "waits_for": run.waits_for if is_waiting else None,
            "waits_until": run.waits_until if is_waiting else None,
            "progress": _progress(app, run),
        }
    )


def _start(
    app: App,
    export: str,
    call: Call,
    trigger: Trigger,
    *,
    rejected_of: str | None = None,
    verification: Verification | None = None,
) -> Answer:
    """Start a run; raises a Problem with the other run's id if one is going."""
    try:
        run = start_run(
            app,
            export,
            trigger=trigger,
            requested_by=call.caller.id,
            rejected_of=rejected_of,
            verification=verification,
        )
    except RunInProgress as going:
        raise Problem(
            HTTPStatus.CONFLICT, Reason.RUN_IN_PROGRESS, Reason.RUN_IN_PROGRESS.advice, run=going.run_id
        ) from None
    return Answer(HTTPStatus.ACCEPTED, RunStarted(run=run.id), {"Location": f"/api/exports/{export}/runs/{run.id}"})


def _position(after: str) -> tuple[str, str] | None:
    """Return the export and the id of the run that a page comes after; raise a Problem if `after` names none."""
    run_id, dot, export = after.partition(".")
    if after and not (dot and export and run_id):
        raise after_invalid()
    return (export, run_id) if after else None


def _status(call: Call) -> Status | None:
    try:
        return Status(call.query["status"]) if "status" in call.query else None
    except ValueError:
        raise Problem(
            HTTPStatus.BAD_REQUEST, "status_invalid", f"status is one of: {', '.join(item.value for item in Status)}."
        ) from None


def _progress(app: App, run: Run) -> ProgressView:
    share = run.settled / run.operations if run.operations else float(run.status.is_final)
    return ProgressView(
        settled=run.settled,
        operations=run.operations,
        percent=round(100 * share, 1),
        expected_end=_expected_end(app.now(), run),
    )


def _expected_end(now: datetime, run: Run) -> datetime | None:
    """Return when the run may end, by its own speed so far; None while nothing can be told."""
    if run.status is not Status.PROCESSING or not run.settled or run.planned_at is None:
        return None
    left = (run.operations - run.settled) / run.settled * (now - run.planned_at).total_seconds()
    begins = run.waits_until if run.waits_until is not None and run.is_waiting(now) else now
    return (begins + timedelta(seconds=left)).replace(microsecond=0)


def find_run(app: App, call: Call) -> Run:
    """Return the run that the path names; raise a Problem if there is none."""
    try:
        return app.ledger.run(call.params["export"], call.params["run"])
    except NoSuchRun:
        raise _not_found(call.params["run"]) from None


def _not_found(run_id: str) -> Problem:
    return Problem(HTTPStatus.NOT_FOUND, "run_not_found", f"There is no run {run_id!r} of this export.")
