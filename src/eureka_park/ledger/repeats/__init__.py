"""Deeds that are asked for again under the same key are done once."""
