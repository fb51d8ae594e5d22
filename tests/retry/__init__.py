"""Tests of `shared.retry`."""
