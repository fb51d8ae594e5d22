"""The way of a contact through the files of the app: traced, counted, and held to the README's map."""
