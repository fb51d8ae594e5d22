"""Child processes of the local stack: started, known to be ready, and never left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final, Protocol

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0

_TAKEN: Final = ("address already in use", "in use by another program")
"""How a server's log says that somebody else has its port."""


class NotReady(Exception):
    """A server did not start; the text holds the end of its log."""


class PortTaken(NotReady):
    """A server did not start, since its port belongs to somebody else now."""


class Process(Protocol):
    """What is needed of a process that was started, as `subprocess.Popen` has it."""

    pid: int
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None

    def poll(self) -> int | None:
        """Return None while it is there."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raise TimeoutExpired."""
        ...

    def send_signal(self, sig: int) -> None:
        """Send a signal."""
        ...

    def kill(self) -> None:
        """End it at once."""
        ...


Start = Callable[[Sequence[str], Mapping[str, str], Path | None, IO[bytes]], Process]
"""Starts Python with arguments, an environment, a working folder and a log of what it says wrong."""


def start_cold(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None, log: IO[bytes]
) -> Process:
    """Start Python anew."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
    )


class ServerProcess:
    """A server of ours: it prints one JSON line when it is ready, logs to a file, and ends with its parent."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        folder: Path | None = None,
        start: Start = start_cold,
    ) -> None:
        self.name = name
        self._folder = folder
        self.ready: dict[str, Any] = {}
        self._arguments = arguments
        self._environment = environment
        self._log = log
        self._start = start
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether it is there."""
        return self._process is not None and self._process.poll() is None

    def start(self, *more: str, environment: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Start it and wait until it is ready; return what its ready line says. Raises NotReady.

        `more` are arguments and `environment` are variables for this start only.
        """
        self._log.parent.mkdir(parents=True, exist_ok=True)
        begin = self._log.stat().st_size if self._log.exists() else 0
        with self._log.open("ab") as log:
            arguments, variables = [*self._arguments, *more], {**self._environment, **(environment or {})}
            self._process = self._start(arguments, variables, self._folder, log)
        try:
            self.ready = json.loads(self._first_line() or "null") or {}
        except BaseException:
            self.kill()
            raise
        if not self.ready:
            self.stop()
            said = self._log.read_bytes()[begin:].decode(errors="replace")
            kind = PortTaken if any(words in said.lower() for words in _TAKEN) else NotReady
            raise kind(f"{self.name} did not start:\n" + "\n".join(said.splitlines()[-15:]))
        return self.ready

    def start_again(self, *ports: str, environment: Mapping[str, str] | None = None, patience: float) -> None:
        """Start it where it was, and wait for `patience` seconds if somebody else has a port of its; raises PortTaken."""
        deadline = time.monotonic() + patience
        while True:
            try:
                self.start(*ports, environment=environment)
            except PortTaken:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
            else:
                return

    def stop(self) -> None:
        """Ask it to end, and end it if it does not."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Stop it where it is, as a machine that stalls would."""
        self._send(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._send(signal.SIGCONT)

    def _send(self, what: signal.Signals) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(what)

    def _first_line(self) -> bytes:
        assert self._process is not None
        assert self._process.stdout is not None
        timer = threading.Timer(START_SECONDS, self._process.kill)
        timer.start()
        try:
            return self._process.stdout.readline()
        finally:
            timer.cancel()

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


def say_ready(**what: object) -> None:
    """Tell the parent, in one line, that this server is ready."""
    print(json.dumps(what), flush=True)


def end_with_parent(stop: Callable[[], object]) -> None:
    """Call `stop` on SIGTERM, and when the parent is gone: the pipe that it holds open breaks."""

    def watch() -> None:
        while os.read(0, 1024):
            continue
        os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGTERM, lambda *_: stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()
