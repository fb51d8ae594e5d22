"""A server that answers with the bytes it is given, whatever they are."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress


class RawServer:
    """Answers every connection with the same bytes, then closes it; `endless` follows without end until we hang up."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/v1"
        self.answer = b""
        self.endless = b""
        self.sent = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            connection.settimeout(5)
            with connection, suppress(OSError):
                request = b""
                while b"\r\n\r\n" not in request:
                    request += connection.recv(1 << 16) or b"\r\n\r\n"
                connection.sendall(self.answer)
                self.sent = len(self.answer)
                while self.endless:
                    connection.sendall(self.endless)
                    self.sent += len(self.endless)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1 << 16)

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()
