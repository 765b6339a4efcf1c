"""The twin: the park's decisions in a world whose truth is computed."""
