"""The console as the app serves it: to anybody, from the app's root, while the API stays closed."""

from __future__ import annotations

import requests

from export_trigger.http.console import GUARDS, files
from local.world import World


def test_anybody_gets_the_page_and_its_files_and_nothing_of_the_api(world: World) -> None:
    root = world.stack.console_url
    page = requests.get(root, timeout=60)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert page.headers["Content-Encoding"] == "gzip"
    assert page.text == requests.get(f"{root}console/index.html", timeout=60).text
    assert GUARDS.items() <= page.headers.items()
    for name, file in files().items():
        assert requests.get(f"{root}console/{name}", timeout=60).content == file.content
    for path in ("api/me", "api/exports", "api/openapi.json"):
        assert requests.get(f"{root}{path}", timeout=60).status_code == 401
    for path in ("me", "exports", "console", "console/host.json", "console/..%2fhost.json"):
        assert requests.get(f"{root}{path}", timeout=60).status_code == 404


def test_a_page_that_the_browser_has_is_not_sent_again(world: World) -> None:
    etag = requests.get(world.stack.console_url, timeout=60).headers["ETag"]
    again = requests.get(world.stack.console_url, headers={"If-None-Match": etag}, timeout=60)
    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag)
