"""What a process makes once, when all messages of a batch need it first at the same moment."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from local.package import ROOT
from shared.process.once import Once

TOGETHER = """
import json, logging, os, threading
from shared.composition.app import app
from shared.telemetry import tracing

barrier, apps = threading.Barrier(6), []

def work():
    barrier.wait()
    tracing.flush()
    apps.append(app())

threads = [threading.Thread(target=work) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len({id(made) for made in apps}), len(logging.getLogger("shared").handlers), flush=True)
os._exit(0)  # without waiting for a collector that is not there
"""

SETTINGS = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "CustomerInsightsStorage": "UseDevelopmentStorage=true",
    "CUSTOMER_INSIGHTS_PATH": "customer-insights/BlobExport",
    "KEY_VAULT_URL": "https://127.0.0.1:1",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
}


def test_a_batch_on_a_new_instance_makes_one_app_and_one_telemetry() -> None:
    """Several would send each line of the log several times, and have more calls in flight than an instance may."""
    done = subprocess.run(
        [sys.executable, "-c", TOGETHER], cwd=ROOT, env=SETTINGS, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["1", "1"]


def test_threads_that_come_together_get_one_value() -> None:
    made: list[object] = []

    @Once
    def slow() -> object:
        time.sleep(0.05)
        made.append(object())
        return made[-1]

    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(slow())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == made * 4


def test_what_could_not_be_made_is_tried_again() -> None:
    tries = iter([ZeroDivisionError(), None])

    @Once
    def value() -> int:
        if error := next(tries):
            raise error
        return 1

    with pytest.raises(ZeroDivisionError):
        value()
    assert (value(), value(), value.__wrapped__.__name__) == (1, 1, "value")
