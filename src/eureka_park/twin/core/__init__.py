"""The world as truth: work that arrives, the sky, failures; and what is measured of a run."""
