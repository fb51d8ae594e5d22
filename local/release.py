"""A release: package, compiled template, checksums, and the notes with the button *Deploy to Azure*."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from export_trigger.http.version import VERSION
from local.bicep import NotCompiled, template
from local.package import DIST, PackagingFailed, build, write_zip

FOLDER: Final = DIST / "release"
PACKAGE: Final = "segment-export.zip"
TEMPLATE: Final = "azuredeploy.json"
CHECKSUMS: Final = "checksums.txt"

BUTTON: Final = "https://portal.azure.com/#create/Microsoft.Template/uri/"
"""The portal reads a template from an address that lets pages of other origins read it; a release's own files do not."""


def compiled(package: str) -> dict[str, Any]:
    """Return the template with the package's address filled in; raise NotCompiled."""
    found: dict[str, Any] = json.loads(template())
    found["parameters"]["packageUri"]["defaultValue"] = package
    return found


def notes(repository: str, tag: str) -> str:
    """Return the notes of a release of `repository` (OWNER/NAME)."""
    address = f"https://raw.githubusercontent.com/{repository}/templates/{tag}.json"
    return f"""Segment export {VERSION}

[Deploy to Azure]({BUTTON}{quote(address, safe="")}): what to do before and after is in docs/deploy.md, *From a release, without azd*.
Changes that need a hand: docs/operate.md, *Upgrade*.

Check the files: `sha256sum --check {CHECKSUMS}` and `gh attestation verify {PACKAGE} --repo {repository}`.
"""


def checksums(folder: Path) -> str:
    """Return the SHA-256 of every file of a folder, as `sha256sum` writes and checks them."""
    files = sorted(path for path in folder.iterdir() if path.name != CHECKSUMS)
    return "".join(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files)


def main() -> int:
    """Make `dist/release`: package, template and notes; or the checksums of what is in it by then."""
    parser = argparse.ArgumentParser(prog="python -m local.release", description=main.__doc__)
    parser.add_argument("--repository", default="OWNER/REPOSITORY", help="where the release will lie")
    parser.add_argument("--tag", default=f"v{VERSION}", help="the release's tag")
    parser.add_argument("--checksums", action="store_true", help="write the checksums of what is in dist/release")
    given = parser.parse_args()
    try:
        if not given.checksums:
            return _release(given.repository, given.tag)
        (FOLDER / CHECKSUMS).write_text(checksums(FOLDER))
    except (NotCompiled, PackagingFailed) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _release(repository: str, tag: str) -> int:
    if tag != f"v{VERSION}":
        sys.stderr.write(
            f"The tag is {tag}, and the app says {VERSION}: correct pyproject.toml and version.py first.\n"
        )
        return 1
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    package = f"https://github.com/{repository}/releases/download/{tag}/{PACKAGE}"
    (FOLDER / TEMPLATE).write_text(json.dumps(compiled(package), indent=2) + "\n")
    build(DIST / "app")
    write_zip(DIST / "app", FOLDER / PACKAGE)
    (DIST / "notes.md").write_text(notes(repository, tag))
    return 0


if __name__ == "__main__":
    sys.exit(main())
