"""Anna, who asks to be erased, and what tests ask of the request."""

from __future__ import annotations

import secrets

from export_trigger.steps.erase import advance_all
from shared.azure.storage import Container
from shared.composition.app import App
from shared.erasure.requests import Erasure
from shared.runs.files import state_path, write_table
from shared.runs.head import Head
from shared.state.digests import DigestKey
from shared.state.state import Receipt, tabulate
from tests.delivery.accounts import ManualClock

ANNA = "anna@example.com"


KEY = DigestKey.new()


def kept(app: App, erasure: Erasure) -> bool:
    return app.storage.get(Container.ERASURES, f"{erasure.id}.json") is not None


def codes(erasure: Erasure) -> dict[str, str]:
    return {item.connection: item.code for item in erasure.accounts if not item.gone}


def again(app: App, clock: ManualClock, erasure: Erasure) -> Erasure:
    """Let time pass, and have the tick look at it."""
    clock.sleep(7200)
    advance_all(app)
    found = app.erasures.get(erasure.id)
    assert found is not None
    return found


def trail(app: App) -> list[str]:
    return sorted(entry.what for _, entry in app.audit.entries())


def deliver(app: App, connection: str, account: str | None = None) -> str:
    """Leave a state that says that Anna was delivered through a connection, perhaps to a known account."""
    export, run_id = f"e-{secrets.token_hex(4)}", "20260101t000000000-dead"
    table = tabulate([Receipt(KEY.of_person(ANNA), "person_1", 1), Receipt(7, "person_7", 7)], ())
    app.storage.put(Container.STATE, state_path(export, connection, run_id), write_table(table, ()))
    head = Head(states={connection: run_id}, accounts={connection: account} if account else {})
    app.ledger.change_head(export, lambda _: head)
    return export


def erase_request(app: App) -> Erasure:
    (found,) = app.erasures.all()
    return found
