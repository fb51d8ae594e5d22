"""Work as queue messages name it: which run, and which chunk of it. No message holds personal data."""

from __future__ import annotations

import logging
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from shared.exports.configuration import Name

MOST_BYTES: Final = 1024
"""Bytes of a message; ours have about a hundred."""

log = logging.getLogger(__name__)


class RunWork(BaseModel):
    """A run to be planned, or to be told of."""

    model_config = ConfigDict(frozen=True)

    export: Name
    run: Annotated[str, StringConstraints(pattern=r"^[0-9]{8}t[0-9]{9}-[0-9a-f]{4}$")]


class ChunkWork(RunWork):
    """A chunk to be delivered."""

    chunk: Annotated[str, StringConstraints(pattern=r"^[0-9]{6,9}(-[0-9]{1,9}-[0-9a-z]{1,32})?$")]


def read_work[T: RunWork](message: bytes, kind: type[T]) -> T | None:
    """Read a message; None, and a line in the log, for one that is none of ours: nobody could ever do it.

    Names are checked like those of any input, so that none can forge a line in the log or a path; nothing of a message
    that is dropped is shown.
    """
    try:
        return kind.model_validate_json(message[: MOST_BYTES + 1])  # one that is longer is cut short, so it is none
    except ValidationError:
        log.error("dropped a queue message that names no work: kind=%s bytes=%d", kind.__name__, len(message))
        return None
