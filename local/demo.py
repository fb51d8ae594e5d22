"""`make demo`: the main job, end to end, with a made-up company or a table of your own, and a check at the end.

It ends with 0 only if the sandbox's lists equal the segments after both runs.
"""

from __future__ import annotations

import argparse
import csv
import io
import shutil
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sized
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import requests
from azure.storage.blob import BlobServiceClient
from rich.console import Console
from rich.markup import escape

from cli.client import Address, ApiError, Client
from cli.show import headline, run_table, table_of, watch
from local.commands import only_one, run_command
from local.environment import SEGMENTS, Company, publish
from local.stack import Stack
from local.targets import AUTOPILOT, TARGETS, Target

if TYPE_CHECKING:
    from local.own_table import OwnTable

DIRECTORY: Final = Path(".local/demo")
LOCK: Final = Path(".local/demo.lock")
EXPORT: Final = "loyalty"
KEY: Final = "demo-key-0123456789abcdef"
PEOPLE: Final = 6000
RATE: Final = 400


class DemoFailed(Exception):
    """Something did not go as it must; the text says what."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One state of the source: its tables, the segments to export, the mapping, and who must be on each list."""

    tables: Mapping[str, pl.DataFrame]
    segments: tuple[str, ...]
    mapping: Mapping[str, str]
    expected: Mapping[str, set[str]]
    refresh: str = "Customer Insights refreshes: some join, some leave, some change"
    """What happens before the second run."""


class Demo:
    """A local stack, and the two runs that are shown on it."""

    def __init__(self, console: Console, stack: Stack, api: Client, target: Target) -> None:
        self._console = console
        self._stack = stack
        self._api = api
        self._target = target
        self._connection = f"{target.kind}-demo"

    def play(self, first: Scene, second: Scene) -> None:
        """Set up, export, change the source, export the difference; raises DemoFailed."""
        self._say("1", "Customer Insights writes its segments to storage")
        self._publish(first)
        found = [item for item in self._api.items("segments") if item["eligible"]]
        self._console.print(
            table_of(("Segment", "Members"), [(item["name"], f"{item['members']:,}") for item in found])
        )

        self._say("2", "A connection to the account is made, and an export saved")
        self._save(first)

        self._say("3", "First run: everybody is new")
        before = self._run()
        if not before["counts"]["delivered"]:
            raise DemoFailed(f"no row could be delivered; rejected are {self._reasons(before)}")
        self._compare(first)

        self._say("4", second.refresh)
        self._publish(second)

        self._say("5", "Second run: only the difference is sent")
        after = self._run()
        self._compare(second)
        self._console.print(
            f"\n[bold green]Done.[/] The second run took {after['counts']['requests']:,} calls; "
            f"sending everything again would have taken {before['counts']['requests']:,}."
        )

    def _say(self, number: str, text: str) -> None:
        self._console.print(f"\n[bold cyan]{number}[/] [bold]{text}[/]")

    def _publish(self, scene: Scene) -> None:
        with BlobServiceClient.from_connection_string(self._stack.source_storage) as service:
            publish(service, self._stack.source_path, scene.tables, datetime.now(UTC))

    def _save(self, scene: Scene) -> None:
        made = self._api.put(
            f"connections/{self._connection}",
            {
                "display_name": "Demo account",
                "api_key": KEY,
                "agree_to_privacy": True,
                "rate_limit": RATE,
                **self._target.connection,
            },
        )
        self._console.print(
            f"Connection [bold]{self._connection}[/]: key accepted by {made['account']!r}, {RATE} requests a second"
        )
        saved = self._api.put(
            f"exports/{EXPORT}",
            {
                "display_name": "Loyalty lists",
                "connection": self._connection,
                "mapping": dict(scene.mapping),
                "segments": list(scene.segments),
                "max_profiles": 10_000_000,
                **self._target.export,
            },
        )
        self._console.print(
            f"Export [bold]{EXPORT}[/]: {_number(saved['segments'], 'segment')}, {_number(saved['mapping'], 'field')}: "
            + escape(", ".join(f"{name} from {column}" for name, column in saved["mapping"].items())),
            soft_wrap=True,
        )
        for warning in saved["warnings"]:
            self._console.print(f"[yellow]{warning}[/]")

    def _run(self) -> dict[str, Any]:
        started = self._api.post(f"exports/{EXPORT}/runs")
        begun = time.monotonic()
        run = watch(self._console, lambda: self._api.get(f"exports/{EXPORT}/runs/{started['run']}"))
        self._console.print(headline(run), f"[dim]{time.monotonic() - begun:.1f} s[/]")
        self._console.print(run_table(run))
        if run["status"] not in {"Successful", "Completed with warnings"}:
            raise DemoFailed(f"the run ended as {run['status']}")
        if run["counts"]["rejected"]:
            self._console.print(f"[dim]Rejected rows, each with its reason: {self._reasons(run)}[/]")
        return run

    def _reasons(self, run: Mapping[str, Any]) -> str:
        """Return how many rows a run rejected for which reason."""
        if not run["counts"]["rejected"]:
            return "none"
        text = self._api.text(f"exports/{EXPORT}/runs/{run['id']}/rejected")
        reasons = Counter(row["Reason"] for row in csv.DictReader(io.StringIO(text, newline="")))
        return ", ".join(f"{rows} {reason}" for reason, rows in reasons.most_common())

    def _compare(self, scene: Scene) -> None:
        """Compare the sandbox's lists with the segments; raises DemoFailed."""
        if self._stack.sandbox_url is None:
            self._console.print("[dim]A real account is not compared.[/]")
            return
        view = f"{self._stack.sandbox_url}/sandbox/lists"
        lists = {item["title"]: item["list_id"] for item in requests.get(view, timeout=60).json()["lists"]}
        for segment in scene.segments:
            there = segment in lists
            held = set(requests.get(f"{view}/{lists[segment]}/emails", timeout=60).json()) if there else set()
            missing, extra = len(scene.expected[segment] - held), len(held - scene.expected[segment])
            mark = "[green]equal[/]" if not missing and not extra else f"[red]{missing} missing, {extra} extra[/]"
            self._console.print(
                f"{self._target.lists.title()} [bold]{segment}[/]: {len(held):,} members, {mark} to the segment"
            )
            if missing or extra:
                raise DemoFailed(f"{self._target.lists} {segment!r} does not equal its segment")


