"""Make trouble: carry out a schedule on a running stack, and leave everything in order afterwards."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

import requests
from azure.core.exceptions import AzureError
from azure.storage.queue import QueueServiceClient

from local.chaos.schedule import Trouble
from local.source_proxy import SourceProxy
from local.source_proxy import Trouble as SourceTrouble
from local.stack import Stack

log = logging.getLogger(__name__)

KEYS = ("sandbox-key", "sandbox-key-rotated")

SECRET = "autopilot-chaos"  # noqa: S105 - its name
"""The secret of the vault that holds the connection's key."""
QUEUES = ("export-runs", "export-chunks")

CALM: dict[str, object] = {"faults": {}, "lies": {}, "down": False}
"""The knobs that a storm may turn (`schedule._STORMS`), as they are in calm. A storm that turns another knob of the sandbox,
such as one that has Autopilot lie, has that knob's calm value here; a trouble of another kind is a method below."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What trouble is made on: the stack, the proxy before its source, and what publishes the next refresh."""

    stack: Stack
    source: SourceProxy
    refresh: Callable[[], None]


class TroubleMaker:
    """Makes trouble while its context lasts; at its end everything runs, unpaused and without faults."""

    def __init__(self, stage: Stage, troubles: Sequence[Trouble], calm: dict[str, object]) -> None:
        self._stage = stage
        self._stack = stage.stack
        self._troubles = troubles
        self._calm = {**CALM, **calm}
        self._over = threading.Event()
        self._threads: list[threading.Thread] = []
        self.faults: list[Exception] = []
        self._kinds: dict[str, Callable[[Trouble], None]] = {
            "kill a host": self._kill_host,
            "kill all hosts": self._kill_all_hosts,
            "pause a host": self._pause_host,
            "duplicate messages": self._duplicate_messages,
            "storm": self._storm,
            "lies": self._storm,
            "restart storage": self._restart_storage,
            "restart the vault": self._restart_vault,
            "vault down": self._vault_down,
            "rotate the key": self._rotate_key,
            "source busy": lambda trouble: self._source("busy", trouble),
            "source drops": lambda trouble: self._source("drops", trouble),
            "refresh meanwhile": lambda _: stage.refresh(),
            "no token": self._no_token,
        }

    def __enter__(self) -> TroubleMaker:
        begun = time.monotonic()
        self._threads = [threading.Thread(target=self._make, args=(begun,))]
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self.turn(**{"rate": None, **self._calm})
        if self.faults:
            raise self.faults[0]

    def turn(self, **knobs: object) -> None:
        """Turn the sandbox's knobs."""
        requests.put(f"{self._stack.sandbox_url}/sandbox/knobs", json=knobs, timeout=10).raise_for_status()

    def _make(self, begun: float) -> None:
        """Make one trouble after the other, each at its time or as soon as the one before is done."""
        for trouble in self._troubles:
            self._over.wait(max(0.0, begun + trouble.at - time.monotonic()))
            if self._over.is_set():
                return
            try:
                self._kinds[trouble.kind](trouble)
            except (OSError, AzureError, requests.RequestException) as error:
                self.faults.append(error)
                return

    def _kill_host(self, trouble: Trouble) -> None:
        self._stack.restart_host(trouble.host, _skewed(trouble))

    def _kill_all_hosts(self, trouble: Trouble) -> None:
        for host in self._stack.hosts:
            host.pause()  # all at the same moment
        for place in range(len(self._stack.hosts)):
            self._stack.restart_host(place, _skewed(trouble))

    def _pause_host(self, trouble: Trouble) -> None:
        host = self._stack.hosts[trouble.host]
        host.pause()
        self._over.wait(trouble.seconds)
        host.resume()

    def _duplicate_messages(self, trouble: Trouble) -> None:
        """Put a second copy of what waits on the queues beside it: delivery is at least once."""
        with QueueServiceClient.from_connection_string(self._stack.storage) as service:
            names = {queue.name for queue in service.list_queues()}
            for name in QUEUES:
                if name in names:
                    client = service.get_queue_client(name)
                    for message in client.peek_messages(max_messages=8):
                        client.send_message(message.content, visibility_timeout=int(trouble.seconds))

    def _storm(self, trouble: Trouble) -> None:
        self.turn(**trouble.knobs)
        self._over.wait(trouble.seconds)
        self.turn(**self._calm)

    def _restart_storage(self, trouble: Trouble) -> None:
        assert self._stack.azurite is not None
        self._stack.azurite.stop()
        self._over.wait(min(trouble.seconds, 2.0))
        self._stack.azurite.start()

    def _restart_vault(self, trouble: Trouble) -> None:  # noqa: ARG002 - one signature for all
        self._stack.restart_vault()

    def _vault_down(self, trouble: Trouble) -> None:
        self._stack.switch_vault("down")
        self._over.wait(trouble.seconds)
        self._stack.switch_vault("up")

    def _source(self, kind: SourceTrouble, trouble: Trouble) -> None:
        self._stage.source.strike(kind)
        self._over.wait(trouble.seconds)
        self._stage.source.strike("none")

    def _no_token(self, trouble: Trouble) -> None:
        """Have the identity endpoint refuse while an instance starts, which has no token from before."""
        self._stack.switch_vault("no token")
        self._stack.restart_host(trouble.host)
        self._over.wait(trouble.seconds)
        self._stack.switch_vault("up")

    def _rotate_key(self, trouble: Trouble) -> None:  # noqa: ARG002 - one signature for all
        """Rotate the key as people do: Autopilot takes the new one only, and then it is stored."""
        newer = KEYS[1 - KEYS.index(self._stack.secret(SECRET))]
        self.turn(key=newer)
        self._stack.store_secret(SECRET, newer)


def _skewed(trouble: Trouble) -> dict[str, str]:
    """Return the setting that has an instance's clock go wrong; none if it goes right: then it can start warm."""
    return {"LOCAL_HOST_CLOCK_SKEW_SECONDS": f"{trouble.skew:.2f}"} if trouble.skew else {}
