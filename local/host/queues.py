"""Queue triggers, with the semantics of the real host's storage queue listener.

A message is hidden for ten minutes and its hiding renewed at half time while the function runs; success deletes it;
failure shows it again after `visibilityTimeout`, and moves it to the poison queue once it was dequeued
`maxDequeueCount` times. Text that is not base64 goes there at once. A poison queue's own message that fails stays hidden
for the rest of its ten minutes, each time, until it expires after seven days. Measured on Microsoft's listener
(docs/local-host.md).
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueClient, QueueMessage

from local.host import runtime
from local.host.configuration import QueueOptions, resolve
from local.host.runtime import Function, InvocationFailed

log = logging.getLogger(__name__)

LEASE_SECONDS: Final = 600.0
SHORTEST_POLL: Final = 0.1


class QueueTrigger:
    """Listens to one queue for one function, on one instance."""

    def __init__(self, function: Function, options: QueueOptions, timeout: float) -> None:
        self._function = function
        self._timeout = timeout
        self._retry = int(os.environ.get("LOCAL_HOST_RETRY_SECONDS", options.visibility_timeout))
        self._options = options
        self._lease = float(os.environ.get("LOCAL_HOST_LEASE_SECONDS", LEASE_SECONDS))
        connection = os.environ[function.trigger.get("connection") or "AzureWebJobsStorage"]
        name = resolve(function.trigger["queueName"])
        self._queue = QueueClient.from_connection_string(connection, name)
        self._poison = (
            None if name.endswith("-poison") else QueueClient.from_connection_string(connection, f"{name}-poison")
        )
        self._longest_poll = options.max_polling_interval
        if self._poison is None:
            self._longest_poll = float(os.environ.get("LOCAL_HOST_POISON_POLL_SECONDS", self._longest_poll))
        self._pool = ThreadPoolExecutor(options.most_parallel, thread_name_prefix=function.name)
        self._running = 0
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._listener = threading.Thread(target=self._listen, name=f"listen-{name}", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._listener.start()

    def stop(self) -> None:
        """Fetch no more."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()

    def close(self, deadline: float) -> None:
        """Let what runs come to its end; wait for the listener until a moment of the monotonic clock."""
        self._listener.join(max(0.0, deadline - time.monotonic()))
        self._pool.shutdown(wait=True, cancel_futures=True)
        for queue in (self._queue, self._poison):
            if queue is not None:
                queue.close()

    def _listen(self) -> None:
        pause = SHORTEST_POLL
        while not self._stopping.is_set():
            with self._changed:
                self._changed.wait_for(
                    lambda: self._running <= self._options.new_batch_threshold or self._stopping.is_set()
                )
            if self._stopping.is_set():
                return
            found = self._fetch()
            pause = SHORTEST_POLL if found else min(pause * 2, self._longest_poll)
            if not found:
                self._stopping.wait(pause)

    def _fetch(self) -> int:
        """Fetch a batch and hand it to the pool; return how many messages there were."""
        count = 0
        try:
            for message in self._queue.receive_messages(
                max_messages=self._options.batch_size, visibility_timeout=int(self._lease)
            ):
                count += 1
                with self._changed:
                    self._running += 1
                self._pool.submit(self._handle, message)
        except ResourceNotFoundError:
            self._create(self._queue)
        except AzureError as error:
            log.warning("%s: the queue cannot be read: %s", self._function.name, type(error).__name__)
            self._stopping.wait(1)
        return count

    def _handle(self, message: QueueMessage) -> None:
        try:
            self._process(message)
        except AzureError as error:
            log.warning("%s: a message could not be settled: %s", self._function.name, type(error).__name__)
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _process(self, message: QueueMessage) -> None:
        body = _decoded(message)
        if body is None:
            log.warning("%s: a message is not base64", self._function.name)
        worn_out = self._poison is not None and (message.dequeue_count or 0) > self._options.max_dequeue_count
        if body is None or worn_out:
            self._to_poison(message)
            return
        with _Renewal(self._queue, message, self._lease) as renewal:
            ok = self._run(message, body)
        if ok:
            self._settle(message, renewal.receipt)
        elif self._poison is None:
            return  # stays hidden for what is left of its ten minutes
        elif (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            self._to_poison(message, renewal.receipt)
        else:
            self._queue.update_message(message.id, renewal.receipt, visibility_timeout=self._retry)

    def _run(self, message: QueueMessage, body: str) -> bool:
        metadata = {
            "Id": runtime.text(message.id),
            "DequeueCount": runtime.text(str(message.dequeue_count)),
            "ExpirationTime": runtime.as_json(_moment(message.expires_on)),
            "InsertionTime": runtime.as_json(_moment(message.inserted_on)),
            "NextVisibleTime": runtime.as_json(_moment(message.next_visible_on)),
            "PopReceipt": runtime.text(str(message.pop_receipt)),
        }
        limit = threading.Timer(self._timeout, _end_worker, [self._function.name])
        limit.daemon = True
        limit.start()
        try:
            runtime.invoke(self._function, runtime.text(body), metadata)
        except InvocationFailed as error:
            log.error("%s failed (dequeue count %s): %s", self._function.name, message.dequeue_count, error)
            return False
        finally:
            limit.cancel()
        return True

    def _settle(self, message: QueueMessage, receipt: str) -> None:
        """Delete a message; if somebody else has it by now, it simply runs again."""
        try:
            self._queue.delete_message(message.id, receipt)
        except AzureError:
            log.debug("%s: a message was taken by somebody else", self._function.name)

    def _to_poison(self, message: QueueMessage, receipt: str | None = None) -> None:
        if self._poison is None:
            return  # stays hidden for its ten minutes
        try:
            self._poison.send_message(message.content)  # lives for seven days, the service's default
        except ResourceNotFoundError:
            self._create(self._poison)
            self._poison.send_message(message.content)
        log.warning("%s: a message went to the poison queue", self._function.name)
        self._settle(message, receipt or str(message.pop_receipt))

    def _create(self, queue: QueueClient) -> None:
        try:
            queue.create_queue()
        except ResourceExistsError:
            return


class _Renewal:
    """Keeps a message hidden while its function runs."""

    def __init__(self, queue: QueueClient, message: QueueMessage, lease: float) -> None:
        self._queue = queue
        self._message = message
        self._lease = lease
        self._over = threading.Event()
        self.receipt = str(message.pop_receipt)
        self._thread = threading.Thread(target=self._renew, daemon=True)

    def __enter__(self) -> _Renewal:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _renew(self) -> None:
        started = time.monotonic()
        while not self._over.wait(self._lease / 2):
            try:
                renewed = self._queue.update_message(
                    self._message.id, self.receipt, visibility_timeout=int(self._lease)
                )
                self.receipt = str(renewed.pop_receipt)
            except AzureError as error:
                age = time.monotonic() - started
                log.warning("a message's hiding could not be renewed after %.0f s: %s", age, type(error).__name__)
                return


def _end_worker(function: str) -> None:
    """Do what the platform does when a function takes too long: the whole worker goes, with all that it runs."""
    log.critical("%s took longer than functionTimeout: the worker ends", function)
    os._exit(1)


def _decoded(message: QueueMessage) -> str | None:
    """Return a message's text, or None if it is not base64 of UTF-8."""
    try:
        return base64.b64decode(message.content, validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _moment(value: object) -> str | None:
    return value.isoformat() if hasattr(value, "isoformat") else None
