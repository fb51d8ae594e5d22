"""Queue messages that nobody of ours wrote: dropped, with a line that shows nothing of them."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.runs.work import ChunkWork, RunWork, read_work

RUN = "20261128t101112131-0a1b"
WORK = {"export": "team", "run": RUN, "chunk": "000001"}
FORGED = "x\n2026-11-28 ERROR forged line"


@pytest.mark.parametrize("chunk", ["000001", "000123-1-0a1b2c3d", "0000001-12-ff"])
def test_a_message_of_ours_is_read(chunk: str) -> None:
    work = read_work(json.dumps({**WORK, "chunk": chunk}).encode(), ChunkWork)
    assert work == ChunkWork(export="team", run=RUN, chunk=chunk)


@pytest.mark.parametrize(
    "content",
    [
        *(
            {**WORK, "run": run}
            for run in (FORGED, RUN + "\n", "", "../x", "r" * 300, None, 7, RUN.upper(), "x' or 1 eq 1")
        ),
        *(
            {**WORK, "chunk": chunk}
            for chunk in (FORGED, "000001\n", "", "../000001", "made-up", "0" * 20, None, ["000001"])
        ),
        *({**WORK, "export": name} for name in (FORGED, "team\n", "Team", "../team", "a" * 64, "", None)),
        {},
        [],
        "text",
        None,
        {**WORK, "more": "x" * 2000},
    ],
    ids=lambda content: repr(content)[:50],
)
def test_a_message_that_names_no_work_is_dropped_and_shows_nothing(
    caplog: pytest.LogCaptureFixture, content: Any
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert read_work(json.dumps(content).encode(), ChunkWork) is None
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "forged" not in caplog.text
    assert caplog.records[0].getMessage().startswith("dropped a queue message that names no work: kind=ChunkWork")


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_any_bytes_are_a_message_or_dropped(data: bytes) -> None:
    work = read_work(data, RunWork)
    assert work is None or work.run.isprintable()
