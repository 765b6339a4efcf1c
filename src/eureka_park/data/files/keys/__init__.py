"""Access keys: what signs requests of S3 clients."""
