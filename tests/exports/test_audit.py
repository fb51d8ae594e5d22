"""What was done with one export is found in the trail, however much was done with others."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from azure.data.tables import TableServiceClient

from local.azurite import Azurite
from shared.azure.tables import Table
from shared.exports import audit as trail
from shared.exports.audit import Audit

NOW = datetime(2026, 11, 29, tzinfo=UTC)


@pytest.fixture
def audit(azurite: Azurite) -> Iterator[Audit]:
    """Yield a trail in which every third entry is of the export `loyalty`, and others are of names that begin so."""
    with TableServiceClient.from_connection_string(azurite.connection_string) as service:
        made = Audit(Table(service, f"audit{secrets.token_hex(6)}"))
        for turn in range(12):
            name = ("loyalty", "loyalty-2", "other")[turn % 3]
            made.note(NOW + timedelta(minutes=turn), "me", "put_export", {"export": name, "changed": "mapping"})
        yield made


def test_an_exports_entries_come_newest_first_and_page_by_page(audit: Audit) -> None:
    first, after = audit.of_export("loyalty", most=3)
    assert [entry.at.minute for entry in first] == [9, 6, 3]
    assert {entry.of for entry in first} == {"export=loyalty changed=mapping"}
    assert after
    rest, after = audit.of_export("loyalty", after=after, most=3)
    assert ([entry.at.minute for entry in rest], after) == ([0], None)


def test_a_long_trail_is_looked_through_piece_by_piece(audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trail, "MOST_LOOKED_AT", 5)
    found, after, pages = [], "", 0
    while True:
        more, following = audit.of_export("loyalty", after=after, most=50)
        found += more
        pages += 1
        if following is None:
            break
        after = following
    assert ([entry.at.minute for entry in found], pages) == ([9, 6, 3, 0], 3)
