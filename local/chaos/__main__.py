"""`python -m local.chaos`: rounds of chaos, checked one by one; ends with 1 if anything did not hold."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Final

from rich.console import Console

from local.chaos.lane import Lane
from local.chaos.schedule import draw_round
from local.chaos.verdict import Verdict
from local.commands import run_command
from local.targets import AUTOPILOT, TARGETS, Target

HOSTS: Final = 2
ROUNDS_A_STACK: Final = 10
RESULTS: Final = Path(".local/chaos/results.jsonl")


def main() -> int:
    """Play rounds and say how they went."""
    parser = argparse.ArgumentParser(prog="python -m local.chaos", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="seed of the first round; the others count up")
    parser.add_argument("--lanes", type=int, default=1, help="stacks at a time")
    parser.add_argument("--destination", choices=sorted(TARGETS), default=AUTOPILOT.kind)
    options = parser.parse_args()
    target = TARGETS[options.destination]
    seeds: SimpleQueue[int] = SimpleQueue()
    for seed in range(options.seed, options.seed + options.rounds):
        seeds.put(seed)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    console = Console(soft_wrap=True)
    verdicts: list[Verdict] = []
    threads = [threading.Thread(target=_play, args=(console, seeds, verdicts, target)) for _ in range(options.lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _summarize(console, verdicts)
    return 0 if len(verdicts) == options.rounds and all(verdict.is_clean for verdict in verdicts) else 1


def _play(console: Console, seeds: SimpleQueue[int], verdicts: list[Verdict], target: Target) -> None:
    """Play rounds until no seed is left, with a new stack every now and then, and after one that went wrong."""
    while not seeds.empty():
        directory = Path(tempfile.mkdtemp(prefix="lane-", dir=RESULTS.parent))
        with Lane(directory, HOSTS, target) as lane:
            clean = _play_some(console, lane, seeds, verdicts, target)
        if clean:
            shutil.rmtree(directory)
        else:
            console.print(f"   everything needed to understand it: {directory}/evidence-*, logs and storage beside it")


def _play_some(console: Console, lane: Lane, seeds: SimpleQueue[int], verdicts: list[Verdict], target: Target) -> bool:
    """Play some rounds on one stack; return whether all were clean. One that was not is the stack's last."""
    for _ in range(ROUNDS_A_STACK):
        try:
            seed = seeds.get_nowait()
        except Empty:
            return True
        verdict = lane.play(draw_round(seed, HOSTS, target.kind))
        verdicts.append(verdict)
        _say(console, verdict)
        with RESULTS.open("a") as results:
            results.write(verdict.as_line() + "\n")
        if not verdict.is_clean:
            return False
    return True


def _say(console: Console, verdict: Verdict) -> None:
    mark = "[green]ok[/]" if verdict.is_clean else "[bold red]NOT OK[/]"
    console.print(f"{mark} seed {verdict.seed} {verdict.seconds:.0f} s  [dim]{', '.join(verdict.troubles)}[/]")
    for note in verdict.notes:
        console.print(f"   {note}", markup=False)


def _summarize(console: Console, verdicts: Iterable[Verdict]) -> None:
    """Print the sums as the table that docs/reliability.md holds."""
    rounds = list(verdicts)
    troubles = Counter(kind for verdict in rounds for kind in verdict.troubles)
    console.print(f"\n{len(rounds)} rounds, seeds {min(v.seed for v in rounds)} to {max(v.seed for v in rounds)}")
    for name in ("lost", "wrong", "off", "stuck", "marks"):
        console.print(f"| {name} | {sum(getattr(verdict, name) for verdict in rounds)} |", markup=False)
    for kind, count in troubles.most_common():
        console.print(f"| {kind} | {count} |", markup=False)


if __name__ == "__main__":
    sys.exit(run_command(main))
