"""What the app takes from Python itself, played: time, chance and threads; only for who is on stage."""

from __future__ import annotations

import random
import secrets
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Final, Self
from unittest.mock import patch

import shared.ahead
import shared.app
import shared.domain.plan
from shared.app import App
from shared.domain.chunks import Cutter
from tests.simulation.stage import on_stage

CHUNK: Final = 2
"""Operations of a chunk: so few that a handful of people make several."""


class Inline:
    """Plays a thread pool: work is done when it is handed over, by whoever does so."""

    def __init__(self, *_: object, **__: object) -> None:
        pass

    def submit[T](self, work: Callable[..., T], *arguments: Any, **named: Any) -> Future[T]:
        """Do the work now; a dead process does not come back from it."""
        future = Future[T]()
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


@contextmanager
def played(app: Callable[[], App]) -> Iterator[None]:
    """Have the app's code take time, chance and threads from the stage; `app` is what its functions find."""
    with ExitStack() as patches:
        for module in [module for name, module in sys.modules.items() if name.startswith("shared")]:
            if hasattr(module, "ThreadPoolExecutor"):
                patches.enter_context(patch.object(module, "ThreadPoolExecutor", Inline))
        for where, name, value in (
            (shared.app, "app", app),
            (shared.ahead, "THREADS", 2),
            (shared.domain.plan, "Cutter", partial(Cutter, CHUNK)),
            (time, "sleep", _or(time.sleep, lambda stage, seconds: stage.sleep(seconds))),
            (time, "monotonic", _or(time.monotonic, lambda stage: stage.now)),
            (secrets, "token_hex", _or(secrets.token_hex, lambda stage, size=4: _hex(stage.token(), size))),
            (uuid, "uuid4", _or(uuid.uuid4, lambda stage: uuid.UUID(int=stage.token()))),
            (random, "uniform", _or(random.uniform, lambda stage, low, high: low)),
        ):
            patches.enter_context(patch.object(where, name, value))
        yield


def _or(real: Callable[..., Any], on: Callable[..., Any]) -> Callable[..., Any]:
    def either(*arguments: Any, **named: Any) -> Any:
        here = on_stage()
        return on(here[0], *arguments, **named) if here else real(*arguments, **named)

    return either


def _hex(number: int, size: int) -> str:
    return f"{number:0{2 * size}x}"[-2 * size :]
