"""Tests of `export_trigger.steps`."""
