"""The command-line client: the HTTP API as a person would like to use it."""
