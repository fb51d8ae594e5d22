"""The loop everybody writes: one `POST /contact` a row, with retries.

Follows "Transport Adapters" and "Automatic Retries" of https://requests.readthedocs.io/en/latest/user/advanced/ (urllib3's
`Retry` mounted on a session) and "Adapter" of https://requests-ratelimiter.readthedocs.io for the pace.
"""

from __future__ import annotations

from pyrate_limiter import InMemoryBucket, Limiter, Rate
from requests import Response, Session
from requests_ratelimiter import LimiterAdapter
from urllib3 import Retry

from bench.peers.autopilot import find_list, put
from bench.peers.calls import Send
from bench.peers.segment import HEADERS, LIST, URL, contacts, pace


def open_session(connections: int = 1) -> Session:
    """Open a session that keeps the pace and tries again on what may pass; POST is safe here, an upsert by address."""
    retry = Retry(
        total=8,
        backoff_factor=0.5,
        status_forcelist=(408, 429, 500, 502, 503, 504),
        allowed_methods=None,
        raise_on_status=False,
    )
    session = Session()
    session.headers.update(HEADERS)
    limiter = Limiter(InMemoryBucket([Rate(*pace())]), buffer_ms=1)
    adapter = LimiterAdapter(
        limiter=limiter, per_host=False, bucket_name="account", max_retries=retry, pool_maxsize=connections
    )
    session.mount("http://", adapter)
    session.mount("https://", adapter)
    return session


def sender(session: Session) -> Send:
    """Return what sends one call."""

    def send(method: str, path: str, body: object) -> Response:
        return session.request(method, URL + path, json=body, timeout=60)

    return send


def main() -> None:
    """Send every row, one after the other."""
    with open_session() as session:
        send = sender(session)
        list_id = find_list(send, LIST)
        for contact in contacts():
            put(send, contact, list_id)


if __name__ == "__main__":
    main()
