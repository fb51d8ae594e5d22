"""`python -m bench.start_up`: what a cold start imports, and what 1,000 contacts cost in storage transactions."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from statistics import median
from typing import Final

from rich.console import Console

from bench.report import Part
from bench.world import open_world
from local.world import SIMPLE, World, people

PROFILES: Final = 10_000
IDLE_SECONDS: Final = 60
REPEATS: Final = 7

_TIMED: Final = "import time; begun = time.perf_counter(); import {}; print(time.perf_counter() - begun)"
_REQUEST: Final = re.compile(r'"(GET|PUT|POST|DELETE|HEAD|MERGE|PATCH) (\S+) HTTP')


def import_seconds(module: str) -> float:
    """Return the seconds that an import takes in a fresh interpreter, the median of some."""
    commands = [sys.executable, "-c", _TIMED.format(module)]
    return median(
        float(subprocess.run(commands, check=True, capture_output=True, text=True).stdout) for _ in range(REPEATS)
    )


def transactions() -> tuple[dict[str, Counter[str]], Counter[str]]:
    """Count storage transactions by service: of a first load, a run with 1% churn and one without change; and when idle.

    What the host asks for while it waits (queues, leases) is taken off each, by the rate seen when idle.
    """
    with open_world(storage_log=True) as world:
        world.connect(rate_limit=2_000)
        world.turn(rate=None)
        everybody = [f"p{n}@example.com" for n in range(PROFILES)]
        _save(world, everybody)
        time.sleep(5)
        before, begun = _count(world), time.monotonic()
        time.sleep(IDLE_SECONDS)
        idle = _count(world) - before
        per_second = {service: count / (time.monotonic() - begun) for service, count in idle.items()}
        found = {}
        churned = everybody[PROFILES // 200 :] + [f"new{n}@example.com" for n in range(PROFILES // 200)]
        for name, now in (("first load", everybody), ("1% churn", churned), ("no change", churned)):
            _save(world, now)
            before, begun = _count(world), time.monotonic()
            world.run("all")
            lasted = time.monotonic() - begun
            seen = _count(world) - before
            found[name] = Counter(
                {service: max(0, round(count - per_second.get(service, 0) * lasted)) for service, count in seen.items()}
            )
        return found, idle


def _save(world: World, emails: list[str]) -> None:
    world.publish({"All": people(*emails)})
    world.save("all", segments=["All"], mapping=SIMPLE, schedule={"on": "off"})


def _count(world: World) -> Counter[str]:
    """Count the requests in Azurite's log by what they went to."""
    assert world.stack.azurite is not None
    text = world.stack.azurite.log.read_text(errors="replace")
    return Counter(_service(path) for _, path in _REQUEST.findall(text))


def _service(path: str) -> str:
    if "/messages" in path:
        return "queue"
    return "table" if re.search(r"\$batch|\(|Tables", path) else "blob"


def run() -> Part:
    """Measure both."""
    bare, whole = import_seconds("azure.functions"), import_seconds("function_app")
    everything = import_seconds(
        "function_app, shared.composition.app, export_trigger.steps.plan_run, export_worker.deliver_chunk"
    )
    rows = [
        ("import azure.functions alone", f"{bare * 1000:,.0f} ms", "", ""),
        ("import function_app (indexing)", f"{whole * 1000:,.0f} ms", f"{whole / bare:.2f}", ""),
        ("with all that a run loads", f"{everything * 1000:,.0f} ms", f"{everything / bare:.2f}", ""),
    ]
    found, idle = transactions()
    for name, counts in found.items():
        shown = ", ".join(f"{service} {count:,}" for service, count in sorted(counts.items()))
        rows.append(
            (
                f"transactions, {name} of {PROFILES:,}",
                f"{counts.total():,}",
                f"{counts.total() * 1000 / PROFILES:.1f} per 1,000",
                shown,
            )
        )
    shown = ", ".join(f"{service} {count:,}" for service, count in sorted(idle.items()))
    rows.append(
        (
            f"transactions, idle for {IDLE_SECONDS} s",
            f"{idle.total():,}",
            f"{idle.total() / IDLE_SECONDS:.1f} a second",
            shown,
        )
    )
    met = whole / bare <= 1.5
    columns = ("what", "measured", "ratio", "by service")
    notes = [
        "Idle transactions are the local host's polling of its queues, on one instance; Azure's own host polls in its way."
    ]
    return Part("Start-up and storage", "indexing at most 1.5 times azure.functions alone", columns, rows, met, notes)


if __name__ == "__main__":
    run().show(Console())
