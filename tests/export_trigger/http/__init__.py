"""Tests of `export_trigger.http`."""
