"""Planning from storage: the same input gives the same chunks, and memory stays flat."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from azure.storage.blob import BlobServiceClient

from local.azurite import Azurite
from local.environment import SEGMENTS, Company
from shared.delivery.chunks import decode
from shared.planning.plan import chunks
from tests.stack.first_load import planned

MEGABYTES = 1000
"""What planning 1,000,000 rows may take, resident: less than what is promised for five times as many (`bench.planning`)."""

PUBLISH_A_MILLION = """
import os
from datetime import UTC, datetime
from azure.storage.blob import BlobServiceClient
from local.environment import Company, publish
customers = Company.found(1_000_000).profiles.drop("draw", "valid")
with BlobServiceClient.from_connection_string(os.environ["STORAGE"], max_single_put_size=1 << 28) as service:
    publish(service, "million/Export", {"Customer": customers}, datetime.now(UTC))
"""
"""Only the table that is planned, each partition in one call: the emulator takes four times as long over blocks."""

PLAN_A_MILLION = """
import os
from bench.planning import peak_megabytes
from tests.stack.first_load import planned
from shared.planning.plan import chunks
with planned(os.environ["STORAGE"], "million/Export", ["Customer"]) as found:
    size = sum(len(chunk) for chunk in chunks(found))
assert found.difference.profiles > 950_000, found.difference.profiles
assert size > 200_000_000, size
print(peak_megabytes())
"""


@pytest.fixture
def source(azurite: Azurite) -> Iterator[str]:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        Company.found(4000).publish(service, "planning/Export")
    yield azurite.connection_string


def test_the_same_input_gives_the_same_chunks_to_the_byte(source: str) -> None:
    written = []
    for _ in range(2):
        with planned(source, "planning/Export", list(SEGMENTS)) as found:
            written.append(list(chunks(found)))
    first, second = written
    assert first == second
    assert len(first) > 3


def test_chunks_hold_every_operation_once(source: str) -> None:
    with planned(source, "planning/Export", list(SEGMENTS)) as found:
        written = [operation for chunk in chunks(found) for operation in decode(chunk)]
    assert sorted(operation.person for operation in written) == sorted(found.difference.operations["person"])
    assert all(operation.fields and "Email" in operation.fields for operation in written)
    assert sum(len(operation.add) for operation in written) == found.difference.joiners


def test_planning_a_million_rows_takes_less_than_a_gigabyte(tmp_path: Path) -> None:
    with Azurite(tmp_path, in_memory=True) as azurite:
        environment = {**os.environ, "STORAGE": azurite.connection_string}
        subprocess.run([sys.executable, "-c", PUBLISH_A_MILLION], env=environment, check=True)
        answer = subprocess.run(
            [sys.executable, "-c", PLAN_A_MILLION], env=environment, check=True, capture_output=True, text=True
        )
    assert int(answer.stdout) < MEGABYTES
