"""One adapter per outside system: the only files that import its SDK."""
