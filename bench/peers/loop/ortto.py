"""The loop at Ortto: one `POST /person/merge` for each hundred rows, with retries.

Follows the pages that `loop.py` follows, and Ortto's of the call: up to 100 people, each with the tags to add.
"""

from __future__ import annotations

from itertools import batched

from bench.peers.loop.loop import open_session, sender
from bench.peers.ortto import PEOPLE, put_batch
from bench.peers.segment import LIST, contacts


def main() -> None:
    """Send every row, a hundred at a time, one call after the other."""
    with open_session() as session:
        for people in batched(contacts(), PEOPLE, strict=False):
            put_batch(sender(session), people, LIST)


if __name__ == "__main__":
    main()
