"""What previews came to that took long goes an hour after they were asked for."""

from __future__ import annotations

from datetime import timedelta

from export_trigger.steps.retain import retain_previews
from shared.azure.storage import Container
from shared.composition.app import App
from shared.runs.run_id import new_run_id


def test_a_preview_is_kept_for_an_hour(app: App) -> None:
    names = [f"kept/{new_run_id(app.now() - timedelta(minutes=minutes))}.json" for minutes in (59, 61, 600)]
    for name in names:
        app.storage.put(Container.PREVIEWS, name, b"{}")
    retain_previews(app)
    assert list(app.storage.names(Container.PREVIEWS, "kept/")) == names[:1]
