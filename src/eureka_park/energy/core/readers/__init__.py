"""Readers of weather files: text in, columns in the park's units and facts of the header out; none opens a file."""
