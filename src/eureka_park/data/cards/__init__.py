"""What cards of repositories say: read where a version changes them, kept where they are sought."""
