"""Meters: what this machine is, and how many joules it has used."""
