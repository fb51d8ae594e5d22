"""Stacks for tests: each starts quickly and sees nothing of another one. A test's own goes with it, a module's with the module."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from local.stack import Stack
from local.warm import Shared
from local.world import World, people

MakeWorld = Callable[..., World]

QUICK: Mapping[str, str] = {
    "SETTLE_SECONDS": "0",
    "EXPORT_SCHEDULE": "0 0 0 1 1 *",
    "SUPERVISION_SCHEDULE": "*/5 * * * * *",
    "LOCAL_HOST_LEASE_SECONDS": "5",
    "LOCAL_HOST_TIMER_LOCK_SECONDS": "15",
    "LOCAL_HOST_POISON_POLL_SECONDS": "10",
}


@contextmanager
def making(factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[MakeWorld]:
    """Yield a maker of worlds; what it made is stopped at the end.

    Their storage is an account of the emulator that all share, or `own_storage`: an emulator that can be reached through
    a proxy, or stopped.
    """
    with ExitStack() as made:

        def make(
            settings: Mapping[str, str] | None = None,
            knobs: Mapping[str, Any] | None = None,
            instances: int = 1,
            telemetry: bool = False,
            own_storage: bool = False,
        ) -> World:
            stack = Stack(
                factory.mktemp("stack"),
                instances=instances,
                settings={**QUICK, **(settings or {})},
                knobs=knobs,
                in_memory=True,
                telemetry=telemetry,
                shared=shared_parts.without_storage if own_storage else shared_parts,
            )
            world = World(made.enter_context(stack))
            made.callback(world.close)
            return world

        yield make


@pytest.fixture
def make_world(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[MakeWorld]:
    """Yield a maker of worlds for one test."""
    with making(tmp_path_factory, shared_parts) as make:
        yield make


@pytest.fixture(scope="module")
def make_lasting_world(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[MakeWorld]:
    """Yield a maker of worlds for a module."""
    with making(tmp_path_factory, shared_parts) as make:
        yield make


@pytest.fixture(scope="module")
def world(make_lasting_world: MakeWorld) -> World:
    """Return the module's world, with one instance and a quick account that fills no lists by bulk."""
    return make_lasting_world()


@pytest.fixture
def team(world: World) -> World:
    """Return a world with a segment and a connection."""
    world.publish({"Team": people("a@example.com", "b@example.com")})
    world.connect()
    return world


@pytest.fixture(autouse=True)
def as_it_was(request: pytest.FixtureRequest) -> Iterator[None]:
    """Put back what a test turned in its module's world: the sandbox's knobs and the vault."""
    if "world" not in request.fixturenames:
        yield
        return
    shared: World = request.getfixturevalue("world")
    with shared.put_back():
        yield
