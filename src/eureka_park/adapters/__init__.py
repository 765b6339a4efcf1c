"""Adapters: the outside world behind the ports of the park. Built by `bootstrap`, imported by nobody else."""
