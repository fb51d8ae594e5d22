"""Answer one request: who calls, may they, what does the endpoint say; nothing but an answer ever leaves."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus

from export_trigger.http.access import Caller, NotAllowed, caller_of, check_site
from export_trigger.http.conditional import unless_known
from export_trigger.http.request import Answer, Call, Problem, check_name
from export_trigger.http.route import Route
from shared.azure.identity import NoToken
from shared.azure.settings import SettingsWrong
from shared.azure.storage import StorageFault
from shared.azure.vault import VaultUnavailable
from shared.composition.app import App
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError, Transient, TryLater
from shared.reasons.faults import told
from shared.telemetry.tracing import answering

log = logging.getLogger(__name__)


def answer(
    open_app: Callable[[], App],
    route: Route,
    *,
    params: Mapping[str, str],
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
    traceparent: str | None = None,
) -> Answer:
    """Answer a request to `route`; every fault becomes a problem, and none of them shows a traceback."""
    with answering(route.method, route.path, traceparent) as said:
        result = _answer(open_app, route, params, query, headers, body)
        said.status = result.status
        return result


def _answer(
    open_app: Callable[[], App],
    route: Route,
    params: Mapping[str, str],
    query: Mapping[str, str],
    headers: Mapping[str, str],
    body: bytes,
) -> Answer:
    try:
        app = open_app()
        caller = _admit(app, route, headers)
        _check_names(params)
        return _carry_out(app, route, Call(params, query, headers, body, caller))
    except Problem as problem:
        return problem.answer()
    except SettingsWrong as wrong:
        log.error("a setting is missing or wrong: %s", wrong)
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "setting_wrong", f"{wrong} See docs/settings.md.").answer()
    except NotAllowed as refusal:
        status = HTTPStatus.FORBIDDEN if refusal.known else HTTPStatus.UNAUTHORIZED
        if refusal.code == "principal_not_expected":
            status = HTTPStatus.BAD_REQUEST
        return Problem(status, refusal.code, refusal.detail).answer()
    except ExportError as end:
        status = HTTPStatus.SERVICE_UNAVAILABLE if isinstance(end, Transient) else HTTPStatus.CONFLICT
        return Problem(status, end.reason, end.detail or end.reason.advice).answer()
    except NoToken as error:
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "storage_unavailable", f"{error.message}.").answer()
    except (StorageFault, VaultUnavailable, TryLater) as error:
        log.warning("unavailable: route=%s error=%s", route.name, type(error).__name__)
        return Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "storage_unavailable",
            "The app's storage or vault does not answer. Look at GET /api/health and try again.",
        ).answer()
    except Exception as error:  # noqa: BLE001 - whatever it is, its caller is answered, and it is found in the log
        log.error("a fault of the app: route=%s error=%s", route.name, told(error))
        return Problem(
            HTTPStatus.INTERNAL_SERVER_ERROR,
            Reason.INTERNAL_ERROR,
            "The app met a fault of its own. Look at GET /api/health and try again; if it stays, report it with what the "
            "app's log says of it.",
        ).answer()


def _carry_out(app: App, route: Route, call: Call) -> Answer:
    """Do what is asked, and note it in the audit trail if it changed something."""
    result = route.load()(app, call)
    if route.method == "GET":
        return unless_known(call, result)
    if route.is_audited:
        app.audit.note(app.now(), call.caller.id, route.name, {**call.params, **result.noted})
    return result


def _admit(app: App, route: Route, headers: Mapping[str, str]) -> Caller:
    """Return who calls; raises NotAllowed if they may not, and a Problem where nobody could vouch for them.

    Where App Service authentication is off nobody takes away a principal header that a caller made up.
    """
    if app.settings.auth_mode == "entra" and not app.settings.website_auth_enabled:
        log.error("AUTH_MODE is entra, but App Service authentication is off: nothing is served")
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "authentication_off",
            "AUTH_MODE is entra, but App Service authentication is not switched on for this app (Azure sets "
            "WEBSITE_AUTH_ENABLED where it is), so nobody can be known. Switch it on, or set AUTH_MODE to keys.",
        )
    caller = caller_of(headers, app.settings.auth_mode)
    check_site(route.method, headers)
    if caller.role < route.role:
        raise NotAllowed("role_too_low", f"This needs the role of {route.role.word}.", known=True)
    return caller


def _check_names(params: Mapping[str, str]) -> None:
    """Raise a Problem for a name in the path that could be none."""
    for kind, name in params.items():
        check_name(f"{kind} in the path", name)
