"""Runs that nobody starts by hand, and runs whose processes die."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from azure.storage.blob import BlobServiceClient
from azure.storage.queue import QueueServiceClient, TextBase64EncodePolicy

from export_worker.deliver_chunk import PROOF_SECONDS
from local.eventually import eventually
from local.source_proxy import SourceProxy
from local.world import SIMPLE, World, adds_up, people
from tests.stack.conftest import MakeWorld


def test_saving_does_not_run_a_refresh_does_once(make_world: MakeWorld) -> None:
    world = make_world(settings={"EXPORT_SCHEDULE": "*/1 * * * * *"})
    world.publish({"Team": people("a@example.com")})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE)
    world.ticked()
    assert world.runs("team") == []
    world.publish({"Team": people("a@example.com", "b@example.com")})
    run = world.next_run("team")
    assert (run["trigger"], run["status"]) == ("refresh", "Successful")
    assert world.members("Team") == {"a@example.com", "b@example.com"}
    world.ticked()
    assert len(world.runs("team")) == 1


def test_a_cron_schedule_runs_at_its_time(make_world: MakeWorld) -> None:
    world = make_world(settings={"EXPORT_SCHEDULE": "*/2 * * * * *"})
    world.publish({"Team": people("a@example.com")})
    world.connect()
    schedule = {"on": "cron", "cron": "* * * * *", "time_zone": "Asia/Kathmandu"}
    world.save("team", segments=["Team"], mapping=SIMPLE, schedule=schedule)
    run = world.next_run("team")
    assert (run["trigger"], run["status"]) == ("cron", "Successful")


def test_history_goes_when_its_time_is_over(make_world: MakeWorld) -> None:
    world = make_world(
        settings={"EXPORT_SCHEDULE": "*/1 * * * * *", "HISTORY_DAYS": "0.00003", "REJECTED_DAYS": "0.00001"}
    )
    world.publish({"Team": people("a@example.com", "nobody")})
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE, schedule={"on": "off"})
    run = world.run("team")
    eventually(lambda: world.runs("team"), lambda runs: not runs)
    assert world.refused("GET", f"exports/team/runs/{run['id']}/rejected").status == 404
    assert world.run("team")["counts"]["unchanged"] == 1  # what was delivered is not forgotten


def test_a_run_whose_hosts_are_killed_again_and_again_ends_exactly(make_world: MakeWorld) -> None:
    world = make_world(settings={"LOCAL_HOST_LEASE_SECONDS": "2", "LOCAL_HOST_TIMER_LOCK_SECONDS": "2"}, instances=2)
    everybody = [f"p{n}@example.com" for n in range(2500)]
    world.publish({"All": people(*everybody)})
    world.connect(rate_limit=400)
    world.save("all", segments=["All"], mapping=SIMPLE)
    run = world.start("all")
    for turn in range(4):
        goes_on(world, len(everybody))
        world.stack.restart_host(turn % 2)
    ended = world.wait("all", run)
    assert ended["status"] == "Successful"
    assert adds_up(ended)
    assert ended["counts"]["delivered"] == ended["counts"]["joiners"] == 2500
    assert world.members("All") == set(everybody)
    world.reset_statistics()
    assert world.run("all")["reason"] == "nothing_to_do"
    assert world.look("stats")["writes"] == 0


def goes_on(world: World, everybody: int) -> None:
    """Wait until the list has more members than now, or all of them.

    A host that was killed while it proved what fills lists keeps the others from it for as long as a proof may take.
    """
    there = len(world.members("All"))
    seconds = PROOF_SECONDS + 90
    eventually(
        lambda: len(world.members("All")), lambda count: count > min(there, everybody - 1), seconds=seconds, every=0.1
    )


def test_messages_that_come_again_plan_and_deliver_once_and_do_nothing_after_the_end(make_world: MakeWorld) -> None:
    """Several planners of one run, several workers on one chunk, and copies that wake up when all is over."""
    world = make_world(instances=2)
    everybody = [f"p{n}@example.com" for n in range(1200)]
    world.publish({"All": people(*everybody)})
    world.connect(rate_limit=400)
    world.save("all", segments=["All"], mapping=SIMPLE)
    with QueueServiceClient.from_connection_string(world.stack.storage) as service:
        run = world.start("all")
        messages = {
            "export-runs": [{"export": "all", "run": run}] * 4,
            "export-chunks": [{"export": "all", "run": run, "chunk": f"{n:06d}"} for n in (1, 2, 3)] * 2,
        }
        send(service, "export-runs", messages["export-runs"])
        eventually(lambda: world.members("All"), every=0.05)
        send(service, "export-chunks", messages["export-chunks"])
        ended = world.wait("all", run)
        assert ended["status"] == "Successful"
        assert adds_up(ended)
        assert ended["counts"]["delivered"] == ended["counts"]["joiners"] == 1200
        assert world.members("All") == set(everybody)
        world.rests()
        world.reset_statistics()
        for queue, copies in messages.items():
            send(service, queue, copies)
        world.rests()
        assert world.look("stats")["requests"] == 0
        assert world.api.get(f"exports/all/runs/{run}") == ended
    with BlobServiceClient.from_connection_string(world.stack.storage) as blobs:
        for container in ("chunks", "outcomes"):
            assert list(blobs.get_container_client(container).list_blob_names()) == []


def send(service: QueueServiceClient, queue: str, messages: Sequence[Mapping[str, str]]) -> None:
    client = service.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
    for message in messages:
        client.send_message(json.dumps(message))


def test_after_everything_was_killed_work_goes_on_by_itself(make_world: MakeWorld) -> None:
    """The platform's rules are in force, and supervision does not wait for messages.

    The dead workers' messages stay hidden for ten minutes, and nobody supervises until the dead host's lock runs out: here
    after ten seconds. (That the platform's minute is kept too is played in tests/simulation.)
    """
    rules = {"LOCAL_HOST_LEASE_SECONDS": "600", "LOCAL_HOST_TIMER_LOCK_SECONDS": "10", "GRACE_SECONDS": "10"}
    world = make_world(settings=rules, instances=2)
    everybody = [f"p{n}@example.com" for n in range(1500)]
    world.publish({"All": people(*everybody)})
    world.connect(rate_limit=150)
    world.save("all", segments=["All"], mapping=SIMPLE)
    run = world.start("all")
    eventually(lambda: world.members("All"), every=0.1)
    for host in world.stack.hosts:
        host.kill()
    for host in world.stack.hosts:
        host.start()
    restarted = World(world.stack)
    ended = restarted.wait("all", run, seconds=300)
    restarted.close()
    assert ended["status"] == "Successful"
    assert adds_up(ended)
    assert world.members("All") == set(everybody)


def test_one_run_at_a_time_and_cancel_stops_between_chunks(make_world: MakeWorld) -> None:
    """Of ten chunks a host has six in work at most: when the first is done, others have not begun."""
    world = make_world()
    world.publish({"All": people(*(f"p{n}@example.com" for n in range(5000)))})
    world.connect(rate_limit=300)
    world.save("all", segments=["All"], mapping=SIMPLE)
    run = world.start("all")
    refused = world.refused("POST", "exports/all/runs")
    assert (refused.status, refused.code, refused.content["run"]) == (409, "run_in_progress", run)
    eventually(lambda: world.look_at("all", run)["counts"]["delivered"], every=0.1)
    world.api.post(f"exports/all/runs/{run}/cancel")
    ended = world.wait("all", run)
    assert (ended["status"], ended["reason"]) == ("Canceled", "canceled_by_user")
    assert adds_up(ended)
    assert ended["counts"]["undelivered"] > 0
    assert len(world.members("All")) == ended["counts"]["delivered"]
    world.connect(rate_limit=5000)
    rest = world.run("all")
    assert rest["counts"]["delivered"] == ended["counts"]["undelivered"]
    assert len(world.members("All")) == 5000


def test_a_run_that_is_canceled_before_its_plan_counts_nothing_and_the_next_one_delivers_all(
    make_world: MakeWorld,
) -> None:
    """The source is away, so the plan cannot come first, however busy or idle the machine is."""
    with SourceProxy() as proxy:
        world = make_world(settings={"CustomerInsightsStorage": proxy.connection_string}, own_storage=True)
        assert world.stack.azurite is not None
        proxy.upstream = world.stack.azurite.blob_port
        world.publish({"All": people(*(f"p{n}@example.com" for n in range(30)))})
        world.connect()
        world.save("all", segments=["All"], mapping=SIMPLE)
        proxy.strike("busy", "/All_1.csv")
        run = world.start("all")
        world.api.post(f"exports/all/runs/{run}/cancel")
        ended = world.wait("all", run)
        assert (ended["status"], ended["reason"]) == ("Canceled", "canceled_by_user")
        assert adds_up(ended)
        assert set(ended["counts"].values()) == {0}
        proxy.strike("none")
        assert world.run("all")["counts"]["delivered"] == 30
        assert world.api.get(f"exports/all/runs/{run}") == ended


def test_several_exports_share_one_accounts_pace(make_world: MakeWorld) -> None:
    world = make_world(instances=2)
    segments = {f"S{n}": people(*(f"s{n}p{m}@example.com" for m in range(80))) for n in range(3)}
    world.publish(segments)
    world.connect(rate_limit=30)
    for name in segments:
        world.save(name.lower(), segments=[name], mapping=SIMPLE)
    # Three of their own would come at 90 a second; what a busy machine delays, and so bunches, is not held against them.
    world.turn(rate=33, burst=20)
    world.reset_statistics()
    runs = {name: world.start(name.lower()) for name in segments}
    for name, run in runs.items():
        assert world.wait(name.lower(), run)["status"] == "Successful"
        assert len(world.members(name)) == 80
    seen = world.look("stats")
    assert seen["throttled"] <= seen["requests"] * 0.005
    assert max(seen["seconds"].values()) <= 30 + 20
