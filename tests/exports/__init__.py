"""Tests of `shared.exports`."""
