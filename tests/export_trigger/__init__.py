"""Tests of `export_trigger`."""
