"""Erasure: a data-subject request, carried to every account and every state, and how far it is."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from export_trigger.http.person import address_of
from export_trigger.http.request import Answer, Call, Problem
from export_trigger.http.views import ErasedAt, ErasureView, RunOf
from export_trigger.steps.erase import ADDRESS_LOST, CONNECTION_DELETED, NOT_TRIED, STILL_THERE, erase
from shared.composition.app import App
from shared.erasure.requests import Erasure, Progress
from shared.reasons.codes import Reason

_WHY: Final[dict[str, str]] = {
    Reason.KEY_REFUSED: "The account refused this connection's key. Store the account's current key, or delete the connection.",
    Reason.KEY_MISSING: "This connection's key cannot be read from Key Vault. Store it again, or delete the connection.",
    Reason.AUTOPILOT_UNAVAILABLE: "The account gave no answer that can be believed. It is tried again.",
    Reason.AUTOPILOT_REFUSED: "The account refused the request. Look at its plan and status.",
    Reason.INTERNAL_ERROR: "The account could not be opened. Look at the connection, and save it again.",
    "vault_unavailable": "Key Vault did not answer. It is tried again.",
    STILL_THERE: "The account said that it deleted the contact, and still has it. It is tried again.",
    NOT_TRIED: "There was no time for this account yet. It is tried again.",
    CONNECTION_DELETED: "The connection was deleted before its account confirmed. Delete the person there by hand.",
    Reason.ACCOUNT_CHANGED: "The person was delivered to an account that this connection led to before, and no connection leads there now. "
    "Delete the person there by hand, or connect that account again and repeat the request.",
    ADDRESS_LOST: "The address is no longer kept, so nothing more can be done for this request. Make it again.",
}


def post_erasure(app: App, call: Call) -> Answer:
    """Remove a person at every account and from our state; what cannot be reached now is tried again until it is done."""
    erasure = erase(app, address_of(call), call.caller.id)
    if erasure.progress is Progress.ERASED:
        return Answer(body=_view(erasure))
    return Answer(HTTPStatus.ACCEPTED, _view(erasure), {"Location": f"/api/erasure/{erasure.id}"})


def get_erasure(app: App, call: Call) -> Answer:
    """Show how far an erasure is: which accounts have confirmed, what keeps the others, and which runs it waits for."""
    erasure = app.erasures.get(call.params["erasure"])
    if erasure is None:
        raise Problem(HTTPStatus.NOT_FOUND, "erasure_not_found", "There is no such erasure, or its history is over.")
    return Answer(body=_view(erasure))


def _view(erasure: Erasure) -> ErasureView:
    """Show a request; `erased` is true only once every account was read back and every run that might undo it is over."""
    return ErasureView(
        id=erasure.id,
        erased=erasure.progress is Progress.ERASED,
        progress=erasure.progress,
        detail=_detail(erasure),
        requested_at=erasure.at,
        tried_at=erasure.tried_at,
        done_at=erasure.done_at,
        accounts=sum(item.held for item in erasure.accounts),
        states=erasure.states,
        connections=tuple(
            ErasedAt(connection=item.connection, erased=item.gone, code=item.code, detail=_WHY.get(item.code, ""))
            for item in erasure.accounts
        ),
        waiting_for=tuple(
            RunOf(export=export, run=run) for export, run in (item.split("/") for item in erasure.waits_for)
        ),
        states_unread=erasure.unread,
    )


def _detail(erasure: Erasure) -> str:
    """Return a sentence that says how far it is."""
    match erasure.progress:
        case Progress.ERASED:
            return "Read back as gone at every account, and taken out of every state."
        case Progress.INCOMPLETE:
            return _WHY.get(erasure.code, "")
    if erasure.waits_for:
        return "No later run delivers this person. Runs that were going may still: it is done once more when they are over."
    return "No run delivers this person. Some accounts have not confirmed yet; they are tried again by themselves."
