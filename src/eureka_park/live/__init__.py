"""Live: the one process that decides. Inbox in, journal and actions out."""
