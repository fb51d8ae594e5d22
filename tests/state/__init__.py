"""Tests of `shared.state`."""
