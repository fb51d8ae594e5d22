"""The whole app with a storage, a vault and a source of its own, connected to the Ortto sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.warm import Shared
from shared.http.transport import session
from tests.destinations.ortto.bench import OrttoBench, serving
from tests.destinations.ortto.installed import connect
from tests.hostile.conftest import Installation, installing


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("ortto"), shared_parts.start) as found:
        yield found


@pytest.fixture
def ortto(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[OrttoBench]:
    with session() as http:
        made = OrttoBench(url, http)
        monkeypatch.setenv("ORTTO_URL", f"{url}/v1")
        yield made


@pytest.fixture
def installation(
    ortto: OrttoBench, tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared
) -> Iterator[Installation]:
    members = ("a@example.com", "b@example.com", "c@example.com")
    with installing(tmp_path_factory.mktemp("stack"), shared_parts, *members) as made:
        connect(made)
        yield made
