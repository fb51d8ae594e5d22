"""Customer Insights' Blob export, read as it really is."""
