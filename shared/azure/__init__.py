"""The services of Azure that the app stands on, one adapter each: storage, tables, vault, identity, and the app settings."""
