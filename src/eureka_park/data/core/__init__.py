"""Pure rules of data: which paths are safe, what a snapshot is."""
