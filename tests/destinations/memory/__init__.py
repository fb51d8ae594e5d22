"""A destination in memory: thrown away after the tests, and a model of what a new one has to write."""
