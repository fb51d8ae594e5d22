"""One tab at the console: what was asked for, what went wrong, and what its user does, click by click."""

from __future__ import annotations

import re
from typing import Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Error, Locator, Page, Request, expect

REFUSED: Final = re.compile(r"Failed to load resource: (?:the server responded with a status of (\d+)|net::ERR_(\w+))")
"""What a browser writes to its console for an answer that is a refusal, however well the page shows it."""


class Tab:
    """A page, the addresses it asked for, and the errors that nobody expected."""

    def __init__(self, page: Page, root: str, key: str) -> None:
        self.page = page
        self.root = root
        self.key = key
        self.asked: list[str] = []
        self.troubles: list[str] = []
        self.clicks = 0
        self.expected: set[str] = set()
        """Statuses of refusals that the test provokes."""
        page.on("request", self._note_request)
        page.on("console", self._note_message)
        page.on("pageerror", self._note_error)

    def open(self, hash_: str = "#/") -> None:
        """Go to a place of the console, as somebody who is signed in if they were."""
        self.page.goto(f"{self.root}{hash_}")

    def sign_in(self, hash_: str = "#/") -> None:
        """Go to a place of the console and return the key there."""
        self.expected.add("401")
        self.open(hash_)
        self.page.get_by_label("Function key").fill(self.key)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.get_by_role("navigation", name="Screens").wait_for()

    def link(self, name: str, within: Locator | None = None) -> Locator:
        """Return the link of this name; `within` a part of the page if one is given."""
        return (within or self.page.locator("#page")).get_by_role("link", name=name, exact=True)

    def button(self, name: str) -> Locator:
        """Return the button of this name: of the question in front, if there is one."""
        dialog = self.page.get_by_role("dialog")
        return (dialog if dialog.count() else self.page).get_by_role("button", name=name, exact=True)

    def click(self, what: Locator) -> None:
        """Click, and count it."""
        what.click()
        self.clicks += 1

    def choose(self, what: Locator, option: str) -> None:
        """Choose from a list, which counts as a click."""
        what.select_option(option)
        self.clicks += 1

    def settles(self) -> None:
        """Wait until everything that the screen reads is there."""
        self.page.locator("#title").wait_for()
        expect(self.page.locator("[aria-busy=true]")).to_have_count(0)

    def faults_of_access(self) -> list[str]:
        """Return what axe finds in the page as it stands: each rule with the places that break it."""
        found = Axe().run(self.page).response["violations"]
        return [f"{item['id']}: {[node['target'] for node in item['nodes']][:3]}" for item in found]

    def _note_request(self, request: Request) -> None:
        self.asked.append(request.url)
        if not request.url.startswith((self.root, "blob:")):
            self.troubles.append(f"asked another origin: {request.url}")
        if self.key in request.url:
            self.troubles.append("the key is in an address")

    def _note_message(self, message: ConsoleMessage) -> None:
        refusal = REFUSED.match(message.text)
        if message.type in {"error", "warning"} and not (refusal and (refusal[1] or refusal[2]) in self.expected):
            self.troubles.append(f"{message.type}: {message.text}")

    def _note_error(self, error: Error) -> None:
        self.troubles.append(f"not caught: {error.message}")
