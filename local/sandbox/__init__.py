"""An Autopilot sandbox: the REST API as docs/sandbox.md knows it, fact by fact, with knobs and a view of what it holds."""
