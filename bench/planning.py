"""`python -m bench.planning`: our plan of a first load beside a bare Polars scan of the same columns, time and memory."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
from azure.storage.blob import BlobServiceClient
from rich.console import Console

from bench.report import Part
from local.azurite import Azurite
from local.environment import Company, publish
from local.targets import AUTOPILOT
from tests.cleaning.recipes import recipe_for

SIZES: Final = (100_000, 1_000_000, 5_000_000)
COLUMNS: Final = 27
PATH: Final = "bench/Export"
REPEATS: Final = 3
_SLICE: Final = 500_000
NOTES: Final = (
    "The bare scan reads and forgets. Where ours goes, in processor seconds a million rows when it was profiled",
    "(2026-11-26, 7.5 in all): fetching 0.4, cutting 0.2, proving that blocks are regular 0.9, parsing 0.7, cleaning and",
    "composing JSON 1.7, digests 0.8, packing for the spool 0.2, and chunks the rest. Reading once instead of twice, and digests",
    "by the column instead of row by row, took the ratio at a million rows from 17.6 to less than 6. Twice the bare scan would",
    "be some 4.2 seconds in all, of which storage takes 1.5 and digests and parsing as much again: on two cores there is no room",
    "for the proof, without which a stray quote can make one contact of two people, nor for cleaning.",
)
"""What was learnt; written next to the numbers."""


def segment(rows: int) -> pl.DataFrame:
    """Make a segment of `rows` rows and 27 columns, with distinct addresses and the mess that real profiles have."""
    slices = [Company.found(min(_SLICE, rows - start), start).profiles for start in range(0, rows, _SLICE)]
    table = pl.concat(slices).drop("draw", "valid")
    number = pl.int_range(pl.len())
    valid = pl.col("Email").str.contains("@")
    table = table.with_columns(
        pl.when(valid).then(pl.format("p{}@example.com", number)).otherwise("Email").alias("Email")
    )
    more = range(COLUMNS - table.width)
    return table.with_columns(pl.format("{} of column " + str(n), "CustomerId").alias(f"Column{n}") for n in more)


def lay_out(storage: str, rows: int) -> int:
    """Write a segment as Customer Insights would; return its bytes."""
    with BlobServiceClient.from_connection_string(storage) as service:
        publish(service, PATH, {"All": segment(rows)}, datetime.now(UTC))
        container, _, folder = PATH.partition("/")
        blobs = service.get_container_client(container).list_blobs(name_starts_with=f"{folder}/All/")
        return sum(blob.size for blob in blobs)


def scan() -> dict[str, Any]:
    """Read the mapped columns of the segment with nothing but Polars."""
    from shared.azure.settings import StorageAccount
    from shared.sources.blob_export.connect import connect
    from shared.sources.blob_export.tables import partitions_of

    source = connect(StorageAccount(connection_string=os.environ["STORAGE"]), PATH)
    table = source.catalogue().table("All")
    container = PATH.partition("/")[0]
    urls = [f"az://{container}/{partition.path}" for partition in partitions_of(table)]
    settings = dict(part.split("=", 1) for part in os.environ["STORAGE"].rstrip(";").split(";"))
    options = {
        "account_name": settings["AccountName"],
        "account_key": settings["AccountKey"],
        "azure_storage_endpoint": settings["BlobEndpoint"],
        "azure_allow_http": "true",
    }
    begun = time.perf_counter()
    frame = pl.scan_csv(urls, storage_options=options, infer_schema=False).select(
        "CustomerId", *AUTOPILOT.mapping.values()
    )
    rows = sum(batch.height for batch in frame.collect_batches(chunk_size=50_000))
    return {"seconds": time.perf_counter() - begun, "rows": rows}


def plan_it() -> dict[str, Any]:
    """Plan a first load of the segment and write its chunks nowhere."""
    from shared.azure.settings import StorageAccount
    from shared.delivery.chunks import CHUNK_SIZE
    from shared.planning.plan import chunks, plan
    from shared.planning.spool import Spool
    from shared.planning.survey import Scope
    from shared.sources.blob_export.connect import connect
    from shared.sources.source import SourceSegment
    from shared.state.digests import DigestKey
    from shared.state.state import State

    source = connect(StorageAccount(connection_string=os.environ["STORAGE"]), PATH)
    segments = [SourceSegment(source, source.catalogue().table("All"))]
    recipe = recipe_for(AUTOPILOT.mapping)
    begun = time.perf_counter()
    with Spool() as spool:
        found = plan(segments, recipe, DigestKey(b"k" * 32), State.empty(), [""], Scope(remove_leavers=True), spool)
        planned = time.perf_counter()
        count = sum(1 for _ in chunks(found))
    assert count >= found.difference.operations.height // CHUNK_SIZE
    return {"seconds": time.perf_counter() - begun, "first pass": planned - begun, "rows": sum(found.rows_read)}


def peak_megabytes() -> int:
    """Return this process's peak resident memory; `ru_maxrss` would include that of the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) // 1024  # type: ignore[index]


def measure(storage: str, what: str) -> dict[str, Any]:
    """Measure `scan` or `plan_it` in a process of its own; return seconds and peak megabytes."""
    answer = subprocess.run(
        [sys.executable, "-m", "bench.planning", "--measure", what],
        env={**os.environ, "STORAGE": storage},
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


def run(sizes: tuple[int, ...] = SIZES) -> Part:
    """Measure every size, each beside its rival, the best of three."""
    rows, met = [], True
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="planning-") as directory, Azurite(Path(directory)) as azurite:
            size_bytes = lay_out(azurite.connection_string, size)
            tries = [[measure(azurite.connection_string, what) for what in ("scan", "plan_it")] for _ in range(REPEATS)]
        bare = min(found[0]["seconds"] for found in tries)
        ours = min((found[1] for found in tries), key=lambda found: float(found["seconds"]))
        ratio = ours["seconds"] / bare
        met = met and ratio <= 2.0 and ours["megabytes"] < 1000
        rows.append(
            (
                f"{size:,}",
                f"{size_bytes / 1e6:,.0f} MB",
                f"{bare:.2f} s",
                f"{ours['seconds']:.2f} s",
                f"{ratio:.2f}",
                f"{ours['first pass'] / bare:.2f}",
                f"{tries[0][0]['megabytes']:,} MB",
                f"{ours['megabytes']:,} MB",
            )
        )
    columns = (
        "rows",
        "CSV",
        "bare scan",
        "plan and chunks",
        "ratio",
        "first pass alone",
        "scan's memory",
        "plan's memory",
    )
    return Part("Planning", "at most 2.0 times the bare scan, under 1 GB at 5,000,000 rows", columns, rows, met, NOTES)


def main() -> None:
    """Measure and print; with --measure, measure one thing in this process."""
    parser = argparse.ArgumentParser(prog="python -m bench.planning", description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--measure", choices=("scan", "plan_it"))
    options = parser.parse_args()
    if options.measure:
        found = {"scan": scan, "plan_it": plan_it}[options.measure]()
        found["megabytes"] = peak_megabytes()
        print(json.dumps(found))
        return
    run(tuple(options.sizes)).show(Console())


if __name__ == "__main__":
    main()
