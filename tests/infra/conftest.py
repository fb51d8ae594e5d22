"""What the tests of the templates share: the compiler, running once."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from local.bicep import ABSENT, find
from tests.infra.compiler import REQUIRED, Compiler, Deployment


@pytest.fixture(scope="session")
def bicep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compiler]:
    """Return the compiler; without one the test is skipped, or fails where CI_REQUIRE_BICEP is set."""
    program = find()
    if program is None and os.environ.get(REQUIRED):
        pytest.fail(ABSENT)
    if program is None:
        pytest.skip(f"{ABSENT}; the templates are not checked")
    with Compiler(program, tmp_path_factory.mktemp("bicep")) as started:
        yield started


@pytest.fixture(scope="session")
def plain(bicep: Compiler) -> Deployment:
    """Return what is deployed with Entra, on public addresses."""
    return bicep.switched("plain")
