"""The local Functions host: Microsoft's runtime, with the real host's semantics around it."""

from __future__ import annotations

import base64
import json
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
import requests
from azure.storage.blob import BlobServiceClient

from local.processes import NotReady
from local.warm import Shared
from tests.local.hosts import APP, POISON, Hosts


@pytest.fixture
def hosts(tmp_path: Path, shared_parts: Shared) -> Iterator[Hosts]:
    with ExitStack() as parts:
        yield Hosts(tmp_path, shared_parts, parts)


def test_http_goes_through_the_runtime_with_its_parts_whole(hosts: Hosts) -> None:
    url = hosts.start().ready["url"]
    answer = requests.post(
        f"{url}/echo/a%20b?x=1",
        data="päyload".encode(),
        headers={"x-functions-key": "sesame", "x-head": "h"},
        timeout=60,
    )
    assert (answer.status_code, answer.headers["X-Back"]) == (201, "yes")
    assert answer.json() == {"name": "a b", "query": {"x": "1"}, "body": "päyload", "head": "h"}


def test_levels_of_authorisation(hosts: Hosts) -> None:
    url = hosts.start().ready["url"]
    assert requests.get(f"{url}/open", timeout=60).text == "in"
    refused = requests.post(f"{url}/echo/x", timeout=60)
    assert (refused.status_code, refused.content) == (401, b"")
    assert requests.post(f"{url}/echo/x", headers={"x-functions-key": "wrong"}, timeout=60).status_code == 401
    assert requests.post(f"{url}/echo/x?code=sesame", timeout=60).status_code == 201
    assert requests.get(f"{url}/echo/x?code=sesame", timeout=60).status_code == 405
    assert requests.get(f"{url}/nothing", timeout=60).status_code == 404


def test_a_function_that_raises_answers_500_and_says_nothing(hosts: Hosts) -> None:
    url = hosts.start().ready["url"]
    answer = requests.get(f"{url}/fails?code=sesame", timeout=60)
    assert (answer.status_code, answer.content) == (500, b"")


def test_a_message_that_fails_comes_back_and_goes_to_poison_at_last(hosts: Hosts) -> None:
    hosts.send("bad")
    hosts.send("good")
    hosts.start()
    hosts.until(hosts.poison)
    assert [note["count"] for note in hosts.notes("work") if note["text"] == "bad"] == [1, 2, 3]
    assert [note["count"] for note in hosts.notes("work") if note["text"] == "good"] == [1]
    assert [base64.b64decode(text) for text in hosts.poison()] == [b"bad"]


def test_a_message_that_is_not_base64_goes_to_poison_at_its_first_delivery(hosts: Hosts) -> None:
    """H4: the function is never called, and the others of the batch run."""
    hosts.send("{not base64}", encoded=False)
    hosts.send("good")
    hosts.start(LOCAL_HOST_RETRY_SECONDS="3600")  # a second try would come in an hour
    hosts.until(lambda: hosts.poison() and hosts.notes("work"))
    assert [note["text"] for note in hosts.notes("work")] == ["good"]


def test_a_message_that_came_too_often_goes_to_poison_without_a_call(hosts: Hosts) -> None:
    """H5."""
    hosts.send("worn")
    client = hosts.queues.get_queue_client(hosts.queue)
    for _ in range(3):
        message = next(iter(client.receive_messages(visibility_timeout=1)))
        client.update_message(message, visibility_timeout=0)
    hosts.start()
    hosts.until(hosts.poison)
    assert hosts.notes("work") == []


def test_a_poison_message_lives_for_seven_days(hosts: Hosts) -> None:
    """H3."""
    hosts.send("bad")
    hosts.start()
    hosts.until(hosts.poison)
    found = hosts.queues.get_queue_client(f"{hosts.queue}-poison").peek_messages()[0]
    assert found.expires_on is not None
    assert found.inserted_on is not None
    assert found.expires_on - found.inserted_on == timedelta(days=7)


def test_a_poison_function_that_fails_is_called_again_when_its_hiding_ends_without_an_end(hosts: Hosts) -> None:
    """H6, with a hiding of one second instead of ten minutes: also beyond the number of deliveries that ends others."""
    (hosts.folder / "function_app.py").write_text(textwrap.dedent(APP) + POISON)
    hosts.send("bad")
    hosts.start(LOCAL_HOST_LEASE_SECONDS="1")
    hosts.until(lambda: len(hosts.notes("bury")) >= 5)
    assert [note["count"] for note in hosts.notes("bury")][:5] == [1, 2, 3, 4, 5]


def test_a_host_told_to_stop_lets_what_runs_come_to_its_end(hosts: Hosts) -> None:
    """H9: it fetches no more; what it did not begin stays in the queue."""
    for number in range(20):
        hosts.send(f"m{number}:2")
    server = hosts.start()
    hosts.until(lambda: hosts.notes("work"))
    server.stop()
    begun = len(hosts.notes("work"))
    left = hosts.queues.get_queue_client(hosts.queue).get_queue_properties().approximate_message_count
    assert begun + (left or 0) == 20
    assert begun < 20


def test_no_more_messages_run_at_once_than_host_json_allows(hosts: Hosts) -> None:
    for number in range(9):
        hosts.send(f"m{number}:0.3")
    hosts.start()
    hosts.until(lambda: len(hosts.notes("work")) == 9)
    assert max(note["running"] for note in hosts.notes("work")) <= 3


