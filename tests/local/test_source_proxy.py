"""The proxy before the source's account is silent about clients that were killed."""

from __future__ import annotations

import socket
import struct
import threading

import pytest

from local.eventually import eventually
from local.source_proxy import SourceProxy


def test_a_client_that_is_gone_in_the_middle_of_its_connection_is_no_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with SourceProxy() as proxy, socket.create_connection(("127.0.0.1", proxy.port)) as client:
        proxy.strike("forbidden")
        before = threading.active_count()
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert b"403" in client.recv(4096)  # it is being served, and kept for the next request
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closed by a reset
        client.close()
        eventually(lambda: threading.active_count() <= before)
    assert capfd.readouterr().err == ""
