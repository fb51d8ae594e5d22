"""Who is calling, and what each role may do."""

from __future__ import annotations

from export_trigger.http.access import ROLES
from export_trigger.http.request import Answer, Call
from export_trigger.http.routes import ROUTES
from export_trigger.http.views import Me, RoleView
from shared.composition.app import App


def get_me(app: App, call: Call) -> Answer:
    """Return who is calling, in which role, and what each role may do."""
    roles = tuple(
        RoleView(
            role=role.word,
            app_role=app_role,
            may=tuple(route.name for route in ROUTES if route.role <= role),
        )
        for app_role, role in ROLES.items()
    )
    (own,) = (item for item in roles if item.role == call.caller.role.word)
    return Answer(
        body=Me(id=call.caller.id, role=own.role, mode=app.settings.auth_mode, may=own.may, roles=roles),
    )
