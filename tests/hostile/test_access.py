"""Who may call: principals that are believed, forged ones, and what a browser's session may do."""

from __future__ import annotations

import base64
import dataclasses
import json

import pytest

from export_trigger.http.route import Route
from export_trigger.http.routes import ROUTES
from tests.hostile.attacks import damage
from tests.hostile.conftest import Installation, told


def principal(*roles: str) -> str:
    claims = [{"typ": "roles", "val": role} for role in roles]
    return base64.b64encode(json.dumps({"claims": claims}).encode()).decode()


def with_entra(installation: Installation) -> Installation:
    """Return the installation where the platform's authentication stands in front."""
    update = {"auth_mode": "entra", "website_auth_enabled": True}
    settings = installation.app.settings.model_copy(update=update)
    return dataclasses.replace(installation, app=dataclasses.replace(installation.app, settings=settings))


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_without_the_platforms_authentication_nobody_is_served_where_principals_are_believed(
    installation: Installation, route: Route
) -> None:
    """Then nobody takes away a header that a caller made up."""
    settings = installation.app.settings.model_copy(update={"auth_mode": "entra"})
    unprotected = dataclasses.replace(installation, app=dataclasses.replace(installation.app, settings=settings))
    names = ["main" for part in route.path.split("/") if part.startswith("{")]
    headers = {"x-ms-client-principal": principal("Exports.Admin")}
    status, content = unprotected.ask(route.name, *names, body={}, **headers)
    assert (status, told(content)) == (503, "authentication_off")
    assert "WEBSITE_AUTH_ENABLED" in content["detail"]


def test_with_the_platforms_authentication_principals_are_believed(installation: Installation) -> None:
    protected = with_entra(installation)
    assert protected.ask("list_exports", x_ms_client_principal=principal("Exports.Viewer"))[0] == 200
    assert protected.ask("list_exports")[0] == 401


FORGED: tuple[dict[str, str], ...] = (
    {},  # a form of another site's page, in a browser that tells nothing
    {"sec_fetch_site": "same-origin"},
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site", "x_segment_export": "1"},
    {"sec_fetch_site": "cross-site", "authorization": "Bearer token"},
    {"sec_fetch_site": "none", "x_segment_export": "1"},
    {"x_segment_export": "0"},
    {"authorization": "Basic dXNlcjpwYXNz"},
)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method != "GET"], ids=lambda route: route.name)
def test_no_other_site_changes_anything_by_a_browsers_session(installation: Installation, route: Route) -> None:
    """Whether the call has a body or not."""
    protected = with_entra(installation)
    names = ["main" for part in route.path.split("/") if part.startswith("{")]
    session = {"x_ms_client_principal": principal("Exports.Admin")}
    for forged in FORGED:
        status, content = protected.ask(route.name, *names, body={}, **session, **forged)
        assert (status, told(content)) == (403, "other_site")
    for meant in ({"x_segment_export": "1", "sec_fetch_site": "same-origin"}, {"authorization": "Bearer token"}):
        status, content = protected.ask(route.name, *names, body={}, **session, **meant)
        assert not isinstance(content, dict) or content.get("code") != "other_site"


def test_reading_by_a_browsers_session_needs_nothing_more(installation: Installation) -> None:
    """What is read changes nothing, and no other site's page sees the answer."""
    reader = {"x_ms_client_principal": principal("Exports.Viewer"), "sec_fetch_site": "cross-site"}
    assert with_entra(installation).ask("list_exports", **reader)[0] == 200


def test_a_contributor_touches_no_damaged_export(installation: Installation) -> None:
    """Whose connection it uses cannot be read: it may be an administrators' one."""
    damage(installation, "exports/broken.json")
    entra = with_entra(installation)
    contributor = {"x_ms_client_principal": principal("Exports.Contributor"), "x_segment_export": "1"}
    assert told(entra.ask("delete_export", "broken", **contributor)[1]) == "document_damaged"
    admin = {"x_ms_client_principal": principal("Exports.Admin"), "x_segment_export": "1"}
    assert entra.ask("delete_export", "broken", **admin)[0] == 204
