"""Project files: buckets of versions, uploads in parts, access keys."""
