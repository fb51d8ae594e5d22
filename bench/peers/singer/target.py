"""A Singer target on Meltano's SDK: a `BatchSink` of 100, which is what one bulk call takes.

Follows the target template of https://github.com/meltano/sdk (`BatchSink`, `max_size`, `process_batch`), for what to
raise https://sdk.meltano.com/en/latest/implementation/errors/hierarchy.html, for retries "Custom Backoff" in
https://sdk.meltano.com/en/latest/code_samples.html, and for its message reader the page on performance. The SDK drains
several streams at once but the batches of one stream one by one; the threads within a batch are therefore ours, or it
would be no quicker than the loop.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import backoff
import requests
from pyrate_limiter import InMemoryBucket, Limiter, Rate
from singer_sdk import BatchSink, Target
from singer_sdk import typing as th
from singer_sdk.contrib.msgspec import MsgSpecReader
from singer_sdk.exceptions import RetriableAPIError

from bench.peers.autopilot import find_list, put_batch
from bench.peers.segment import HEADERS, LIST, THREADS, URL, pace, refused

LIMITER = Limiter(InMemoryBucket([Rate(*pace())]), buffer_ms=1)
PER_THREAD = threading.local()
TRY_AGAIN = {408, 429, *range(500, 600)}


@backoff.on_exception(backoff.expo, (RetriableAPIError, requests.ConnectionError, requests.Timeout), max_tries=8)
def send(method: str, path: str, body: object) -> requests.Response:
    """Send one call, at the pace that all threads share."""
    session: requests.Session | None = getattr(PER_THREAD, "session", None)
    if session is None:
        session = PER_THREAD.session = requests.Session()
    LIMITER.try_acquire("autopilot")
    answer = session.request(method, URL + path, json=body, headers=HEADERS, timeout=60)
    if answer.status_code in TRY_AGAIN:
        raise RetriableAPIError(f"{answer.status_code}", answer)
    return answer


class AutopilotSink(BatchSink):
    """Sends batches."""

    max_size = 100

    def setup(self) -> None:
        """Find the list, once."""
        self._list_id = find_list(send, LIST)
        self._threads = ThreadPoolExecutor(THREADS)

    def process_batch(self, context: dict[str, Any]) -> None:
        """Send a batch."""

        def say(contact: dict[str, Any], text: str) -> None:
            refused(contact, text, self.logger.warning)

        put_batch(send, context["records"], self._list_id, self._threads.map, say)

    def clean_up(self) -> None:
        """End the threads."""
        self._threads.shutdown()
        super().clean_up()


class TargetAutopilot(Target):
    """The target."""

    name = "target-autopilot"
    config_jsonschema = th.PropertiesList().to_dict()
    default_sink_class = AutopilotSink
    message_reader_class = MsgSpecReader


if __name__ == "__main__":
    TargetAutopilot.cli()
