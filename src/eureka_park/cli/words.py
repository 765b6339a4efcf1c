"""What the command says, in the language of the person: English in the code, other languages from compiled catalogues.

PARK_LANG decides, then LC_ALL, LC_MESSAGES and LANG. The standard library is enough: the light client has no Babel.
"""

from __future__ import annotations

import gettext
import os
import sys
from functools import cache
from pathlib import Path
from typing import Final

DOMAIN: Final = "cli"
LANGUAGES: Final = ("en", "fr")
FOLDER: Final = Path(__file__).parent / "locales"
_ASKED: Final = ("PARK_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
_WINDOWS_LANGUAGES: Final = {0x0C: "fr"}  # by primary language id


def language() -> str:
    """The language to speak: the first variable that is set decides; English where it names none of ours."""
    for name in _ASKED:
        if value := os.environ.get(name):
            word = value.replace("-", "_").partition("_")[0].partition(".")[0].lower()
            return word if word in LANGUAGES else "en"
    return _language_of_windows()


def _language_of_windows() -> str:
    if sys.platform == "win32":
        import ctypes

        return _WINDOWS_LANGUAGES.get(ctypes.windll.kernel32.GetUserDefaultUILanguage() & 0x3FF, "en")
    return "en"


@cache
def _catalogue(name: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, FOLDER, [name], fallback=True)


def _(text: str, /, **values: object) -> str:
    """A text in the person's language, its `{names}` filled in."""
    said = text if (name := language()) == "en" else _catalogue(name).gettext(text)
    return said.format(**values) if values else said


def count(one: str, many: str, n: int, /, **values: object) -> str:
    """A text with a number in the person's language; `{n}` is the number."""
    name = language()
    said = (one if n == 1 else many) if name == "en" else _catalogue(name).ngettext(one, many, n)
    return said.format(n=n, **values)


def N_(text: str) -> str:
    """Marks a text that is said later."""
    return text


def let_click_speak() -> None:
    """Give click the same catalogue: it asks the standard gettext, which goes by LANGUAGE before all else."""
    os.environ["LANGUAGE"] = language()
    gettext.bindtextdomain(DOMAIN, str(FOLDER))
    gettext.textdomain(DOMAIN)
