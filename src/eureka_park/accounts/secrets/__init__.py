"""Tokens, sessions and one-time codes: what is shown once and kept as a hash."""
