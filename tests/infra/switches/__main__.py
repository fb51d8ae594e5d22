"""Write what each combination of switches makes beside its parameters, anew: `python -m tests.infra.switches`."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.infra.compiler import ABSENT, SWITCHES, Compiler, find
from tests.infra.test_templates import NAMES, listed


def main() -> int:
    """Write the lists."""
    program = find()
    if program is None:
        sys.stderr.write(f"{ABSENT}\n")
        return 1
    with TemporaryDirectory() as folder, Compiler(program, Path(folder)) as bicep:
        for name in NAMES:
            (SWITCHES / f"{name}.txt").write_text("\n".join([*listed(bicep.switched(name)), ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
