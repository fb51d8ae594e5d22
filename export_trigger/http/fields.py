"""The fields that an export may map on a connection's account, and a mapping that a segment's columns suggest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Final

from export_trigger.http.connect import unreachable
from export_trigger.http.draft import check_connection
from export_trigger.http.mapping import suggestion
from export_trigger.http.request import Answer, Call, Problem
from export_trigger.http.view import View
from shared.azure.vault import VaultUnavailable
from shared.composition.app import App
from shared.delivery.account import OfferedField
from shared.delivery.destination import Destination
from shared.delivery.errors import DestinationError, KeyRefused
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError

ASK_SECONDS: Final = 20.0


class FieldView(View):
    """A field: its name in a mapping, what people call it, and its type in the account's own words."""

    name: str
    title: str
    type: str


class FieldsView(View):
    """What an export may map: `kind` of destination, the field of the `address`, and `suggested_mapping` for a segment.

    `asks_new_people` says whether an export must set `new_people`.
    """

    kind: str
    address: str
    asks_new_people: bool
    fields: tuple[FieldView, ...]
    suggested_mapping: Mapping[str, str]


def list_fields(app: App, call: Call) -> Answer:
    """List the fields that an export may map on a connection's account; with `segment` suggest a mapping of its columns."""
    name = call.params["connection"]
    if app.registry.connection(name) is None:
        raise Problem(HTTPStatus.NOT_FOUND, "connection_not_found", f"There is no connection {name!r}.")
    check_connection(app, call, name)
    try:
        account = app.account(name)
        found = account.api.offered_fields(app.sender(account, seconds=ASK_SECONDS))
    except KeyRefused:
        raise Problem(HTTPStatus.CONFLICT, Reason.KEY_REFUSED, Reason.KEY_REFUSED.advice) from None
    except ExportError as end:
        raise Problem(HTTPStatus.CONFLICT, end.reason, end.detail or end.reason.advice) from None
    except VaultUnavailable as error:
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, "vault_unavailable", f"{error}. Try again.") from None
    except DestinationError as error:
        raise unreachable(error, account.destination.title) from None
    destination = account.destination
    segment = call.query.get("segment")
    return Answer(
        body=FieldsView(
            kind=destination.kind,
            address=destination.fields.address,
            asks_new_people=destination.asks_new_people,
            fields=tuple(FieldView(name=item.name, title=item.title, type=item.type) for item in found),
            suggested_mapping=_suggested(app, segment, destination, found) if segment else {},
        )
    )


def _suggested(app: App, segment: str, destination: Destination, found: Sequence[OfferedField]) -> dict[str, str]:
    """Suggest a mapping: by the names that columns usually have, and by what people call the account's own fields."""
    try:
        table = app.source.catalogue().table(segment)
    except ExportError as end:
        raise Problem(HTTPStatus.CONFLICT, end.reason, end.detail or end.reason.advice) from None
    return suggestion(table, destination.fields, found)
