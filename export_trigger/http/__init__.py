"""The HTTP API (docs/api.md): what a request means and how it is answered, without any web framework."""
