"""Every `az` command of the documents and scripts, run by the Azure CLI itself as far as its sign-in: `make az`.

A command that it does not understand ends in a usage error; one that it does asks for `az login`. Shell and substitutions are the
shell's own: blocks and scripts run with an `az` that writes down how it was called, and every other program standing still.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from local.bicep import template
from local.package import ROOT
from tests.infra.well import ENVIRONMENT, WELL

DOCUMENTS: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "console").glob("*.md")])
BLOCK: Final = re.compile(r"^( *)```sh\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
INLINE: Final = re.compile(r"`(az [a-z][^`]*)`")

RECORDER: Final = """#!{python}
import json, os, sys
if os.path.basename(sys.argv[0]) == "az":
    with open(os.environ["CALLS"], "a") as calls:
        calls.write(json.dumps(sys.argv[1:]) + "\\n")
command = " ".join(sys.argv[1:])
for words, answer in json.loads(os.environ["ANSWERS"]).items():
    if words in command:
        print(answer)
        break
else:
    print("00000000-0000-0000-0000-000000000000")
"""

LOCK: Final = (
    "/subscriptions/1/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v/providers/Microsoft.Authorization/locks/l"
)

ANSWERS: Final[Mapping[str, tuple[Mapping[str, str], ...]]] = {
    "check.sh": ({**WELL, "provider show": "NotRegistered"},),
    "grant.sh": ({"role assignment list": ""},),
    "register-application.sh": ({"ad app list": ""},),
}
"""What `az` says to a script, so that it comes to each of its commands."""


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield every command with the place where it stands."""
    with TemporaryDirectory() as folder:
        for document in DOCUMENTS:
            text = document.read_text()
            name = str(document.relative_to(ROOT))
            parts = [found[2] for found in BLOCK.finditer(text) if re.search(r"\baz ", found[2])]
            for part in [*parts, *INLINE.findall(BLOCK.sub("", text))]:
                yield from ((name, call) for call in _recorded(Path(folder), ["-c", part], {}))
        for script in sorted((ROOT / "infra").glob("*.sh")):
            for answers in ANSWERS.get(script.name, ({},)):
                name = str(script.relative_to(ROOT))
                yield from ((name, call) for call in _recorded(Path(folder), [str(script)], answers))


def _recorded(folder: Path, arguments: list[str], answers: Mapping[str, str]) -> list[list[str]]:
    """Return how a piece of shell calls `az`."""
    calls = folder / "calls"
    calls.write_text("")
    programs, desk = folder / "bin", folder / "desk"
    programs.mkdir(exist_ok=True)
    if not desk.exists():
        desk.mkdir()
        (desk / "infra").symlink_to(ROOT / "infra")
    for name in ("az", "azd", "make", "git", "curl", "rm", "sha256sum", "gh", "python3.13"):
        program = programs / name
        program.write_text(RECORDER.format(python=sys.executable))
        program.chmod(program.stat().st_mode | stat.S_IEXEC)
    for name in ("sh", "tr", "grep", "wc", "dirname", "sed", "cat", "echo"):
        if not (programs / name).exists():
            (programs / name).symlink_to(shutil.which(name) or name)
    environment = {**ENVIRONMENT, "SOURCE_RIGHT_ID": "/right", "PATH": str(programs), "CALLS": str(calls)}
    subprocess.run(
        [programs / "sh", *arguments],
        cwd=desk,
        env={**environment, "ANSWERS": json.dumps({**answers, "lock list": LOCK})},
        capture_output=True,
        check=False,
        timeout=60,
    )
    return [json.loads(line) for line in calls.read_text().splitlines()]


def fault(program: str, arguments: list[str], deployed: str) -> str | None:
    """Return what the Azure CLI has against a command; None if it would run it once somebody is signed in.

    `deployed` is the compiled template, which the command line reads before it signs in.
    """
    if arguments[0] == "login":  # it would open a browser: no more than its help can be asked
        arguments = [*arguments, "--help"]
    with TemporaryDirectory() as folder:
        for name in ("key", "key.txt", "address.txt"):
            (Path(folder) / name).write_text("x")
        (Path(folder) / "azuredeploy.json").write_text(deployed)
        (Path(folder) / "infra").symlink_to(ROOT / "infra")
        done = subprocess.run(
            [program, *arguments],
            cwd=folder,
            env={
                **os.environ,
                "AZURE_CONFIG_DIR": f"{folder}/azure",
                "AZURE_CORE_COLLECT_TELEMETRY": "false",
                "PYTHONWARNINGS": "ignore",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    if "az login" in done.stderr or (arguments[-1] == "--help" and done.returncode == 0):
        return None
    return (done.stderr or done.stdout).strip().splitlines()[0] if done.stderr or done.stdout else f"{done.returncode}"


def main() -> int:
    """Run every command with the program that is given; say which are wrong."""
    program = str(Path(sys.argv[1]).absolute())
    found: dict[str, tuple[str, list[str]]] = {json.dumps(call): (place, call) for place, call in commands()}
    with ThreadPoolExecutor(2) as pool:
        deployed = template()
        faults = list(pool.map(lambda item: fault(program, item[1], deployed), found.values()))
    wrong = [(place, call, said) for (place, call), said in zip(found.values(), faults, strict=True) if said]
    for place, call, said in wrong:
        sys.stderr.write(f"{place}: az {' '.join(call)}\n    {said}\n")
    sys.stdout.write(f"{len(found)} commands, {len(wrong)} wrong\n")
    return 1 if wrong or len(found) < 30 else 0


if __name__ == "__main__":
    sys.exit(main())
