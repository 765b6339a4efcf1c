"""The report of runs of the twin: one file that needs nothing beside it, on screen and on paper."""
