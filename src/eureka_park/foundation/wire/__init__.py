"""Messages between the park and its engines."""
