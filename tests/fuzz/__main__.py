"""Fuzz one target with libFuzzer, guided by what its input makes the parsers do; stops at the first broken promise.

The corpus is kept in the directory, and so is an input that broke a promise (`crash-…`, `timeout-…`, `oom-…`): give it
as `--replay` to see it again, then write it down as a case in tests/hostile.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import atheris


def main() -> None:
    """Fuzz, or replay one input."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--directory", type=Path, default=Path(".local/fuzz"))
    parser.add_argument("--replay", type=Path)
    options = parser.parse_args()
    with atheris.instrument_imports(include=["shared", "export_trigger", "tests.fuzz", "cronsim", "email_validator"]):
        from tests.fuzz.targets import TARGETS
    if options.target not in TARGETS:
        parser.error(f"the targets are {', '.join(TARGETS)}")
    target, seeds = TARGETS[options.target]
    if options.replay:
        target(options.replay.read_bytes())
        return
    corpus = options.directory / options.target
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(seeds):
        (corpus / f"seed-{number}").write_bytes(seed)
    limits = [f"-max_total_time={options.seconds}", "-timeout=60", "-rss_limit_mb=4096", "-max_len=4096"]
    atheris.Setup(
        [sys.argv[0], *limits, "-print_final_stats=1", f"-artifact_prefix={options.directory}/", str(corpus)], target
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
