"""Data that jobs read: a node's cache of contents, and the folders laid out from it."""
