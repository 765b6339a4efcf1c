"""Uploads of files in parts."""
