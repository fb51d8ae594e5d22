"""The stored world of an earlier version: what the app must go on with after an upgrade."""
