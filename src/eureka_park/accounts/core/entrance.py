"""Rules of the entrance: which passwords will do, how long to wait after wrong ones, where a person goes on to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from eureka_park.foundation.errors import BadInput

PASSWORD_CHARS_MIN: Final = 12
PASSWORD_CHARS_MAX: Final = 256
NEXT_CHARS_MAX: Final = 1000
N_FREE: Final = 5  # wrong passwords in a row before one has to wait
WAIT_MAX_S: Final = 900.0
_KINDS_MIN: Final = 5  # different signs
# What most guessed passwords of this length are made of; digits, signs and look-alike letters are left out first.
_STEMS: Final = (
    "password", "passwort", "motdepasse", "motdepass", "azerty", "azertyuiop", "qwerty", "qwertyuiop", "qwertz",
    "asdfghjkl", "zxcvbnm", "iloveyou", "jetaime", "welcome", "bienvenue", "bonjour", "marhaba", "letmein", "admin",
    "administrator", "administrateur", "changeme", "secret", "login", "sunshine", "princess", "football", "monkey",
    "dragon", "master", "superman", "batman", "trustno", "maroc", "morocco", "almaghrib", "casablanca", "tetouan",
    "eurekapark", "eureka", "park", "correcthorsebatterystaple", "abcdefghijkl", "abc", "test", "soleil", "doudou",
)  # fmt: skip
_LOOK_ALIKE: Final = str.maketrans("013457@$!", "oieastasi")
_KEPT: Final = re.compile(r"[^a-z]+")
_LOCAL_PATH: Final = re.compile(r"/(?![/\\])[\x21-\x7e]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Lasting:
    """How long what lets one in is good for, in seconds: a session from its beginning on, and from when it was last
    used on; a token at most.
    """

    session_s: float = 14 * 86400.0
    idle_s: float = 3 * 86400.0
    token_s: float = 366 * 86400.0

    def session_end_s(self, created_at_s: float, seen_at_s: float, expires_at_s: float) -> float:
        """When a session ends unless it is used again, by the rule of now and by what it was given at its beginning."""
        return min(expires_at_s, created_at_s + self.session_s, seen_at_s + self.idle_s)


def plain_password(text: str) -> str:
    """A password as it is hashed: composed, so that it is one however a keyboard writes its letters."""
    return unicodedata.normalize("NFKC", text)


def cut_password(text: str) -> str:
    """What is tried of a password, composed: no more than one could be, so that nobody has a book hashed."""
    return plain_password(text[: 8 * PASSWORD_CHARS_MAX])[: PASSWORD_CHARS_MAX + 1]


def check_password(text: str, about: Iterable[str] = ()) -> None:
    """Raise BadInput for a password that is short, long, or soon guessed. `about`: what others know of the person."""
    password = plain_password(text)
    if not PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX:
        raise BadInput(
            f"A password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} signs.",
            fix="Take four or five words that do not belong together.", code="password_length", field="password",
        )  # fmt: skip
    if _is_soon_guessed(password.casefold(), about):
        raise BadInput(
            "This password would soon be guessed.",
            fix="Take four or five words that do not belong together.", code="password_weak", field="password",
        )  # fmt: skip


def _is_soon_guessed(password: str, about: Iterable[str]) -> bool:
    if len(set(password)) < _KINDS_MIN:
        return True
    steps = {ord(after) - ord(before) for before, after in pairwise(password)}
    if len(steps) == 1:  # abcdefghijkl, 987654321098
        return True
    known = {word.casefold() for text in about for word in re.split(r"[@.\s]+", text) if len(word) > 2}
    if not password.isascii():
        return any(password.replace(word, "") == "" for word in known)
    rest = {_KEPT.sub("", password), _KEPT.sub("", password.translate(_LOOK_ALIKE))}
    return any(_is_made_of(letters, {*_STEMS, *known}) for letters in rest) and len(set(password)) < 16


def _is_made_of(letters: str, words: Iterable[str]) -> bool:
    """Whether little is left once the words are taken out; the longest go first."""
    for word in sorted(words, key=len, reverse=True):
        letters = letters.replace(word, "")
    return len(letters) < 4


def wait_after_s(n_wrong: int) -> float:
    """How long after so many wrong passwords in a row none is looked at: a few are free, then it doubles."""
    return 0.0 if n_wrong < N_FREE else min(WAIT_MAX_S, 30.0 * 2.0 ** min(n_wrong - N_FREE, 10))


def safe_next(text: str) -> str:
    """Where somebody goes on to after signing in: a page of this park, never another site; else its first page."""
    return text if len(text) <= NEXT_CHARS_MAX and _LOCAL_PATH.fullmatch(text) else "/"
