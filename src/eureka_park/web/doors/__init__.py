"""Doors for clients of other protocols. They hold no rules: services decide."""
