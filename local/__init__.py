"""The embedded default: storage, vault, Autopilot sandbox and Functions host on one machine, in one command."""
