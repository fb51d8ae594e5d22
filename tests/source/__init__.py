"""Reading what Customer Insights writes, from Azurite."""