def _number(things: Sized, word: str) -> str:
    return f"{len(things)} {word}{'' if len(things) == 1 else 's'}"


def company_scene(company: Company, target: Target) -> Scene:
    """Show a made-up company."""
    hidden = ("draw", "valid")
    return Scene(
        tables={name: company.segment(name).drop(hidden) for name in SEGMENTS},
        segments=tuple(SEGMENTS),
        mapping=target.mapping,
        expected={name: company.expected_members(name) for name in SEGMENTS},
    )


def own_scenes(file: Path, table: OwnTable) -> tuple[Scene, Scene]:
    """Show a table of the user's own as one segment, and the same table with a few rows gone."""
    segment = "".join(letter if letter.isalnum() else "_" for letter in file.stem)

    def scene(table: OwnTable) -> Scene:
        return Scene({segment: table.rows}, (segment,), table.mapping, {segment: table.expected_members()})

    fewer = table.without_some()
    gone = f"{table.rows.height - fewer.rows.height:,} of {table.rows.height:,}"
    said = f"A refresh is played: the demo leaves {gone} rows out, your file stays as it is"
    return scene(table), replace(scene(fewer), refresh=said)


def main() -> int:
    """Play the demo; 0 if all went as it must."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument("--segments", type=Path, help="a CSV table of your own with CustomerId and Email")
    parser.add_argument("--instances", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave everything up afterwards, to look at in the console")
    parser.add_argument("--destination", choices=sorted(TARGETS), default=AUTOPILOT.kind)
    options = parser.parse_args()
    target = TARGETS[options.destination]
    console = Console(highlight=False)
    knobs = {"key": KEY, "rate": RATE * 1.25, "burst": 40}
    console.print(
        f"[bold]Segments to {target.title}, on this machine.[/] Storage, vault, Functions host: local; {target.title}: a sandbox."
    )
    try:
        scenes = _scenes(console, options.segments, target)
        with (
            only_one(LOCK, "A demo"),
            _clean_folder(),
            Stack(DIRECTORY, instances=options.instances, knobs=knobs, in_memory=True, targets=(target,)) as stack,
            Client(Address(stack.api_url, stack.function_key)) as api,
        ):
            if stack.sandbox_url:
                target.furnish(stack.sandbox_url, KEY)
            Demo(console, stack, api, target).play(*scenes)
            if options.keep:
                _stay(console, stack)
    except (DemoFailed, ApiError, requests.RequestException) as error:
        console.print(f"\n[bold red]The demo failed:[/] {escape(str(error))} [dim](logs: {DIRECTORY}/logs)[/]")
        return 1
    return 0


def _stay(console: Console, stack: Stack) -> None:
    """Print where the console is, and leave everything up until Ctrl-C."""
    console.print("\n[bold]Everything stays up.[/] Look at it in a browser; Ctrl-C stops it.\n")
    console.print(f"  Console  {stack.console_url}", soft_wrap=True)
    console.print(f"  Key      {stack.function_key}", soft_wrap=True, markup=False)
    try:
        while True:
            time.sleep(1)  # Polars has waits begin again after a signal: one without an end would never hear of Ctrl-C
    except KeyboardInterrupt:
        console.print("Stopped.")


@contextmanager
def _clean_folder() -> Iterator[None]:
    """Begin without what an earlier demo left; its logs stay until then."""
    shutil.rmtree(DIRECTORY, ignore_errors=True)
    yield


def _scenes(console: Console, file: Path | None, target: Target) -> tuple[Scene, Scene]:
    if file is not None:
        from local.own_table import read_own_table  # with it comes most of the app, which the usual demo does without

        table = read_own_table(file, target)
        console.print(f"{file}: {table.rows.height:,} rows, {table.read_as}.", markup=False)
        return own_scenes(file, table)
    company = Company.found(PEOPLE)
    return company_scene(company, target), company_scene(company.next_refresh(), target)


if __name__ == "__main__":
    sys.exit(run_command(main))
