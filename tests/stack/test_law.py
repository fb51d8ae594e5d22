"""The law of the source, end to end: nobody leaves because of what was not understood, and the run says whom it left."""

from __future__ import annotations

from collections.abc import Callable

from local.world import SIMPLE, World, adds_up, people
from tests.stack.conftest import MakeWorld

EVERYBODY = [f"p{n}@example.com" for n in range(20)]


def publish(world: World, *emails: str | None, how: Callable[[str], str] = lambda line: line) -> None:
    """Publish the segment Team, each line of its file changed by `how`."""
    world.publish({"Team": people(*emails)})
    container, _, folder = world.stack.source_path.partition("/")
    client = world.source.get_container_client(container)
    name = max(client.list_blob_names(name_starts_with=f"{folder}/Team/"))
    lines = client.download_blob(name).readall().decode().splitlines(keepends=True)
    client.upload_blob(name, "".join(map(how, lines)), overwrite=True)


def test_removals_are_held_back_while_too_much_is_unread_and_made_by_the_next_clean_refresh(world: World) -> None:
    publish(world, *EVERYBODY)
    world.connect()
    world.save("team", segments=["Team"], mapping=SIMPLE)
    assert world.run("team")["counts"]["delivered"] == 20
    publish(world, *EVERYBODY[:18], "new@example.com", how=lambda line: "torn,\n" if "p3@" in line else line)
    held = world.run("team")
    assert (held["status"], held["reason"]) == ("Completed with warnings", "removals_held_back")
    assert (held["counts"]["held_back"], held["counts"]["leavers"], held["counts"]["joiners"]) == (3, 0, 1)
    assert (
        "Removals held back: 3, from 'Team', of whose 19 rows 1 (5.3%) could not be read, the first of them row "
        in held["advice"]
    )
    assert adds_up(held)
    assert world.members("Team") == {*EVERYBODY, "new@example.com"}
    publish(world, *EVERYBODY[:18], "new@example.com")
    assert world.run("team")["counts"]["removed"] == 2
    assert world.members("Team") == {*EVERYBODY[:18], "new@example.com"}


def test_a_member_whose_address_went_bad_stays_and_goes_with_her_row(world: World) -> None:
    publish(world, *EVERYBODY)
    world.connect()
    world.save("staying", segments=[{"segment": "Team", "list": "Staying"}], mapping=SIMPLE)
    world.run("staying")
    publish(world, *EVERYBODY[:17], "p17@@example.com", None)
    kept = world.run("staying")
    assert (kept["counts"]["kept"], kept["counts"]["removed"], kept["reason"]) == (2, 1, "rows_rejected")
    assert "Members kept: 2" in kept["advice"]
    assert world.members("Staying") == set(EVERYBODY[:19])
    publish(world, *EVERYBODY[:17])
    assert world.run("staying")["counts"]["removed"] == 2
    assert world.members("Staying") == set(EVERYBODY[:17])


def test_as_many_segments_as_can_be_saved_with_long_names_of_any_script_run(make_world: MakeWorld) -> None:
    world = make_world()
    names = [f"{n} {'Я' * 60}👩" for n in range(64)]
    world.publish({f"S{n}": people(f"p{n}@example.com") for n in range(64)})
    world.connect()
    targets = [{"segment": f"S{n}", "list": name} for n, name in enumerate(names)]
    world.save("many", segments=targets, mapping=SIMPLE)
    run = world.run("many")
    assert (run["status"], run["counts"]["joiners"]) == ("Successful", 64)
    assert [target["list"] for target in run["segments"]] == names
    assert world.members(names[63]) == {"p63@example.com"}
    assert world.run("many")["reason"] == "nothing_to_do"
