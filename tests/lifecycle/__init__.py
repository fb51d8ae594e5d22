"""Tests of `shared.lifecycle`."""
