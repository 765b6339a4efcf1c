"""Data that jobs read, and versions that are made of what they leave."""
