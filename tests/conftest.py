"""The suite draws the same examples every time; `--hypothesis-profile=explore` draws new ones."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True, database=None)
settings.register_profile("explore", max_examples=400)
settings.load_profile("repeatable")
