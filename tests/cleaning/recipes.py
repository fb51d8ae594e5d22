"""Recipes of Autopilot's fields, for tests of what is made of rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.cleaning.clean import Recipe
from shared.destinations.autopilot.fields import FIELDS


def recipe_for(mapping: Mapping[str, str], **settings: Any) -> Recipe:
    """Return a recipe for Autopilot."""
    return Recipe(mapping, FIELDS, **settings)
