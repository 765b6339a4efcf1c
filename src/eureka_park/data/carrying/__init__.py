"""What the park does for those who carry much at once."""
