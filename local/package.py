"""`python -m local.package`: the package that runs in Azure as it is, with everything the app needs in it.

Dependencies are Linux wheels of the locked versions, on whatever machine this runs, and nothing is built in Azure: a build
there has been seen to run on another Python than the app's (github.com/Azure/azure-dev/issues/8538). They come compiled,
since an instance starts from a read-only package and would compile them again each time. `azure-functions-runtime` is in
it because requirements.txt pins it: then Azure runs the version that we test with.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import zipfile
from collections.abc import Container, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

ROOT: Final = Path(__file__).parents[1]
DIST: Final = ROOT / "dist"

SITE_PACKAGES: Final = Path(".python_packages/lib/site-packages")
"""Where the Functions worker looks for dependencies."""

PLATFORM: Final = "x86_64-manylinux_2_28"
"""Flex Consumption's: its image has glibc 2.36."""

WWWROOT: Final = "/home/site/wwwroot"
"""Where Azure puts the package; compiled files name it in tracebacks."""

FILES: Final = ("function_app.py", "host.json", "requirements.txt")
"""The files of the project's root that are deployed."""

FOLDERS: Final[Mapping[str, Container[str]]] = {
    "console": {".css", ".html", ".js", ".svg"},
    "export_trigger": {".py"},
    "export_worker": {".py"},
    "shared": {".py"},
}
"""The folders that are deployed, and the kinds of files in them. `.funcignore` says the same to other tools."""

KEEP_ALL: Final = "# Empty, so that azd leaves nothing out: by default it would drop the compiled files.\n"

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_IMPORT: Final = """
import sys, time
sys.path.insert(0, sys.argv[1])
sys.path.append(sys.argv[2])
started = time.perf_counter()
import function_app
print(time.perf_counter() - started)
"""


class PackagingFailed(Exception):
    """The package cannot be made; the text is the tool's own."""


def build(folder: Path, *, root: Path = ROOT, dependencies: bool = True) -> None:
    """Lay the package out in `folder`, which is made anew; raises PackagingFailed."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in app_files(root):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / path, target)
    if dependencies:
        install(root / "requirements.txt", folder / SITE_PACKAGES)
    compile_all(folder)
    (folder / ".funcignore").write_text(KEEP_ALL)


def app_files(root: Path) -> Iterator[Path]:
    """Yield the app's own files, relative to `root`, in order: what is named here and nothing else.

    Whatever else lies in the project, such as a list of customers or a key, is never deployed, wherever it lies.
    """
    yield from (Path(name) for name in FILES)
    for folder, suffixes in FOLDERS.items():
        for path in sorted((root / folder).rglob("*")):
            below = path.relative_to(root)
            is_hidden = any(part.startswith(".") or part == "__pycache__" for part in below.parts)
            if path.is_file() and not path.is_symlink() and path.suffix in suffixes and not is_hidden:
                yield below


def install(requirements: Path, target: Path) -> None:
    """Install the locked dependencies, as wheels for Azure; raises PackagingFailed."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for_azure = ["--python-version", version, "--python-platform", PLATFORM, "--only-binary", ":all:"]
    where = ["--link-mode", "copy", "--target", str(target), "--require-hashes", "--requirement", str(requirements)]
    _run([sys.executable, "-m", "uv", "pip", "install", "--quiet", *for_azure, *where])
    shutil.rmtree(target / "bin", ignore_errors=True)
    (target / ".lock").unlink(missing_ok=True)


def compile_all(folder: Path) -> None:
    """Compile every module, the same bytes each time and on each machine; raises PackagingFailed."""
    where = ["-s", str(folder), "-p", WWWROOT, "--invalidation-mode", "unchecked-hash"]
    _run([sys.executable, "-m", "compileall", "-q", *where, str(folder)], {**os.environ, "PYTHONHASHSEED": "0"})


def write_zip(folder: Path, archive: Path) -> None:
    """Write the package as a zip file: names in order, one time for all."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != ".funcignore")
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as zipped:
        for path in files:
            entry = zipfile.ZipInfo(path.relative_to(folder).as_posix(), _EPOCH)
            entry.external_attr = 0o100644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            zipped.writestr(entry, path.read_bytes())


def import_seconds(folder: Path) -> float:
    """Measure how long a new process takes to import `function_app` from the package alone; raises PackagingFailed."""
    paths = [str(folder / SITE_PACKAGES), str(folder)]
    return statistics.median(float(_run([*bare_python(), "-c", _IMPORT, *paths])) for _ in range(3))


def bare_python() -> list[str]:
    """Return the Python command that sees nothing but its standard library."""
    return [getattr(sys, "_base_executable", sys.executable), "-I", "-S", "-B"]


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PackagingFailed((done.stderr or done.stdout).strip())
    return done.stdout


def main() -> int:
    """Make `dist/app`, which `azd` deploys, and the same as a zip file; say how large it is and how fast it starts."""
    argparse.ArgumentParser(prog="python -m local.package", description=main.__doc__).parse_args()
    console = Console(highlight=False)
    folder, archive = DIST / "app", DIST / "segment-export.zip"
    try:
        build(folder)
        write_zip(folder, archive)
        seconds = import_seconds(folder)
    except PackagingFailed as error:
        console.print(f"The package cannot be made: {error}", markup=False)
        return 1
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    console.print(f"{archive.relative_to(ROOT)}: {archive.stat().st_size / 1e6:.1f} MB ({size / 1e6:.0f} MB unpacked)")
    console.print(f"import of function_app in a new process: {seconds:.2f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
