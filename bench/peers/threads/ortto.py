"""The same loop at Ortto on threads: sixteen `POST /person/merge` of a hundred rows under way at once, one pace for all.

Follows the pages that `threads.py` follows, and Ortto's of the call: up to 100 people, each with the tags to add.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import batched

from bench.peers.ortto import PEOPLE, put_batch
from bench.peers.segment import LIST, THREADS, contacts
from bench.peers.threads.threads import send


def main() -> None:
    """Send every row, a hundred a call, sixteen calls at a time."""
    with ThreadPoolExecutor(THREADS) as threads:
        for _ in threads.map(lambda people: put_batch(send, people, LIST), batched(contacts(), PEOPLE, strict=False)):
            pass


if __name__ == "__main__":
    main()
