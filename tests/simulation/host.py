"""The Functions host: Microsoft's queue and timer listeners as measured on 2026-11-28 (docs/reliability.md), with time played.

A message that was fetched is hidden for ten minutes. If its function fails it comes back after `visibilityTimeout`; after five
tries it goes to the poison queue, where it lives for seven days. What fails in a poison queue stays hidden for the rest of its
ten minutes and comes again without an end. Text that is no base64 is poison at once. The messages of a dead process come back
when their ten minutes are over. When the process that holds the timers dies, no timer runs for up to two minutes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final

from azure.functions.queue import QueueMessage

from tests.simulation.azure import Cloud
from tests.simulation.stage import Stage

HIDDEN: Final = 600.0
VISIBILITY: Final = 30.0
MOST_TRIES: Final = 5
POISON_LIVES: Final = 7 * 86400.0
NO_HOLDER: Final = 120.0
"""Seconds for which no timer runs after the holder died, at worst."""

POISON: Final = "-poison"

type Function = Callable[[QueueMessage], None]


@dataclass(eq=False)
class Message:
    """One message; `text` None is text that is not base64."""

    number: int
    text: str | None
    visible_at: float
    expires_at: float = math.inf
    tries: int = 0
    receipt: int = 0


@dataclass
class Host:
    """Queues, and what is done with their messages."""

    stage: Stage
    cloud: Cloud
    functions: Mapping[str, Function]
    queues: dict[str, list[Message]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)

    def put(self, queue: str, text: str | None, delay: float = 0.0, lives: float = math.inf) -> None:
        """Put a message on a queue."""
        now = self.stage.now
        message = Message(self.stage.token(), text, now + delay, now + lives)
        self.queues.setdefault(queue, []).append(message)

    def next_visible(self) -> float:
        """Return when the next message can be fetched."""
        return min((message.visible_at for messages in self.queues.values() for message in messages), default=math.inf)

    def waiting(self) -> dict[str, int]:
        """Count the messages of each queue that has some, hidden ones too."""
        return {queue: len(messages) for queue, messages in self.queues.items() if messages}

    def double(self) -> None:
        """Have every message of the work queues twice."""
        for queue, messages in self.queues.items():
            for message in list(messages):
                if not queue.endswith(POISON):
                    self.put(queue, message.text)

    def work(self, name: str, pick: Callable[[int], int] = lambda count: 0) -> None:
        """Be one worker: fetch a message, do what it asks, again and again. `pick` chooses among those that wait."""
        while True:
            self.stage.wait(self.next_visible, idle=True)
            self._expire()
            visible = [
                (queue, message)
                for queue, messages in self.queues.items()
                for message in messages
                if message.visible_at <= self.stage.now
            ]
            if visible:
                self._do(name, *visible[pick(len(visible))])

    def _do(self, name: str, queue: str, message: Message) -> None:
        message.tries += 1
        message.visible_at = self.stage.now + HIDDEN
        message.receipt = receipt = self.stage.token()
        poisoned = queue.endswith(POISON)
        if message.text is None or (message.tries > MOST_TRIES and not poisoned):
            self._give_up(queue, message)
            return
        self.stage.note(f"{name} takes {queue} {message.text} (try {message.tries})")
        try:
            self.functions[queue](_made(message))
        except Exception as error:  # noqa: BLE001 - as the host does
            self.stage.note(f"{name} failed: {type(error).__name__}: {error}")
            self.failures.extend(f"{queue}: {name}" for name in names_of(error))
            if message.receipt == receipt and not poisoned:
                if message.tries >= MOST_TRIES:
                    self._give_up(queue, message)
                else:
                    message.visible_at = self.stage.now + VISIBILITY
        else:
            if message.receipt == receipt:
                self._delete(queue, message)

    def _give_up(self, queue: str, message: Message) -> None:
        if not queue.endswith(POISON):
            self.put(queue + POISON, message.text, lives=POISON_LIVES)
            self._delete(queue, message)

    def _delete(self, queue: str, message: Message) -> None:
        if message in self.queues.get(queue, []):
            self.queues[queue].remove(message)

    def _expire(self) -> None:
        for messages in self.queues.values():
            messages[:] = [message for message in messages if message.expires_at > self.stage.now]

    def timer(self, name: str, function: Callable[[Any], None], period: float) -> None:
        """Be one timer: call the function at every full `period`; what fails is called again at the next."""
        while True:
            due = (math.floor(self.stage.now / period) + 1) * period
            self.stage.wait(lambda due=due: due, idle=True)  # type: ignore[misc]
            try:
                function(SimpleNamespace(past_due=False))
            except Exception as error:  # noqa: BLE001 - as the host does
                self.stage.note(f"{name} failed: {type(error).__name__}: {error}")
                self.failures.extend(f"{name}: {kind}" for kind in names_of(error))
            else:
                self.ticks[name] = self.ticks.get(name, 0) + 1

    ticks: dict[str, int] = field(default_factory=dict)
    """How often each timer's function came to its end."""


def names_of(error: Exception) -> list[str]:
    """Name an error, or those that it groups."""
    if isinstance(error, ExceptionGroup):
        return [name for each in error.exceptions for name in names_of(each)]
    return [type(error).__name__]


def _made(message: Message) -> QueueMessage:
    made: QueueMessage = QueueMessage(id=str(message.number), body=message.text)  # type: ignore[no-untyped-call]
    return made


class Queues:
    """Plays QueueServiceClient: what the app sends."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def get_queue_client(self, queue: str, **_: object) -> Any:
        """Return the client of one queue."""
        host, name = self._host, str(queue)

        def send_message(text: str, *, visibility_timeout: int = 0, time_to_live: int = 0, **_: object) -> None:
            lives = math.inf if time_to_live == -1 else time_to_live or POISON_LIVES
            host.cloud.call(
                "queues", f"SEND {name} {text}", lambda: host.put(name, text, visibility_timeout, lives), repeats=True
            )

        def get_queue_properties() -> Any:
            count = len(host.queues.get(name, []))
            return host.cloud.call("queues", f"COUNT {name}", lambda: SimpleNamespace(approximate_message_count=count))

        return SimpleNamespace(send_message=send_message, get_queue_properties=get_queue_properties)

    def create_queue(self, queue: str) -> None:
        """Make a queue: all are there."""
