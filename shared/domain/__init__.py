"""Planning, difference, chunking, pacing and delivery: what this product exists for. Imports no SDK."""
