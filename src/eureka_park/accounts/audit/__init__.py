"""The audit log: who did what, sealed in a chain that shows every change."""
