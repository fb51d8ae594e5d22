"""What tests do to an installation: two things at once, and a document that is damaged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from shared.azure.storage import Container
from tests.hostile.conftest import Installation

ROUNDS = 12


def at_once[T](first: Callable[[], T], second: Callable[[], T]) -> list[T]:
    """Do both at once and return what came of them."""
    barrier = threading.Barrier(2)

    def act(what: Callable[[], T]) -> T:
        barrier.wait(30)
        return what()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(act, (first, second)))


def damage(installation: Installation, path: str, data: bytes = b'{"display_name": "cut sh') -> None:
    installation.app.storage.put(Container.CONFIGURATION, path, data)
