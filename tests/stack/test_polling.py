"""What the caller has already is not sent again, and nothing that was answered is kept by a cache."""

from __future__ import annotations

import pytest
import requests

from local.world import SIMPLE, World, people


@pytest.fixture(scope="module")
def run(world: World) -> str:
    """Return the path of a run that has ended."""
    world.publish({"Team": people("a@example.com", "nobody")})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE, schedule={"on": "off"})
    return f"exports/team/runs/{world.run('team')['id']}"


def ask(world: World, path: str, **headers: str) -> requests.Response:
    given = {"x-functions-key": world.stack.function_key, **headers}
    return requests.get(f"{world.stack.api_url}/{path}", headers=given, timeout=60)


def test_a_run_that_did_not_change_is_answered_without_a_body(world: World, run: str) -> None:
    first = ask(world, run)
    for asked in (first.headers["ETag"], f'"other", W/{first.headers["ETag"]}'):
        again = ask(world, run, **{"If-None-Match": asked})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert ask(world, run, **{"If-None-Match": '"other"'}).json() == first.json()


def test_a_list_that_did_not_change_is_not_sent_again_and_one_that_did_is(world: World, run: str) -> None:
    etag = ask(world, "exports/team/runs").headers["ETag"]
    assert ask(world, "exports/team/runs", **{"If-None-Match": etag}).status_code == 304
    world.run("team")
    changed = ask(world, "exports/team/runs", **{"If-None-Match": etag})
    assert (changed.status_code, len(changed.json()["items"])) == (200, 2)


def test_an_export_is_sent_each_time_since_its_etag_is_its_documents(world: World, run: str) -> None:
    """Its runs come and go while its document stays."""
    etag = ask(world, "exports/team").headers["ETag"]
    assert ask(world, "exports/team", **{"If-None-Match": etag}).status_code == 200


def test_the_command_line_asks_again_by_what_it_has(world: World, run: str) -> None:
    first = world.api.get(run)
    assert world.api.get(run) == first
    assert world.api._last.etag == ask(world, run).headers["ETag"]


@pytest.mark.parametrize("path", ["me", "exports", "openapi.json", "exports/nothing", "health"])
def test_no_answer_is_kept_by_a_cache_or_taken_for_anything_else(world: World, path: str) -> None:
    headers = ask(world, path).headers
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


def test_a_long_answer_is_compressed_for_who_takes_it(world: World, run: str) -> None:
    zipped = ask(world, run)
    plain = ask(world, run, **{"Accept-Encoding": "identity"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert zipped.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert (zipped.content, zipped.headers["ETag"]) == (plain.content, plain.headers["ETag"])
    assert int(zipped.headers["Content-Length"]) < len(plain.content)
