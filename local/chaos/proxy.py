"""A proxy before the data's account: it passes everything on, is busy (503), or drops connections, as it is told."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Final, Literal

type Mode = Literal["up", "busy", "drops"]

_PIECE: Final = 1 << 16
_SHORT: Final = 300
"""Bytes of an answer that still come before its connection is dropped."""

_BODY: Final = b'<?xml version="1.0" encoding="utf-8"?><Error><Code>ServerBusy</Code><Message>Busy.</Message></Error>'
BUSY: Final = (
    b"HTTP/1.1 503 The server is busy.\r\nx-ms-error-code: ServerBusy\r\nContent-Type: application/xml\r\n"
    + f"Content-Length: {len(_BODY)}\r\nConnection: close\r\n\r\n".encode()
    + _BODY
)


class SourceProxy:
    """Listens on a port of its own, and passes on to `upstream`, which may be told later. A context manager."""

    def __init__(self) -> None:
        self.mode: Mode = "up"
        self.upstream = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]

    def __enter__(self) -> SourceProxy:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)  # closing alone does not wake who waits for a connection
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.upstream)) as server:
            answers = threading.Thread(target=self._answers, args=(server, client), daemon=True)
            answers.start()
            while data := client.recv(_PIECE):
                if self.mode == "busy" and data.partition(b" ")[0] in {b"GET", b"HEAD"}:
                    client.sendall(BUSY)
                    _close(client)
                    break
                server.sendall(data)
            _close(server)
            answers.join()

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(_PIECE):
                if self.mode == "drops":
                    client.sendall(data[:_SHORT])
                    break
                client.sendall(data)
        _close(client)
        _close(server)


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
