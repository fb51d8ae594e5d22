"""An Autopilot sandbox: the REST API of reference/autopilot-api, fact by fact, with knobs and a view of what it holds."""
