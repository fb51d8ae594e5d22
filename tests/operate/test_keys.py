"""Keys: rotated at Autopilot, dead while somebody is erased, the digest key overwritten; an export that moves to another account."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.eventually import eventually
from local.world import World
from tests.operate.conftest import KEY, Follow, deliver

SETTINGS = {"rate_limit": 77, "access": "administrators_and_contributors", "list_strategy": "single"}


@pytest.fixture(autouse=True)
def as_before(world: World) -> Iterator[None]:
    yield
    world.turn(key=KEY, instance="sandbox")


def test_a_key_is_rotated_and_nothing_else_changes(world: World, follow: Follow) -> None:
    deliver(world, "rotated", "a@example.com")
    world.connect("main", display_name="Shown", **SETTINGS)
    before = world.api.get("connections/main")
    world.turn(key="second-key")
    with follow("Key rotation") as page:
        page.do("cli connect", CONNECTION="main", answers="second-key\n")
        after = world.api.get("connections/main")
        assert {name: after[name] for name in ("display_name", *SETTINGS)} == {"display_name": "Shown", **SETTINGS}
        assert after["secret_name"] != before["secret_name"]
        world.turn(key="third-key")  # the page's line of az: behind the app's back
        world.rotate("third-key")
        page.do("cli connection test", CONNECTION="main")
        page.do("cli run", EXPORT="rotated")
    world.turn(key=KEY)
    world.rotate(KEY)


def test_the_digest_key_is_missed_and_put_back(world: World, follow: Follow) -> None:
    deliver(world, "digested", "d@example.com")
    former = world.stack.secret("segment-export-digest-key")
    world.stack.store_secret("segment-export-digest-key", "5c" * 32)
    said = world.api.health()["digest_key"]
    assert said["code"] == "digest_key_wrong"
    assert world.run("digested")["reason"] == "digest_key_wrong"
    world.stack.store_secret("segment-export-digest-key", former)  # the page's lines of az
    with follow("The digest key") as page:
        page.do("cli health")
    assert world.run("digested")["reason"] == "nothing_to_do"


def test_a_person_is_erased_although_the_key_is_dead_at_first(world: World, follow: Follow) -> None:
    deliver(world, "erasing", "stays@example.com", "goes@example.com")
    world.turn(key="another-key")
    with follow("Erasure requests") as page:
        said = page.do("cli erase", answers="goes@example.com\n", ends=1)
        assert "main: key_refused" in said
        found = re.search(r"erasure ([0-9a-f]+)", said)
        assert found is not None
        page.do("cli erasure", ID=found[1], ends=1)
        page.do("cli connect", CONNECTION="main", answers="another-key\n")
        eventually(lambda: world.api.get(f"erasure/{found[1]}")["progress"] != "open")
        assert page.do("cli erasure", ID=found[1]).startswith("Erased: 1 accounts and 1 states")
    assert world.members("erasing") == {"stays@example.com"}
    assert "goes@example.com" not in str(world.api.get("audit"))
    world.turn(key=KEY)
    world.rotate(KEY)


def test_an_export_moves_to_another_account_and_back(world: World, follow: Follow, clone: Path) -> None:
    deliver(world, "moving", "m@example.com")
    old = world.look("account")
    world.turn(key="other-key", instance="other")
    world.reset_statistics()
    with follow("Moving an export to another account") as page:
        page.do("cli connect", CONNECTION="other", answers="other-key\n")
        page.do("cli export show", EXPORT="moving")
        file = clone / "moving.yaml"
        file.write_text(file.read_text().replace("connection: main", "connection: other"))
        page.do("cli export save", EXPORT="moving")
        assert re.search(r"1 +joiners", page.do("cli preview", EXPORT="moving"))
        page.do("cli run", EXPORT="moving")
    assert world.look("stats")["writes"] > 0
    world.turn(key=KEY, instance="sandbox")
    file.write_text(file.read_text().replace("connection: other", "connection: main"))
    world.save("moving", connection="main", segments=["moving"], mapping={"Email": "Email", "FirstName": "FirstName"})
    assert world.run("moving")["reason"] == "nothing_to_do"
    assert {item["email"] for item in old["contacts"] if item["email"] == "m@example.com"}
