"""The source: what Customer Insights' Blob export writes, read as it really is."""
