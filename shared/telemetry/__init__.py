"""What is told of the work: traces, metrics and events, never a word of a person."""
