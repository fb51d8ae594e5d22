"""Tests of `shared.sources.blob_export`."""
