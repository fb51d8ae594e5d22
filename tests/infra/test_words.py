"""The glossary of docs/architecture.md: few words, each with one meaning, and each a word of the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
GLOSSARY: Final = (ROOT / "docs/architecture.md").read_text().partition("\n## Words")[2].partition("\n## ")[0]
WORDS: Final = re.findall(r"^\| ([a-z ]+) \| \S", GLOSSARY, re.MULTILINE)[1:]
CODE: Final = "\n".join(
    path.read_text()
    for folder in ("shared", "export_trigger", "export_worker")
    for path in (ROOT / folder).rglob("*.py")
)


def test_there_are_at_most_thirty_words_each_explained_once() -> None:
    assert 20 < len(WORDS) <= 30
    assert len(set(WORDS)) == len(WORDS)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_is_used_by_the_code(word: str) -> None:
    """As a name, or a part of one: `held_back`, `DigestKey`, `list_id`."""
    name = word.replace(" ", "_")
    assert re.search(rf"\b(?:\w*_)?{name}s?(?:_\w*)?\b|\b(?:\w*[a-z])?{name.capitalize()}s?(?:[A-Z]\w*)?\b", CODE)


@pytest.mark.parametrize("folder", ["shared", "export_trigger", "export_worker", "cli", "local", "bench", "tests"])
def test_a_docstring_says_return_where_something_is_returned(folder: str) -> None:
    """The field's words: "Return ...", not "Give ..." or "Say ..."."""
    old = re.compile(r'"""(?:(?:Gives?|Says?|Tells? whether) |[^"\n]*(?:;|\band) gives? )')
    files = list((ROOT / folder).rglob("*.py"))
    assert files
    assert [path.name for path in files if path != Path(__file__) and old.search(path.read_text())] == []
