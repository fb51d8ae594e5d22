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


def held(tab: Tab, method: str, path: str) -> list[Route]:
    """Keep calls of the page from the app until the test lets them go; return those that are kept."""
    kept: list[Route] = []
    tab.page.route(
        re.compile(rf"/api/{path}$"),
        lambda route: kept.append(route) if route.request.method == method else route.fallback(),
    )
    return kept


def test_what_is_typed_while_a_save_goes_on_stays(world: World, tab: Tab) -> None:
    tab.sign_in(saved(world, "slow"))
    title = tab.page.get_by_label("Display name")
    title.fill("Saved")
    kept = held(tab, "PUT", "exports/slow")
    with tab.page.expect_request(re.compile("/api/exports/slow$")):
        tab.button("Save").click()
    title.fill("Typed meanwhile")
    kept[0].continue_()
    beside = tab.page.get_by_role("complementary")
    expect(beside).to_contain_text(re.compile("What you change.*Saved.*Typed meanwhile", re.DOTALL))
    expect(title).to_have_value("Typed meanwhile")
    assert world.api.get("exports/slow")["display_name"] == "Saved"
    tab.page.unroute_all()
    tab.button("Save").click()
    expect(tab.page.get_by_text("Saved. Nothing ran by saving.")).to_be_visible()
    assert world.api.get("exports/slow")["display_name"] == "Typed meanwhile"


def type_new(tab: Tab, name: str) -> None:
    """Type a new export that sends LapsedCustomers to a list of the export's own name."""
    tab.expected.add("404")  # whether the name is free
    tab.sign_in("#/new-export?segment=LapsedCustomers&connection=main")
    tab.page.get_by_label("Display name").fill(name)
    tab.page.get_by_label("List of LapsedCustomers").fill(name)


def test_what_is_typed_while_a_new_export_is_saved_stays_too(world: World, tab: Tab) -> None:
    type_new(tab, "Slow too")
    kept = held(tab, "PUT", "exports/slow-too")
    with tab.page.expect_request(lambda request: request.method == "PUT"):
        tab.button("Save").click()
    tab.page.get_by_label("Display name").fill("Typed meanwhile")
    kept[0].continue_()
    expect(tab.page).to_have_url(re.compile("#/exports/slow-too/edit$"))
    expect(tab.page.get_by_label("Display name")).to_have_value("Typed meanwhile")
    expect(tab.page.get_by_text("What you typed before was kept")).to_be_visible()


def test_a_save_that_ends_elsewhere_calls_nobody_back(world: World, tab: Tab) -> None:
    type_new(tab, "Left behind")
    kept = held(tab, "PUT", "exports/left-behind")
    with tab.page.expect_request(lambda request: request.method == "PUT"):
        tab.button("Save and run").click()
    tab.page.get_by_role("navigation", name="Screens").get_by_role("link", name="Segments").click()
    expect(tab.page.locator("#title")).to_have_text("Segments")
    tab.page.evaluate("window.moves = []; addEventListener('hashchange', () => moves.push(location.hash))")
    with tab.page.expect_response(lambda response: response.request.method == "PUT") as answered:
        kept[0].continue_()
    answered.value.finished()
    tab.page.get_by_role("navigation", name="Screens").get_by_role("link", name="Health").click()
    tab.settles()
    expect(tab.page.locator("#title")).to_have_text("Health")
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    assert tab.page.evaluate("moves") == ["#/health"]
    assert world.api.get("exports/left-behind")["display_name"] == "Left behind"


def test_an_export_that_somebody_removed_meanwhile_can_be_made_again(world: World, tab: Tab) -> None:
    tab.expected |= {"404", "412"}
    tab.sign_in(saved(world, "gone"))
    tab.page.get_by_label("Display name").fill("Still wanted")
    tab.settles()
    world.api.delete("exports/gone")
    tab.button("Save").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("Somebody removed this export while you were editing it.")
    expect(tab.page.get_by_label("Display name")).to_have_value("Still wanted")
    tab.button("Save").click()
    expect(tab.page.get_by_text("Saved. Nothing ran by saving.")).to_be_visible()
    assert world.api.get("exports/gone")["display_name"] == "Still wanted"


