"""The version of the app, which health tells."""

from __future__ import annotations

from typing import Final

VERSION: Final = "0.1.0"
"""That of pyproject.toml, which is not deployed; a release's tag is `v` and this."""
