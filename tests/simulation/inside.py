"""What the app takes from Python itself, played: time, chance and threads; only for who is on stage."""

from __future__ import annotations

import random
import secrets
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any, Final, Self

from greenlet import getcurrent

import local.sandbox.account
import shared.composition.app
import shared.http.connections
import shared.planning.plan
import shared.sources.ahead
from shared.delivery.chunks import Cutter
from tests.simulation import once, rows
from tests.simulation.stage import on_stage

CHUNK: Final = 2
"""Operations of a chunk: so few that a handful of people make several."""


class Inline:
    """Plays a thread pool: work is done when it is handed over, by whoever does so."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def submit[T](self, work: Callable[..., T], *arguments: Any, **named: Any) -> Future[T]:
        """Do the work now; a dead process does not come back from it."""
        future: Future[T] = Future()
        try:
            future.set_result(work(*arguments, **named))
        except Exception as error:  # noqa: BLE001 - the future's to raise
            future.set_exception(error)
        return future

    def map[T](self, work: Callable[..., T], *items: Iterable[Any]) -> Iterator[T]:
        """Do the work on each item."""
        return iter([work(*each) for each in zip(*items, strict=False)])

    def shutdown(self, *_: object, **__: object) -> None:
        """Nothing to end."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return


class Own:
    """Plays `threading.local`: each actor has its own."""

    def __getattr__(self, name: str) -> Any:
        return getattr(getcurrent(), f"own_{name}")

    def __setattr__(self, name: str, value: object) -> None:
        setattr(getcurrent(), f"own_{name}", value)


_replacements: list[tuple[Any, str, Any, Any]] = []
"""What is replaced: where, its name, the real one, and what is played instead."""


@contextmanager
def played() -> Iterator[None]:
    """Have the app's code take time, chance and threads from the stage, and its functions the app of who is on it."""
    if not _replacements:
        _replacements.extend((where, name, getattr(where, name), instead) for where, name, instead in _replaced())
    for where, name, _, instead in _replacements:
        setattr(where, name, instead)
    try:
        yield
    finally:
        for where, name, real, _ in reversed(_replacements):
            setattr(where, name, real)


def _replaced() -> Iterator[tuple[Any, str, Any]]:
    """Yield what is to be replaced in which module by what."""
    for module in [
        module
        for name, module in sys.modules.items()
        if name.startswith(("shared.", "export_trigger.", "export_worker."))
    ]:
        if hasattr(module, "ThreadPoolExecutor"):
            yield module, "ThreadPoolExecutor", Inline
    yield shared.composition.app, "app", lambda: on_stage()[0].app()  # type: ignore[index]
    yield shared.http.connections, "_call", Own()
    yield shared.sources.ahead, "THREADS", 2
    yield shared.planning.plan, "Cutter", partial(Cutter, CHUNK)
    yield time, "sleep", _or(time.sleep, lambda stage, seconds: stage.sleep(seconds))
    yield time, "monotonic", _or(time.monotonic, lambda stage: stage.now)
    yield secrets, "token_hex", _or(secrets.token_hex, lambda stage, size=4: _hex(stage.token(), size))
    yield uuid, "uuid4", _or(uuid.uuid4, lambda stage: uuid.UUID(int=stage.identity()))
    yield random, "uniform", _or(random.uniform, lambda stage, low, high: low)
    yield local.sandbox.account, "_now", lambda: "2027-01-15T08:00:00.000Z"  # the beginning: nobody looks at it
    yield from once.replaced()
    yield from rows.replaced()


def _or(real: Callable[..., Any], on: Callable[..., Any]) -> Callable[..., Any]:
    def either(*arguments: Any, **named: Any) -> Any:
        here = on_stage()
        return on(here[0], *arguments, **named) if here else real(*arguments, **named)

    return either


def _hex(number: int, size: int) -> str:
    return f"{number:0{2 * size}x}"[-2 * size :]
