"""Data rooms: files by content (SHA-256) and snapshots of folders that jobs run from."""
