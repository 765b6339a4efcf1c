"""Compute: jobs, queues, fair share, placement and the reasons why a job waits."""
