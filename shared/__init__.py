"""What both sides of the export stand on: the words as types, the domain, and one adapter per outside system."""
