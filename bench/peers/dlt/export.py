"""dlt with a custom destination, as a user of its documentation would write it.

Follows https://dlthub.com/docs/dlt-ecosystem/destinations/destination (`@dlt.destination`, a batch that is one API
request), https://dlthub.com/docs/reference/performance (pages instead of rows, rotated files, loader threads, the built-in
`requests` with its retries), and, with PEER_REMEMBER=1, the pattern of
https://dlthub.com/docs/general-usage/state (a list of processed entities in the resource's state, for up to 100,000).
A segment has no column that says when a row changed, so `dlt.sources.incremental` has nothing to go by, and a custom
destination has no write dispositions: without the remembered list every run sends every row. The threads within a batch
are ours: with loader threads alone, a file each, the last files' calls go one by one (17 to 22 s for 1,500 rows, not 15).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import batched
from typing import Any

import dlt
from dlt.common import json
from dlt.common.schema import TTableSchema
from dlt.common.typing import TDataItems
from dlt.sources.helpers.requests import Client
from pyrate_limiter import InMemoryBucket, Limiter, Rate
from requests import Response

from bench.peers.autopilot import find_list, put_batch
from bench.peers.segment import HEADERS, LIST, THREADS, URL, contacts, pace

PAGE = 1000
LIMITER = Limiter(InMemoryBucket([Rate(*pace())]), buffer_ms=1)
POOL = ThreadPoolExecutor(THREADS)
CLIENT = Client(
    raise_for_status=False, request_max_attempts=8, max_connections=THREADS, status_codes=(408, 429, *range(500, 600))
)


def send(method: str, path: str, body: object) -> Response:
    """Send one call, at the pace that all threads share."""
    LIMITER.try_acquire("autopilot")
    return CLIENT.request(method, URL + path, json=body, headers=HEADERS)


@dlt.destination(batch_size=100, name="autopilot")
def autopilot(items: TDataItems, table: TTableSchema, list_id: str = dlt.config.value) -> None:  # noqa: ARG001
    """Send a batch."""
    put_batch(send, items, list_id, POOL.map)


@dlt.resource(name="segment")
def segment(remember: bool) -> Iterator[list[dict[str, Any]]]:
    """Read the segment in pages; if it remembers, only rows that it has not processed as they are now."""
    seen: dict[str, str] = dlt.current.resource_state().setdefault("seen", {}) if remember else {}
    for page in batched(contacts(), PAGE, strict=False):
        if not remember:
            yield list(page)
            continue
        new = []
        for contact in page:
            digest = hashlib.sha256(json.dumpb(contact, sort_keys=True)).hexdigest()
            if seen.get(contact["Email"]) != digest:
                seen[contact["Email"]] = digest
                new.append(contact)
        yield new


def main() -> None:
    """Run the pipeline; its folder is kept from run to run."""
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    os.environ.setdefault("NORMALIZE__DATA_WRITER__FILE_MAX_ITEMS", "100")
    pipeline = dlt.pipeline(
        "segment_export", destination=autopilot(list_id=find_list(send, LIST)), pipelines_dir=os.environ["PEER_STATE"]
    )
    print(pipeline.run(segment(os.environ.get("PEER_REMEMBER") == "1")))


if __name__ == "__main__":
    main()
