"""Erasure: a data-subject request, carried to Autopilot and to our own state."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import StringConstraints

from shared.api.call import Answer, Call, Problem
from shared.app import App
from shared.configuration import Model
from shared.domain.addresses import normalise
from shared.domain.answers import AutopilotError
from shared.reasons import TryLater
from shared.steps.erase import erase


class ErasureBody(Model):
    """Body of POST /erasure."""

    email: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=320)]


def post_erasure(app: App, call: Call) -> Answer:
    """Remove a person at Autopilot and from our state; no later run brings them back."""
    address = normalise(call.read(ErasureBody).email)
    if address is None:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "body_invalid",
            "That is not an e-mail address.",
            errors=[{"field": "email", "code": "email_invalid", "detail": "not an e-mail address"}],
        )
    try:
        return Answer(body={"erased": True, **erase(app, address)})
    except TryLater as later:
        raise Problem(
            HTTPStatus.CONFLICT,
            "run_in_progress",
            f"No later run will deliver this person, but {later.why}. Repeat the request when it has ended.",
        ) from None
    except AutopilotError as error:
        raise Problem(
            HTTPStatus.BAD_GATEWAY, "autopilot_unavailable", f"Autopilot gave no result: {error}. Repeat the request."
        ) from None