def test_who_saved_first_can_be_asked_again_where_the_app_did_not_say(world: World, tab: Tab) -> None:
    tab.expected |= {"412", "502"}
    tab.sign_in(saved(world, "unsaid"))
    tab.page.get_by_label("Display name").fill("Mine")
    tab.settles()
    saved(world, "unsaid", max_profiles=77)
    tab.page.route(re.compile("/api/exports/unsaid$"), lambda route: route.fulfill(status=502), times=2)
    tab.page.route(
        re.compile("/api/exports/unsaid$"),
        lambda route: route.fulfill(status=412) if route.request.method == "PUT" else route.fallback(),
        times=1,
    )
    tab.button("Save").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("The app is not reachable at the moment.")
    tab.page.unroute_all()
    tab.button("Save").click()
    expect(tab.page.locator("main")).to_contain_text("saved this export while you were editing it")


def test_a_form_that_is_opened_again_begins_with_what_is_stored_now(world: World, tab: Tab) -> None:
    form = saved(world, "reopened")
    tab.sign_in(form)
    limit = tab.page.get_by_label("Hold the run above this many profiles")
    expect(limit).to_have_value("100000")
    tab.open("#/exports")
    tab.settles()
    saved(world, "reopened", max_profiles=77)
    tab.open(form)
    expect(limit).to_have_value("77")


def test_a_new_export_that_is_discarded_leaves_nothing_and_a_name_that_was_typed_stays(world: World, tab: Tab) -> None:
    tab.sign_in("#/new-export")
    title, name = tab.page.get_by_label("Display name"), tab.page.get_by_label("Short name (used in links)")
    title.fill("Some title")
    name.fill("my-own")
    tab.page.reload()
    expect(name).to_have_value("my-own")
    title.fill("Another title")
    expect(name).to_have_value("my-own")
    tab.button("Discard it").click()
    expect(title).to_have_value("")
    expect(name).to_have_value("")
    title.fill("From here on")
    expect(name).to_have_value("from-here-on")


def test_a_button_that_is_clicked_twice_does_its_work_once(world: World, tab: Tab) -> None:
    tab.sign_in("#/exports/loyalty")
    tab.settles()
    asked: list[str] = []
    tab.page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    tab.button("Verify").dblclick()
    expect(tab.page).to_have_url(re.compile("#/exports/loyalty/runs/"))
    expect(tab.page.get_by_text("ended").first).to_be_visible()
    assert [url.rpartition("/")[2] for url in asked] == ["verify"]
    expect(tab.page.get_by_text("Another run of this export is going")).to_have_count(0)


def test_a_question_that_is_closed_while_it_is_done_still_tells_that_it_was_done(world: World, tab: Tab) -> None:
    saved(world, "closing")
    tab.sign_in("#/exports/closing")
    tab.settles()
    tab.button("Remove").click()
    kept = held(tab, "DELETE", "exports/closing")
    with tab.page.expect_request(lambda request: request.method == "DELETE"):
        tab.button("Remove export").click()
    expect(tab.button("Close")).to_be_visible()
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    kept[0].continue_()
    expect(tab.page.get_by_text("closing was removed.")).to_be_visible()
    expect(tab.page).to_have_url(re.compile("#/exports$"))


def test_a_question_that_is_closed_while_it_is_done_tells_what_went_wrong(world: World, tab: Tab) -> None:
    tab.expected.add("503")
    saved(world, "failing")
    tab.sign_in("#/exports/failing")
    tab.settles()
    tab.button("Remove").click()
    kept = held(tab, "DELETE", "exports/failing")
    with tab.page.expect_request(lambda request: request.method == "DELETE"):
        tab.button("Remove export").click()
    tab.page.keyboard.press("Escape")
    expect(tab.page.get_by_role("dialog")).to_have_count(0)
    kept[0].fulfill(status=503)
    expect(tab.page.get_by_role("alert")).to_contain_text("The app is not ready yet.")


