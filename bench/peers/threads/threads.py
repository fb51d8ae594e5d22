"""The same loop on threads: sixteen `POST /contact` under way at once, one pace for all.

Follows `ThreadPoolExecutor` of https://docs.python.org/3/library/concurrent.futures.html, and the pages that the loop
follows. Threads share one adapter, whose connection pool is made for it (urllib3, "Customizing Pool Behavior"), and each
has a session of its own, since `requests` does not promise that a session may be shared.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from pyrate_limiter import InMemoryBucket, Limiter, Rate
from requests import Response, Session
from requests_ratelimiter import LimiterAdapter
from urllib3 import Retry

from bench.peers.autopilot import find_list, put
from bench.peers.segment import HEADERS, LIST, THREADS, URL, contacts, pace

RETRY = Retry(
    total=8,
    backoff_factor=0.5,
    status_forcelist=(408, 429, 500, 502, 503, 504),
    allowed_methods=None,
    raise_on_status=False,
)
ADAPTER = LimiterAdapter(
    limiter=Limiter(InMemoryBucket([Rate(*pace())]), buffer_ms=1),
    per_host=False,
    bucket_name="account",
    max_retries=RETRY,
    pool_maxsize=THREADS,
)
PER_THREAD = threading.local()


def open_session() -> Session:
    """Return this thread's session."""
    session: Session | None = getattr(PER_THREAD, "session", None)
    if session is None:
        session = PER_THREAD.session = Session()
        session.headers.update(HEADERS)
        session.mount("http://", ADAPTER)
        session.mount("https://", ADAPTER)
    return session


def send(method: str, path: str, body: object) -> Response:
    """Send one call."""
    return open_session().request(method, URL + path, json=body, timeout=60)


def main() -> None:
    """Send every row, sixteen at a time."""
    list_id = find_list(send, LIST)
    with ThreadPoolExecutor(THREADS) as threads:
        for _ in threads.map(lambda contact: put(send, contact, list_id), contacts()):
            pass


if __name__ == "__main__":
    main()
