"""The pages of energy and the way between them."""

from __future__ import annotations

from typing import Final

from eureka_park.web.pages.words import N_, Words

TODAY: Final = "/energy"
YEAR: Final = "/energy/year"
AHEAD: Final = "/energy/ahead"
_TABS: Final = ((TODAY, N_("Today")), (YEAR, N_("A year, what if")), (AHEAD, N_("How well tomorrow is known")))


def tabs_of(words: Words, here: str) -> list[tuple[str, str, bool]]:
    """Path, name, and whether it is this page."""
    return [(path, words.say(name), path == here) for path, name in _TABS]
