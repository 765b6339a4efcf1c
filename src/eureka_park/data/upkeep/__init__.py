"""What the store needs day by day: contents that were found damaged, and how far each round has come."""
