"""Where segments come from: what we need of a source, and one folder for each kind of source."""
