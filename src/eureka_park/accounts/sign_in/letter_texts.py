"""The words of letters, by language; what a person named themselves cannot add lines or another receiver."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from eureka_park.accounts.sign_in.ground import Letter

FALLBACK: Final = {"zgh": "fr", "ar": "ar_MA"}
DEFAULT: Final = "en"


@dataclass(frozen=True, slots=True)
class Written:
    """A letter in words: one line of subject, a body of plain text, its language."""

    to: str
    subject: str
    body: str
    language: str


@cache
def texts() -> Mapping[str, Any]:
    """Subject and body by language and kind."""
    file = resources.files("eureka_park.accounts.sign_in") / "letters.toml"
    return tomllib.loads(file.read_text("utf-8"))


def written(letter: Letter) -> Written:
    """A letter in the language of who gets it, else in English."""
    language = FALLBACK.get(letter.language, letter.language)
    language = language if language in texts() else DEFAULT
    text = texts()[language][letter.kind]
    values = {key: " ".join(value.split()) for key, value in letter.values.items()}
    return Written(letter.to, text["subject"], text["body"].strip().format(**values) + "\n", language)
