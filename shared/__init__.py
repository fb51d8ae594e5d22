"""What both sides of the export stand on, by subject; docs/architecture.md names each room, and who may import whom."""
