"""Data sets and models carried to a park and from it: by the one who carries, so that no park fetches anything."""
