"""What each combination of switches makes: `python -m tests.infra.switches` writes the lists beside the parameters anew.

With `--audit FOLDER` every resource is written there as a template without conditions, loops and modules: what `make audit` gives
to checkov, which sees nothing in a compiled template of modules.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from local.bicep import ABSENT, find
from tests.infra.compiler import SWITCHES, Compiler, Deployment
from tests.infra.deployed import NAMES, listed

SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"


def main() -> int:
    """Write the lists, or the flat templates."""
    parser = argparse.ArgumentParser(prog="python -m tests.infra.switches", description=main.__doc__)
    parser.add_argument("--audit", type=Path, metavar="FOLDER", help="write flat templates there instead")
    given = parser.parse_args()
    program = find()
    if program is None:
        sys.stderr.write(f"{ABSENT}\n")
        return 1
    with TemporaryDirectory() as folder, Compiler(program, Path(folder)) as bicep:
        for name in NAMES:
            if given.audit:
                given.audit.mkdir(parents=True, exist_ok=True)
                (given.audit / f"{name}.json").write_text(_flat(bicep.switched(name)))
            else:
                (SWITCHES / f"{name}.txt").write_text("\n".join([*listed(bicep.switched(name)), ""]))
    return 0


def _flat(made: Deployment) -> str:
    resources = [dict(found.body) for found in made.resources]
    return json.dumps({"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": resources}, indent=2)


if __name__ == "__main__":
    sys.exit(main())
