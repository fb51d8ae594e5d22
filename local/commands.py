"""What the commands of the local tools have in common: one at a time in a folder, and an end that is a sentence."""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from local.processes import NotReady

INTERRUPTED: Final = 130
"""Exit code of a command that Ctrl-C ended, as shells have it."""

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


class InUse(Exception):
    """Another command works in this folder already; the text names it."""


class CannotGoOn(Exception):
    """Something that a person can change is in the way; the text says what to do."""


def run_command(main: Callable[[], int]) -> int:
    """Run a command. Whatever a person, a full disk or a closed pipe may cause ends it with one sentence."""
    direct_to_loopback(os.environ)
    try:
        code = main()
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _end("Stopped.", INTERRUPTED)
    except BrokenPipeError:  # whoever read has enough; the interpreter would complain when it writes the rest
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (InUse, CannotGoOn, NotReady, ChildProcessError) as error:
        return _end(str(error), 1)
    except OSError as error:
        return _end(_why(error), 1)
    return code


def _end(sentence: str, code: int) -> int:
    print(sentence, file=sys.stderr)
    return code


def _why(error: OSError) -> str:
    if error.filename is None:
        return f"It cannot go on: {error}."
    return f"{error.filename} cannot be used ({error.strerror}). Check that this folder exists, can be written and has room."


@contextmanager
def only_one(lock: Path, what: str) -> Iterator[None]:
    """Be the only one in a folder that does `what` while the context lasts; raises InUse naming the other process.

    The lock is the system's own: it goes with its process, however that ends.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise InUse(
                f"{what} is going in this folder already: process {file.read().strip() or '(unknown)'}. "
                "Stop it first, or work in another copy of the folder."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def direct_to_loopback(environment: MutableMapping[str, str]) -> None:
    """Keep what goes to this machine away from the proxies that an environment names."""
    for name in ("no_proxy", "NO_PROXY"):
        given = [host.strip() for host in environment.get(name, "").split(",") if host.strip()]
        environment[name] = ",".join(dict.fromkeys([*given, *_LOOPBACK]))