def test_a_long_function_keeps_its_message_hidden(hosts: Hosts) -> None:
    hosts.send("slow:5")
    hosts.start()
    hosts.start("2")
    hosts.until(lambda: hosts.notes("work"))
    hosts.until(hosts.is_empty)
    assert [note["count"] for note in hosts.notes("work")] == [1]


def test_a_killed_hosts_message_comes_back_to_another(hosts: Hosts) -> None:
    hosts.send("held:60")
    first = hosts.start()
    hosts.until(lambda: hosts.notes("work"))
    first.kill()
    second = hosts.start("2")
    hosts.until(lambda: len(hosts.notes("work")) == 2)
    assert [note["count"] for note in hosts.notes("work")] == [1, 2]
    second.kill()  # told to stop, it would let the function come to its end


def test_one_host_holds_a_timer_for_as_long_as_it_lives(hosts: Hosts) -> None:
    """T4."""
    hosts.start("1", SCHEDULE="*/1 * * * * *")
    hosts.until(lambda: hosts.notes("tick"))
    hosts.start("2", SCHEDULE="*/1 * * * * *")
    hosts.until(lambda: len(hosts.notes("tick")) >= 8)
    assert {note["instance"] for note in hosts.notes("tick")} == {"1"}


def test_after_the_holder_was_killed_the_timer_rests_until_its_lock_runs_out(hosts: Hosts) -> None:
    """T5, with a lock of three seconds instead of sixty: no occurrence is called while the dead host's lock stands."""
    settings = {"SCHEDULE": "*/1 * * * * *", "LOCAL_HOST_TIMER_LOCK_SECONDS": "3"}
    holder = hosts.start("1", **settings)
    hosts.until(lambda: hosts.notes("tick"))
    hosts.start("2", **settings)
    holder.kill()
    last = hosts.notes("tick")[-1]["at"]
    hosts.until(lambda: hosts.notes("tick")[-1]["instance"] == "2")
    first = next(note["at"] for note in hosts.notes("tick") if note["instance"] == "2")
    assert first - last > 2  # the lock is renewed each second, so it stands two seconds more at least


def test_a_host_that_stops_in_good_order_passes_the_timer_on(hosts: Hosts) -> None:
    settings = {"SCHEDULE": "*/1 * * * * *", "LOCAL_HOST_TIMER_LOCK_SECONDS": "3"}
    holder = hosts.start("1", **settings)
    hosts.until(lambda: hosts.notes("tick"))
    holder.stop()
    hosts.start("2", **settings)
    hosts.until(lambda: hosts.notes("tick")[-1]["instance"] == "2")


def test_a_call_that_outlasts_occurrences_is_followed_by_the_next_at_once(hosts: Hosts) -> None:
    """T1: never two together, not past due."""
    hosts.start("1", SCHEDULE="*/2 * * * * *", TICK_SECONDS="2.5")
    hosts.until(lambda: len(hosts.notes("tick")) >= 3)
    begun = [note["at"] for note in hosts.notes("tick")]
    ended = [note["at"] for note in hosts.notes("tock")]
    assert all(0 <= later - earlier < 1 for earlier, later in zip(ended, begun[1:], strict=False))
    assert not any(note["past_due"] for note in hosts.notes("tick"))


def test_an_occurrence_that_was_missed_runs_past_due_once(hosts: Hosts) -> None:
    """T2."""
    remember(hosts, "2020-06-01T00:00:00+00:00", schedule="0 0 0 1 1 *")
    hosts.start("2", SCHEDULE="0 0 0 1 1 *")
    hosts.until(lambda: hosts.notes("tock"))
    hosts.until(lambda: "2020" not in status_of(hosts))
    assert [note["past_due"] for note in hosts.notes("tick")] == [True]


def test_a_schedule_denser_than_a_minute_remembers_nothing(hosts: Hosts) -> None:
    """T3: nothing is past due after a pause, the next occurrence is an ordinary one."""
    remember(hosts, "2020-06-01T00:00:00+00:00", schedule="*/20 * * * * *")
    hosts.start("2", SCHEDULE="*/3 * * * * *")
    hosts.until(lambda: hosts.notes("tick"))
    assert not any(note["past_due"] for note in hosts.notes("tick"))


def remember(hosts: Hosts, last: str, schedule: str) -> None:
    """Have the timer remember a last occurrence, as a host that stopped then would have left it."""
    hosts.start("1", SCHEDULE=schedule).stop()
    with (
        BlobServiceClient.from_connection_string(hosts._storage) as service,
        service.get_blob_client("azure-webjobs-hosts", "timers/local/tick/status") as status,
    ):
        status.upload_blob(json.dumps({"last": last}), overwrite=True)


def status_of(hosts: Hosts) -> str:
    with (
        BlobServiceClient.from_connection_string(hosts._storage) as service,
        service.get_blob_client("azure-webjobs-hosts", "timers/local/tick/status") as status,
    ):
        return status.download_blob().readall().decode()


def test_a_setting_that_is_missing_is_named(hosts: Hosts) -> None:
    (hosts.folder / "function_app.py").write_text(APP.replace("%QUEUE%", "%NOT_SET%"))
    with pytest.raises(NotReady, match="set NOT_SET"):
        hosts.start()


def test_an_app_that_does_not_load_says_why(hosts: Hosts) -> None:
    (hosts.folder / "function_app.py").write_text("import not_a_module_at_all\n")
    with pytest.raises(NotReady, match="not_a_module_at_all"):
        hosts.start()
