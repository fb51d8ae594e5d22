"""The kinds of source there are: one line each. The setting SOURCE_KIND names the one that an installation reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from shared.azure.settings import SettingsWrong
from shared.sources.blob_export.connect import open_blob_export
from shared.sources.source import Source

SOURCES: Final[Mapping[str, Callable[[Mapping[str, str]], Source]]] = {
    "blob_export": open_blob_export,
}
"""Each opens its source by the settings that it needs, of the environment; raises SettingsWrong."""

DEFAULT: Final = "blob_export"


def open_source(environment: Mapping[str, str]) -> Source:
    """Open the source that the settings name; raise SettingsWrong naming the setting that is missing or wrong."""
    kind = environment.get("SOURCE_KIND") or DEFAULT
    if kind not in SOURCES:
        raise SettingsWrong(f"App setting SOURCE_KIND must be one of {', '.join(SOURCES)}.")
    return SOURCES[kind](environment)
