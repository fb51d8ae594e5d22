"""`python -m tests.way`: trace a contact, and print the files on its way in the order in which they are entered."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.way.journey import journey


def main() -> None:
    """Print the way, what is entered again, and who has the contact in hand beside the way."""
    with tempfile.TemporaryDirectory() as folder:
        way, run = journey(Path(folder))
    print(f"The run ended as {run.status}. {len(way.files)} files are on the way:\n")
    for chapter, files in way.chapters.items():
        for name, function in files.items():
            number = way.files.index(name) + 1
            print(f"{chapter:<8} {number:>3}  {name}  ({function})")
    print("\nEntered in several chapters:")
    for name, chapters in way.returned_to.items():
        print(f"  {name}: {', '.join(chapters)}")
    print("\nBehind a port, or carriers:")
    for name in way.aside:
        print(f"  {name}")


main()
