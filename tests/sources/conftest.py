"""A Blob export for a test, or for a module of tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.azurite import Azurite
from tests.sources.blob_export.export import Source


@pytest.fixture(scope="module")
def module_source(azurite: Azurite) -> Iterator[Source]:
    source = Source(azurite)
    yield source
    source.service.close()


@pytest.fixture
def source(azurite: Azurite) -> Iterator[Source]:
    source = Source(azurite)
    yield source
    source.service.close()