def test_an_answer_that_was_overtaken_is_not_shown_over_a_newer_one(world: World, tab: Tab) -> None:
    saved(world, "overtaken")
    tab.page.clock.install()
    tab.sign_in("#/exports/overtaken")
    tab.settles()
    late: list[Any] = []

    def keep(route: Route) -> None:
        late.extend((route, route.fetch()))

    tab.page.route(re.compile("/api/exports/overtaken$"), keep, times=1)
    with tab.page.expect_request(re.compile("/api/exports/overtaken$")):
        tab.page.clock.fast_forward(40_000)  # the screen reads itself again
    tab.button("Resume").click()
    tab.button("Run with each refresh").click()
    pause = tab.page.get_by_role("toolbar").get_by_role("button", name="Pause")
    expect(pause).to_be_visible()
    with tab.page.expect_response(re.compile("/api/exports/overtaken$")) as answered:
        late[0].fulfill(response=late[1])
    answered.value.finished()
    tab.button("Preview").click()
    expect(tab.page.get_by_role("dialog")).to_contain_text("Added to lists")
    tab.button("Close").click()
    expect(pause).to_be_visible()


def test_an_answer_about_one_address_does_not_stand_below_another(world: World, tab: Tab) -> None:
    tab.expected.add("503")
    tab.sign_in("#/person?export=loyalty")
    address = tab.page.get_by_label("E-mail address")
    address.fill("nobody@example.com")
    tab.button("Find").click()
    expect(tab.page.get_by_text("Not in the segment").first).to_be_visible()
    address.fill("somebody@example.com")
    expect(tab.page.get_by_text("Not in the segment")).to_have_count(0)
    kept = held(tab, "POST", "exports/loyalty/explain")
    with tab.page.expect_request(re.compile("/explain$")):
        tab.button("Find").click()
    address.fill("else@example.com")
    with tab.page.expect_request(re.compile("/explain$")) as second:
        tab.button("Find").click()
    assert second.value.post_data_json == {"email": "else@example.com"}
    kept[0].fulfill(status=503)  # of the address before: nothing of it is shown
    kept[1].continue_()
    expect(tab.page.get_by_text("Not in the segment").first).to_be_visible()
    expect(tab.page.get_by_text("The app is not ready yet.")).to_have_count(0)


def test_which_exports_are_on_a_connection_is_not_said_before_it_is_known(world: World, tab: Tab) -> None:
    tab.page.route(re.compile(r"/api/exports\?"), lambda route: None)  # has no answer
    tab.sign_in("#/connections/main")
    expect(tab.page.get_by_role("heading", name="Exports on it")).to_be_visible()
    expect(tab.page.get_by_text("No export uses it.")).to_have_count(0)
    tab.button("Remove").click()
    expect(tab.page.get_by_role("dialog")).to_contain_text("It is removed only if no export uses it.")
    tab.button("Cancel").click()
    tab.open("#/connections")
    expect(tab.page.get_by_role("row", name="Main account")).to_contain_text("not known")


def test_a_connection_that_somebody_else_changed_is_seen_and_changed_again(world: World, tab: Tab) -> None:
    tab.expected.add("412")
    tab.sign_in("#/connections/main")
    tab.settles()
    tab.button("Edit, replace key").click()
    tab.page.get_by_label("Display name").fill("Mine")
    tab.page.get_by_label("I agree").check()
    world.connect(display_name="Theirs")
    tab.button("Save").click()
    expect(tab.page.get_by_role("alert")).to_contain_text("Somebody else saved this connection first.")
    tab.button("Cancel").click()
    expect(tab.page.locator("#title")).to_have_text("Theirs")
    tab.button("Edit, replace key").click()
    tab.page.get_by_label("Display name").fill("Main account")
    tab.page.get_by_label("I agree").check()
    tab.button("Save").click()
    expect(tab.page.get_by_text("Main account is connected to the account")).to_be_visible()
