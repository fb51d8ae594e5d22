"""`make simulate`: random schedules by seed, and the crash points; what fails is shortened and printed so that one can read it."""

from __future__ import annotations

import argparse
import logging
import sys
import time
from collections.abc import Iterator

from tests.simulation.explain import explain
from tests.simulation.schedule import Schedule, crash_pairs, crash_points, draw, lengths, play
from tests.simulation.world import WORLDS


def main() -> int:
    """Play as many schedules as asked; 1 if one of them failed."""
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--count", type=int, default=3000, help="random schedules to play")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first one; each next one has the next")
    parser.add_argument("--points", action="store_true", help="play every single crash point of the worlds as well")
    parser.add_argument(
        "--pairs", default="", metavar="WORLD", help="play all pairs of crash points of one world as well"
    )
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)
    played, failed = 0, 0
    for schedule in _schedules(asked.count, asked.seed, asked.points, asked.pairs):
        played += 1
        if play(schedule).wrong:
            failed += 1
            print(explain(schedule), flush=True)
    seconds = time.process_time()
    print(
        f"{played} schedules, {failed} failed, {seconds:.0f} s of processor time ({seconds / max(played, 1) * 1000:.0f} ms each)"
    )
    return 1 if failed else 0


def _schedules(count: int, seed: int, points: bool, pairs: str) -> Iterator[Schedule]:
    if points:
        for world in WORLDS:
            yield from crash_points(world)
    if pairs:
        yield from crash_pairs(pairs)
    known = lengths()
    for number in range(seed, seed + count):
        yield draw(number, known)


if __name__ == "__main__":
    sys.exit(main())
