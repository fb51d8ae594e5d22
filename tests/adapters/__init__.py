"""The adapters and what stands on them, against Azurite."""
