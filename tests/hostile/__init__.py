"""Hostile input: whatever comes in, a value or a named reason comes out; no crash, no hang, no memory without bound."""
