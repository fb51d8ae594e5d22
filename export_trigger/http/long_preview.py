"""Previews that take longer than a caller waits: they go on, and what they come to is fetched within an hour.

The platform ends a request after 230 seconds. A preview is only a look: one whose instance dies is asked for again.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from contextlib import ExitStack
from contextvars import copy_context
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

from pydantic import ValidationError

from export_trigger.http.request import Answer, Call, Problem
from export_trigger.http.run_views import Preview
from export_trigger.steps.room import PREVIEWS_IN_HAND
from shared.azure.records import Record
from shared.azure.storage import Container, StorageFault
from shared.composition.app import App
from shared.reasons.codes import Reason
from shared.reasons.errors import TryLater
from shared.reasons.faults import told
from shared.runs.run_id import new_run_id

log = logging.getLogger(__name__)

MOST_SECONDS: Final = 100.0
"""Seconds that a caller waits at most."""

BEAT_SECONDS: Final = 15.0
SILENT: Final = timedelta(seconds=90)
"""For how long nothing may be heard of a preview that goes on: then its instance is taken for dead."""

AGAIN_SECONDS: Final = 5
_WAIT: Final = re.compile(r"\bwait=(\d{1,4})\b")


class PreviewRecord(Record):
    """What is kept of a preview: when it was last heard of, and what it came to. Never the example contacts."""

    alive_at: datetime
    found: dict[str, Any] | None = None
    status: int = HTTPStatus.OK
    code: str = ""
    detail: str = ""


class _Work:
    """A preview that is being made in a thread of its own; `held` is what it holds until it is over."""

    def __init__(self, make: Callable[[], Preview], held: ExitStack) -> None:
        self._make = make
        self._held = held
        self._found: Preview | None = None
        self._error: Exception | None = None
        self.over = threading.Event()
        threading.Thread(target=copy_context().run, args=(self._run,), daemon=True).start()

    def result(self) -> Preview:
        """Return the preview; raise what it ended with."""
        if self._found is None:
            raise self._error or RuntimeError("the preview is not made yet")
        return self._found

    def _run(self) -> None:
        try:
            self._found = self._make()
        except Exception as error:  # noqa: BLE001 - raised where somebody asks for the result
            self._error = error
        finally:
            self._held.close()
            self.over.set()


def _begun(make: Callable[[], Preview]) -> _Work:
    """Begin to make a preview; raise a Problem where this instance has as many in hand as it may."""
    held = ExitStack()
    try:
        held.enter_context(PREVIEWS_IN_HAND.place())
    except TryLater:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "try_later",
            "Too many previews are being made or wait for their turn. Try again in a moment.",
        ) from None
    return _Work(make, held)


def answer_within(app: App, call: Call, make: Callable[[], Preview]) -> Answer:
    """Return the preview that `make` makes, or where it will be if the caller does not wait for so long; raise what it raises."""
    work = _begun(make)
    seconds = _seconds(call)
    if seconds and work.over.wait(seconds):
        return Answer(body=work.result())
    export, preview = call.params["export"], new_run_id(app.now())
    _keep(app, export, preview, PreviewRecord(alive_at=app.now()))
    threading.Thread(target=_follow, args=(app, export, preview, work), daemon=True).start()
    return _not_yet(export, preview)


def get_preview(app: App, call: Call) -> Answer:
    """Show what a preview came to that took long, 202 while it goes on. It is kept for an hour, without the examples."""
    export, preview = call.params["export"], call.params["preview"]
    found = app.storage.get(Container.PREVIEWS, _path(export, preview))
    try:
        record = PreviewRecord.model_validate_json(found[0] if found else b"")
        shown = None if record.found is None else Preview.model_validate(record.found)
    except ValidationError:  # it is not there, or another version of the app kept it
        raise Problem(
            HTTPStatus.NOT_FOUND,
            "preview_not_found",
            "There is no such preview, or its hour is over. Ask for a new one.",
        ) from None
    if shown is not None:
        return Answer(body=shown)
    if record.code:
        raise Problem(HTTPStatus(record.status), record.code, record.detail)
    if app.now() - record.alive_at > SILENT:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "preview_interrupted",
            "The app was restarted meanwhile. Ask for the preview again.",
        )
    return _not_yet(export, preview)


def _follow(app: App, export: str, preview: str, work: _Work) -> None:
    """Keep a preview alive until it is made, and keep what it came to."""
    while not work.over.wait(BEAT_SECONDS):
        _keep(app, export, preview, PreviewRecord(alive_at=app.now()))
    try:
        found = work.result().content() | {"examples": []}  # contacts are shown, and not kept
        record = PreviewRecord(alive_at=app.now(), found=found)
    except Problem as problem:
        record = PreviewRecord(alive_at=app.now(), status=problem.status, code=problem.code, detail=problem.detail)
    except Exception as error:  # noqa: BLE001 - said where the preview is fetched, and found in the log
        log.error("a preview failed: export=%s error=%s", export, told(error))
        fault = Reason.INTERNAL_ERROR
        record = PreviewRecord(
            alive_at=app.now(), status=HTTPStatus.INTERNAL_SERVER_ERROR, code=fault, detail=fault.advice
        )
    _keep(app, export, preview, record)


def _keep(app: App, export: str, preview: str, record: PreviewRecord) -> None:
    """Write what is known of a preview. Where storage does not answer it seems interrupted, and is asked for again."""
    try:
        app.storage.put(Container.PREVIEWS, _path(export, preview), record.model_dump_json().encode())
    except StorageFault as fault:
        log.warning("a preview is not kept: export=%s error=%s", export, type(fault).__name__)


def _seconds(call: Call) -> float:
    """Return for how long the caller waits: `Prefer: wait=10` (RFC 7240); with 0 not at all."""
    told = _WAIT.search(call.headers.get("prefer", ""))
    return min(MOST_SECONDS, float(told[1])) if told else MOST_SECONDS


def _not_yet(export: str, preview: str) -> Answer:
    headers = {"Location": f"/api/exports/{export}/previews/{preview}", "Retry-After": str(AGAIN_SECONDS)}
    return Answer(HTTPStatus.ACCEPTED, headers=headers)


def _path(export: str, preview: str) -> str:
    return f"{export}/{preview}.json"
