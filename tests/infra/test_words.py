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
