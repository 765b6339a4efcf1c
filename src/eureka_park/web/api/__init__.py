"""The park's own API under /api/v1, one module per domain."""
