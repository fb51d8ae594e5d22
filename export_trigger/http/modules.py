"""ES modules as one: a browser asks once, and each answer of a function app is paid for.

No parser of JavaScript is needed, since modules keep to the few forms of console/README.md, and another form is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

_IMPORT: Final = re.compile(
    r'^import (?:\{(?:\s*[\w$]+\s*,)*(?:\s*[\w$]+)?\s*\} from )?"\./([\w-]+\.js)";\n', re.MULTILINE
)
_EXPORT: Final = re.compile(r"^export (?=(?:async function|function|class|const|let)\b)", re.MULTILINE)
_OTHER: Final = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)

_REMARK: Final = re.compile(r"^ */\*\*.*?\*/\n| ?/\*\*.*?\*/", re.DOTALL | re.MULTILINE)
"""Remarks for readers of the source: types and sentences, a third of all that would be sent."""


_INDENT: Final = re.compile(r"^ +", re.MULTILINE)


class ModuleWrong(Exception):
    """A module has a form that cannot be joined; the text says which and where."""


def join(entry: str, sources: Mapping[str, str]) -> str:
    """Return the module `entry` with all that it imports before it, as one module; `sources` holds text by file name.

    Raise ModuleWrong for an import of something else, or in another form.
    """
    return "".join(f"// {name}\n{_body(name, sources[name])}" for name in _in_order(entry, sources, set()))


def _in_order(name: str, sources: Mapping[str, str], seen: set[str]) -> Iterator[str]:
    """Yield a module after those it imports; where modules import each other, the one that is met first comes last."""
    seen.add(name)
    for wanted in _IMPORT.findall(sources[name]):
        if wanted not in sources:
            raise ModuleWrong(f"{name} imports {wanted}, which is not there.")
        if wanted not in seen:
            yield from _in_order(wanted, sources, seen)
    yield name


def _body(name: str, source: str) -> str:
    body = _EXPORT.sub("", _IMPORT.sub("", _REMARK.sub("", source)))
    if other := _OTHER.search(body):
        raise ModuleWrong(f"{name}: `{other[0]}` is not a form that console/README.md names.")
    return _INDENT.sub("", body)
