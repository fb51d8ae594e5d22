"""Why things end as they do: stable codes, a sentence each that tells the user what to do, and the few errors that carry them."""
