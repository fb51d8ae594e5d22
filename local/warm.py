"""Quick starts of the local stack's servers, for tests: forked from a process that has imported what they import.

Each is a process of its own, with its own arguments, environment and pipes, as one that was started by `python -m`; it only
finds its modules loaded. Linux only: a pidfd tells of the end of a process that is somebody else's child.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

from local.azurite import Azurite
from local.processes import Process, Start, start_cold

SERVERS: Final = ("local.host", "local.vault", "local.sandbox", "local.ortto")
"""What can be forked. Nothing that is imported for them may read the environment while it is imported."""

APP: Final = ("shared", "export_trigger", "export_worker")
"""The packages that the host imports, by and by, when functions are called."""

UNSUITED: Final = frozenset({"AUTH_MODE", "LOCAL_HOST_CLOCK_SKEW_SECONDS", "POLARS_MAX_THREADS"})
"""Settings that have to be there before something is imported."""

LARGEST: Final = 1 << 18
"""Bytes of an order."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What stacks of one test session share: an emulator in which each has an account, if any, and a way to start servers."""

    azurite: Azurite | None
    start: Start

    @property
    def without_storage(self) -> Shared:
        """The same for a stack with an emulator of its own, which can be stopped, or reached through a proxy."""
        return replace(self, azurite=None)


@contextmanager
def sharing(folder: Path) -> Iterator[Shared]:
    """Yield what stacks may share, with the emulator's log in a folder."""
    with Azurite(folder, in_memory=True) as azurite:
        if sys.platform != "linux":
            yield Shared(azurite, start_cold)
            return
        with WarmStarts() as warm:
            yield Shared(azurite, warm.start)


class WarmStarts:
    """The process that forks servers, as a context manager; it ends with whoever started it."""

    def __init__(self) -> None:
        self._channel, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._one_order = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> WarmStarts:
        number = self._theirs.fileno()
        self._process = subprocess.Popen([sys.executable, "-m", "local.warm", str(number)], pass_fds=[number])
        self._theirs.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        if self._process is not None:
            self._process.wait()

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None, log: IO[bytes]
    ) -> Process:
        """Start `-m module ...` of SERVERS; anything else, and what is told a setting that does not suit, starts cold."""
        suits = folder is None and arguments[:1] == ["-m"] and arguments[1] in SERVERS
        if not suits or UNSUITED & environment.keys():
            return start_cold(arguments, environment, folder, log)
        order = {"module": arguments[1], "arguments": arguments[2:], "environment": dict(environment)}
        (their_input, our_output), (our_input, their_output) = os.pipe(), os.pipe()
        theirs = [their_input, their_output, log.fileno()]
        with self._one_order:
            socket.send_fds(self._channel, [json.dumps(order).encode()], theirs)
            answer, descriptors, _, _ = socket.recv_fds(self._channel, 64, 1)
        os.close(their_input)
        os.close(their_output)
        if not answer:
            raise ChildProcessError("the process that forks servers has ended")
        return _Forked(int(answer), descriptors[0], os.fdopen(our_output, "wb"), os.fdopen(our_input, "rb"))


class _Forked:
    """A forked server, with what ServerProcess wants of a process."""

    def __init__(self, pid: int, descriptor: int, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self.pid = pid
        self.stdin: IO[bytes] | None = stdin
        self.stdout: IO[bytes] | None = stdout
        self._descriptor: int | None = descriptor

    def poll(self) -> int | None:
        """Return 0 if it has ended, however it did."""
        return 0 if self._ends_within(0) else None

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raise TimeoutExpired."""
        if not self._ends_within(timeout):
            raise subprocess.TimeoutExpired("a forked server", timeout or 0)
        return 0

    def send_signal(self, sig: int) -> None:
        """Send a signal, if it is there."""
        if self._descriptor is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._descriptor, sig)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _ends_within(self, seconds: float | None) -> bool:
        if self._descriptor is None:
            return True
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLIN)
        if not waiting.poll(None if seconds is None else seconds * 1000):
            return False
        os.close(self._descriptor)
        self._descriptor = None
        return True


@dataclass(frozen=True, slots=True)
class _Order:
    """What to become: a module's program, with standard input, output and error."""

    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    descriptors: Sequence[int]


def main() -> None:
    """Import, then fork a server for each order, until whoever orders is gone."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    _load()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: _reap())
    while order := _next(channel):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])  # nobody is let go of before the pidfd is there
        pid = os.fork()
        if pid == 0:
            channel.close()
            _become(order)
            return
        ends = os.pidfd_open(pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
        for descriptor in order.descriptors:
            os.close(descriptor)
        socket.send_fds(channel, [str(pid).encode()], [ends])
        os.close(ends)


def _load() -> None:
    """Import all that the servers do; their programs themselves will run under another name."""
    warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)  # Polars' own threads
    for package in map(importlib.import_module, APP):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    for name in SERVERS:
        importlib.import_module(f"{name}.__main__")
        del sys.modules[f"{name}.__main__"]
    gc.collect()
    gc.freeze()


def _next(channel: socket.socket) -> _Order | None:
    """Wait for an order; None if there will be none."""
    text, descriptors, _, _ = socket.recv_fds(channel, LARGEST, 3)
    return _Order(descriptors=descriptors, **json.loads(text)) if text else None


def _reap() -> None:
    """Let go of servers that have ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            continue


def _become(order: _Order) -> None:
    """Be the server that was ordered, to its end."""
    for number in (signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    for place, descriptor in enumerate(order.descriptors):
        os.dup2(descriptor, place)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(order.environment)
    sys.argv[1:] = order.arguments
    runpy.run_module(order.module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
