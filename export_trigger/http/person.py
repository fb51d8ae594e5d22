"""A person that a call is about: named in the body by their e-mail address, which goes into no URL, log or error."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import StringConstraints

from export_trigger.http.request import Call, Problem
from shared.cleaning.addresses import normalise
from shared.exports.configuration import Model


class PersonBody(Model):
    """Body of POST /erasure and POST /exports/{e}/explain."""

    email: Annotated[str, StringConstraints(strip_whitespace=True, min_length=3, max_length=320)]


def address_of(call: Call) -> str:
    """Return the normalised address that the body names; raise a Problem that does not repeat it if it is none."""
    address = normalise(call.read(PersonBody).email)
    if address is None:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "body_invalid",
            "That is not an e-mail address.",
            errors=[{"field": "email", "code": "email_invalid", "detail": "not an e-mail address"}],
        )
    return address
