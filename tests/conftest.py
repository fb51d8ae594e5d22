"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from local.azurite import Azurite

settings.register_profile("house", deadline=None, suppress_health_check=list(HealthCheck), max_examples=60)
settings.load_profile("house")


@pytest.fixture(scope="session")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    """Give a storage emulator for the whole test session."""
    with Azurite(tmp_path_factory.mktemp("azurite"), in_memory=True) as started:
        yield started
