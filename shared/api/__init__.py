"""The HTTP API of contract.md: what a request means and how it is answered, without any web framework."""
