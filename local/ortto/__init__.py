"""An Ortto sandbox: the REST API as docs/sandbox.md knows it, fact by fact, with a knob for each thing that nobody knows."""
