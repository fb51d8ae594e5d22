"""The contract, held by Ortto's adapter against the Ortto sandbox over a socket, whichever way Ortto may turn out to be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from local.warm import Shared
from shared.delivery.capabilities import ListMethod
from shared.destinations.ortto.limits import TAGS
from shared.http.transport import session
from tests.destinations.bench import Bench
from tests.destinations.contract import DestinationContract
from tests.destinations.ortto.bench import OrttoBench, serving

WAYS: dict[str, dict[str, Any]] = {
    "as assumed": {},
    "answers in any order": {"answer_order": "shuffled"},
    "gone people skipped": {"by_id_gone": "skipped", "skipped_status": "absent"},
    "gone people refuse the call": {"by_id_gone": "400"},
    "no tag filter, ids of tags only": {"tag_filter": "unknown_operation", "tags_in_get_by_ids": "ids_only"},
}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, shared_parts: Shared) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("ortto"), shared_parts.start) as found:
        yield found


class TestOrtto(DestinationContract):
    """By tags, in each of the ways."""

    @pytest.fixture
    def method(self) -> ListMethod:
        return TAGS

    @pytest.fixture(params=WAYS)
    def bench(self, url: str, request: pytest.FixtureRequest) -> Iterator[Bench]:
        with session() as http:
            yield OrttoBench(url, http, **WAYS[request.param])
