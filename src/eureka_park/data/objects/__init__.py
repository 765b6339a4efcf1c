"""Blobs and packs: what is kept once, counted, held by projects, and collected when nobody needs it."""
