"""The shared clock, read off a real storage service's answers by the real client."""

from __future__ import annotations

import time

import pytest
from azure.data.tables import TableServiceClient

from local.azurite import Azurite
from shared.azure.clock import StorageClock


@pytest.mark.parametrize("ahead", [7.0, -3.0])
def test_a_machine_whose_clock_is_wrong_keeps_the_storages_time(azurite: Azurite, ahead: float) -> None:
    clock = StorageClock(machine=lambda: time.time() + ahead)
    with TableServiceClient.from_connection_string(azurite.connection_string, **clock.hooks) as tables:
        for _ in range(40):
            list(tables.list_tables())
            time.sleep(0.05)
    assert abs(clock.now() - time.time()) < 0.5


def test_a_machine_whose_clock_is_right_is_left_alone(azurite: Azurite) -> None:
    clock = StorageClock()
    with TableServiceClient.from_connection_string(azurite.connection_string, **clock.hooks) as tables:
        for _ in range(10):
            list(tables.list_tables())
    assert abs(clock.now() - time.time()) < 0.01
