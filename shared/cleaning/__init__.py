"""From a row to a contact: what a value says, in one spelling, or why it says nothing."""
