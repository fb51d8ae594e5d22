"""A terminal at the command-line client of a running stack."""

from __future__ import annotations

from typer.testing import CliRunner, Result

from cli.__main__ import app
from local.world import World


class Terminal:
    """Runs commands as a person would."""

    def __init__(self, world: World) -> None:
        self._environment = {
            "SEGMENT_EXPORT_URL": world.stack.api_url,
            "SEGMENT_EXPORT_KEY": world.stack.function_key,
            "COLUMNS": "160",
        }

    def run(self, *words: str, code: int = 0, typed: str = "") -> str:
        result: Result = CliRunner().invoke(app, list(words), env=self._environment, input=typed)
        assert result.exit_code == code, result.output
        return result.output
