"""The console's files: read once, and served by name from memory; no path of a request touches the disk."""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Final

from export_trigger.http.compression import takes_gzip
from export_trigger.http.modules import join

FOLDER: Final = Path(__file__).parents[2] / "console"
PAGE: Final = "index.html"
ENTRY: Final = "main.js"

GUARDS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""On every answer: only our own files run, no text becomes markup, and no other site frames the page."""

_MEDIA: Final = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_ASK_AGAIN: Final = "no-cache"
_NAMED: Final = re.compile(r'"/console/([\w.-]+)"')


@dataclass(frozen=True, slots=True)
class File:
    """One file: its content, the same compressed, its media type, and the digest of its content."""

    content: bytes
    zipped: bytes
    media: str
    digest: str


@dataclass(frozen=True, slots=True)
class Served:
    """An answer: a status, a body, its media type, and headers."""

    status: HTTPStatus
    body: bytes = b""
    media: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)


def serve(name: str, version: str, headers: Mapping[str, str]) -> Served:
    """Return the console's file `name`; `headers` have lower-case names.

    `version` is the digest that the page names: what is asked for by its digest may be kept for ever. Another version,
    which a page of another deployment asks for, is answered with what there is now.
    """
    file = files().get(name)
    if file is None:
        return Served(HTTPStatus.NOT_FOUND, b"There is no such file.", headers={**GUARDS, "Cache-Control": "no-store"})
    told = {
        **GUARDS,
        "Cache-Control": _FOR_EVER if version == file.digest else _ASK_AGAIN,
        "ETag": f'W/"{file.digest}"',
        "Vary": "Accept-Encoding",
    }
    if f'"{file.digest}"' in headers.get("if-none-match", ""):
        return Served(HTTPStatus.NOT_MODIFIED, media=file.media, headers=told)
    if takes_gzip(headers.get("accept-encoding", "")):
        return Served(HTTPStatus.OK, file.zipped, file.media, {**told, "Content-Encoding": "gzip"})
    return Served(HTTPStatus.OK, file.content, file.media, told)


@cache
def files() -> Mapping[str, File]:
    """Return every file that is served, by name: the page, and what it names."""
    return read(FOLDER)


def read(folder: Path) -> Mapping[str, File]:
    """Read the page in `folder` and what it names: its modules as one, and each with its digest in the page.

    Raise ModuleWrong for modules that cannot be joined, and OSError if a file is missing.
    """
    page = (folder / PAGE).read_text(encoding="utf-8")
    found = {name: _file(name, _content(folder, name)) for name in sorted(set(_NAMED.findall(page)))}
    whole = _NAMED.sub(lambda named: f'"/console/{named[1]}?v={found[named[1]].digest}"', page)
    return {**found, PAGE: _file(PAGE, whole.encode())}


def _content(folder: Path, name: str) -> bytes:
    if name != ENTRY:
        return (folder / name).read_bytes()
    return join(ENTRY, {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.js")}).encode()


def _file(name: str, content: bytes) -> File:
    zipped = gzip.compress(content, 9, mtime=0)
    return File(content, zipped, _MEDIA[Path(name).suffix], sha256(content).hexdigest()[:16])
