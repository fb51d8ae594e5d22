"""Where contacts go: one folder for each kind of destination."""
