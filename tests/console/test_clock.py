"""Time as the page takes it: a computer's clock may be wrong, and a long run is asked after seldom, in little memory."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from playwright.sync_api import Request, Route, expect

from local.world import World
from tests.console.tab import Tab

MOST_BYTES = 50_000_000
OPERATIONS = 100_000
POLLS = 400
"""Half an hour of looking at a run: much more than it takes until the page asks as seldom as it ever does."""


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_an_hour_off_changes_nothing_that_is_shown(world: World, tab: Tab, hours: int) -> None:
    run = world.run("loyalty")["id"]
    tab.page.clock.install(time=datetime.now(UTC) + timedelta(hours=hours))
    tab.sign_in()
    tab.settles()
    for place in ("#/", "#/exports/loyalty", f"#/exports/loyalty/runs/{run}", "#/segments", "#/audit"):
        tab.open(place)
        tab.settles()
        main = tab.page.locator("main")
        expect(main).to_contain_text(re.compile(r"just now|\d minutes? ago"))
        assert not re.findall(r"\bin \d+ minutes?|\b\d+ hours? ago|in \d+ hours?|\b5\d minutes ago", main.inner_text())


def test_a_run_that_goes_on_counts_from_when_the_server_says_it_began(world: World, tab: Tab) -> None:
    run = world.runs("loyalty")[0]["id"]
    answer_as_going(tab, run)
    tab.page.clock.install(time=datetime.now(UTC) + timedelta(hours=1))
    tab.sign_in(f"#/exports/loyalty/runs/{run}")
    phase = tab.page.locator("[aria-current=step]")
    expect(phase).to_contain_text("Sending")
    expect(phase).to_contain_text(re.compile(r", (under 1 s|\d+ s|1 min)"))


def answer_as_going(tab: Tab, run: str, *, until: int = 10**9) -> list[float]:
    """Answer looks at a run as if 100,000 operations were under way, and had ended at look `until`; return what was settled."""
    looks = count(1)
    settled: list[float] = []
    ended: list[str] = []  # the run as it is, which is asked for once

    def handle(route: Route) -> None:
        if not ended:
            headers = {name: value for name, value in route.request.headers.items() if name != "if-none-match"}
            ended.append(route.fetch(headers=headers).text())
        found: dict[str, Any] = json.loads(ended[0])
        look = next(looks)
        now = datetime.now(UTC)
        done = min(OPERATIONS, look * OPERATIONS // POLLS)
        if look < until:
            found.update(status="Processing", reason=None, advice="", ended_at=None)
            found.update({name: now.isoformat() for name in ("queued_at", "started_at", "planned_at")})
        end = (now + timedelta(minutes=30)).isoformat()
        found["progress"] = {"settled": done, "operations": OPERATIONS, "percent": 100 * done / OPERATIONS}
        found["progress"]["expected_end"] = end if look < until else None
        settled.append(done)
        route.fulfill(content_type="application/json", body=json.dumps(found))

    tab.page.route(re.compile(rf"/runs/{run}$"), handle)
    return settled


def test_a_long_run_is_followed_by_few_requests_and_in_little_memory(world: World, tab: Tab) -> None:
    run = world.runs("loyalty")[0]["id"]
    settled = answer_as_going(tab, run, until=POLLS)
    asked: list[Request] = []
    tab.page.on("request", lambda request: asked.append(request) if "/api/" in request.url else None)
    tab.page.clock.install()
    tab.sign_in(f"#/exports/loyalty/runs/{run}")
    tab.settles()
    looks: list[Request] = []
    tab.page.on("request", lambda request: looks.append(request) if request.url.endswith(run) else None)
    seconds, sizes = 0, []
    devtools = tab.page.context.new_cdp_session(tab.page)
    while len(settled) < POLLS:
        before = len(looks)
        with tab.page.expect_response(re.compile(rf"/runs/{run}$")):
            while len(looks) == before:  # the page's own clock goes on until it asks again
                tab.page.clock.run_for(1_000)
                seconds += 1
        if len(settled) in {POLLS // 2, POLLS - 1}:
            sizes.append(memory(devtools))
    expect(tab.page.get_by_role("status").filter(has_text="ended")).to_be_visible()
    ended = len(asked)
    tab.page.clock.run_for(600_000)
    assert len(asked) == ended

    assert ended <= seconds / 2
    assert sizes[-1] < MOST_BYTES
    assert sizes[-1] < sizes[0] * 1.2


def memory(devtools: Any) -> float:
    """Return the bytes that the page's objects take, those that nobody needs any more not counted."""
    devtools.send("HeapProfiler.enable")
    devtools.send("HeapProfiler.collectGarbage")
    devtools.send("Performance.enable")
    found = {item["name"]: item["value"] for item in devtools.send("Performance.getMetrics")["metrics"]}
    return float(found["JSHeapUsedSize"])
