"""Languages of the pages: English in the templates, French and Arabic from catalogues keyed by the English text."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from string import Formatter
from typing import Any, Final

from fastapi import Request

LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "fr": "Français", "ar": "العربية"}
RIGHT_TO_LEFT: Final = frozenset({"ar"})


@cache
def catalogue(lang: str) -> Mapping[str, str]:
    """The messages of a language; empty for English."""
    if lang == "en" or lang not in LANGUAGES:
        return {}
    text = (resources.files("eureka_park.web") / "locales" / f"{lang}.toml").read_text("utf-8")
    return {str(key): str(value) for key, value in tomllib.loads(text).items()}


class Words:
    """Speaks one language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self.direction = "rtl" if lang in RIGHT_TO_LEFT else "ltr"
        self._messages = catalogue(lang)

    def say(self, text: str, **values: Any) -> str:
        """The text in this language, its {names} filled in; a text without translation stays English."""
        spoken = self._messages.get(text, text)
        return spoken.format(**values) if values else spoken

    def knows(self, text: str) -> bool:
        """Whether the text is spoken in this language."""
        return self.lang == "en" or text in self._messages


def words_of(request: Request) -> Words:
    """The language asked for: ?lang=, the cookie, then Accept-Language."""
    for wanted in (request.query_params.get("lang"), request.cookies.get("lang")):
        if wanted in LANGUAGES:
            return Words(str(wanted))
    ranked: list[tuple[float, str]] = []
    for part in request.headers.get("accept-language", "")[:200].replace(" ", "").split(","):
        name, _, weight = part.partition(";q=")
        try:
            rank = float(weight or 1)
        except ValueError:
            continue
        if rank > 0:  # zero says: not this one
            ranked.append((-rank, name.split("-")[0].lower()))
    for _, name in sorted(ranked, key=lambda item: item[0]):
        if name in LANGUAGES:
            return Words(name)
    return Words("en")


REASONS: Final[Mapping[str, str]] = {
    "better_hour": "It waits for a better hour: {then} MAD/MWh then (carbon priced in), {now} now.",
    "clean_power": "It needs {need} of the park's own sun, wind or salt; {free} is free now.",
    "firm_power": "It needs {need} of firm power; {free} can be promised now.",
    "site_power": "It needs {need}; plants and grid together leave {free} now.",
    "behind": "Jobs of its project before it: {n_ahead}.",
    "just_sent": "It has just arrived; the scheduler looks at it next.",
    "in_line": "It stands in the line of its project and tier.",
    "next": "It is next in its line.",
    "finished": "It finished.",
    "running": "It runs.",
    "starting": "It is being prepared: environment and files.",
    "cancelled": "It was cancelled.",
    "no_plan": "There is no power plan yet; one is being made.",
    "capped_power": "Its power is capped: the sky gives {short} less than such jobs draw.",
    "paused_power": "It is paused at a checkpoint: the sky gives {short} less than such jobs draw.",
    "frozen_power": "It is frozen, its work kept: the sky gives {short} less than such jobs draw.",
}


def reason_text(words: Words, reason: Mapping[str, Any]) -> tuple[str, str]:
    """A reason in this language and the language it is in: its own English where no translation fits."""
    form = REASONS.get(str(reason["code"]))
    if words.lang == "en" or form is None or not words.knows(form):
        return str(reason["text"]), "en"
    values = _spoken(reason["values"])
    if not _names(form) <= values.keys():
        return str(reason["text"]), "en"
    return words.say(form, **values), words.lang


def _spoken(values: Mapping[str, Any]) -> dict[str, str]:
    """The values that forms name, as text with units."""
    found = {}
    for name in ("need", "free", "short"):
        if (kw := values.get(f"{name}_kw")) is not None:
            found[name] = power(max(0.0, float(kw)))
    for name in ("now", "then"):
        if (price := values.get(f"{name}_mad_per_mwh")) is not None:
            found[name] = isolated(f"{price:.0f}")
    if "n_ahead" in values:
        found["n_ahead"] = isolated(str(values["n_ahead"]))
    return found


def _names(form: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(form) if name}


def power(kw: float) -> str:
    """A power, isolated so that it reads left to right in any language."""
    from eureka_park.foundation.units import power_text

    return isolated(power_text(kw / 1000.0))


def isolated(text: str) -> str:
    """Text between Unicode isolates: numbers and units keep their order inside Arabic."""
    return f"\u2068{text}\u2069"
