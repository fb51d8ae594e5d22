"""Answers that come late, others who were faster, and a hand that clicks twice: nothing typed is lost, nothing old looks new."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Route, expect

from local.world import SIMPLE, World
from tests.console.tab import Tab


def saved(world: World, name: str, **settings: Any) -> str:
    """Save an export that runs only when asked, with a list of its own; return where it is edited."""
    segments = [{"segment": "LapsedCustomers", "list": f"List of {name}"}]
    world.save(name, display_name=name, segments=segments, mapping=SIMPLE, schedule={"on": "off"}, **settings)
    return f"#/exports/{name}/edit"


def before(tab: Tab, method: str, path: str, do: Any) -> None:
    """Do something between a call of the page and the app's work on it."""

    def handle(route: Route) -> None:
        if route.request.method == method:
            do()
        route.continue_()

    tab.page.route(re.compile(rf"/api/{path}$"), handle)


def test_an_export_that_somebody_made_at_the_same_moment_is_not_replaced(world: World, tab: Tab) -> None:
    tab.expected |= {"404", "412"}
    tab.sign_in("#/new-export?segment=LapsedCustomers&connection=main")
    tab.page.get_by_label("Display name").fill("Twins")
    tab.page.get_by_label("List of LapsedCustomers").fill("Mine")
    before(tab, "PUT", "exports/twins", lambda: saved(world, "twins"))
    tab.button("Save").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("There is an export 'twins' already.")
    assert world.api.get("exports/twins")["display_name"] == "twins"
