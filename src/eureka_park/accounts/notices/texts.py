"""Notices in words: one letter for all that is told together, in the language of who gets it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any, Final

from eureka_park.accounts.notices.store import Notice
from eureka_park.accounts.sign_in.letter_texts import DEFAULT, FALLBACK, Written

_MICRO: Final = 1_000_000
_MARKS: Final = {"en": (",", "."), "fr": ("\u202f", ","), "ar_MA": (".", ",")}  # of thousands, of parts


@cache
def texts() -> Mapping[str, Any]:
    """By language: the frame of a letter, and by kind its subject and sentence."""
    file = resources.files("eureka_park.accounts.notices") / "notices.toml"
    return tomllib.loads(file.read_text("utf-8"))


def notice_letter(to: str, name: str, language: str, notices: Sequence[Notice], url: str) -> Written:
    """One letter that tells some notices, the oldest first."""
    language = FALLBACK.get(language, language)
    language = language if language in texts() else DEFAULT
    frame, kinds = texts()[language]["frame"], texts()[language]["kinds"]
    lines = [f"- {sentence(item, language)}" for item in notices]
    n = len(notices)
    subject = kinds[notices[0].kind]["subject"] if n == 1 else frame["several"].format(n=n)
    said = {key: " ".join(value.split()) for key, value in {"name": name, "url": url}.items()}
    parts = [frame["hello"].format(**said), "\n".join(lines)]
    if url:
        parts.append(frame["where"].format(**said))
    return Written(to, subject, "\n\n".join(parts) + "\n", language)


def sentence(notice: Notice, language: str) -> str:
    """What a notice says, in one sentence; what people named themselves stays on its line."""
    values = {"object": notice.thing, "when": _when(notice.at_s), **notice.detail}
    shown = {key: _shown(key, value, language) for key, value in values.items()}
    found: str = texts()[language]["kinds"][notice.kind]["text"]
    return found.format_map(_Lenient(shown))


class _Lenient(dict[str, str]):
    """A notice of an older park lacks what a newer text names."""

    def __missing__(self, key: str) -> str:
        return "?"


def _shown(key: str, value: Any, language: str) -> str:
    if key.endswith("_micro") and isinstance(value, int):
        return _amount(value / _MICRO, language)
    if key.endswith("_minor") and isinstance(value, int):
        return _amount(value / 100, language)
    if key.endswith("_s"):
        return _when(value) if isinstance(value, int | float) else "-"
    return " ".join(str(value).split())


def _amount(value: float, language: str) -> str:
    thousands, part = _MARKS[language]
    return f"{value:,.2f}".replace(",", "\0").replace(".", part).replace("\0", thousands)


def _when(at_s: float) -> str:
    return datetime.fromtimestamp(min(max(at_s, 0.0), 2e11), UTC).strftime("%Y-%m-%d %H:%M UTC")
