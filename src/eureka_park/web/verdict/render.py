"""The verdict as one HTML file that needs nothing beside it: sheet, fonts and script stand inside."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from eureka_park.energy.verdict_assumptions import Assumptions
from eureka_park.energy.verdict_schema import Study
from eureka_park.foundation.errors import Internal
from eureka_park.web.assets import BUILT
from eureka_park.web.charts.band import zellige_band
from eureka_park.web.pages.words import LANGUAGES, Words
from eureka_park.web.verdict.pictures import year_mix
from eureka_park.web.verdict.view import view

FILE_LANGUAGES: Final = ("fr", "ar", "en")  # those that are spoken throughout
_N_STARS: Final = 52
_ROOT: Final = re.compile(r":root\{[^}]*\}")
_FACE: Final = re.compile(r"@font-face\{[^}]*\}")
_FILE: Final = re.compile(r'url\("?\.?/?(fonts/[^")]+)"?\)')
_SCRIPTS: Final[Mapping[str, tuple[str, ...]]] = {"fr": ("latin",), "en": ("latin",), "ar": ("latin", "arabic")}


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("eureka_park.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def standalone(study: Study, assumptions: Assumptions, lang: str, *, is_one_of_three: bool = False) -> str:
    """The whole file in one of FILE_LANGUAGES. The same study, assumptions and language give the same bytes.

    `is_one_of_three`: the other languages lie beside it as `verdict.LANG.html`, and it links to them.
    """
    words = Words(lang, study["timezone"])
    body = _environment().get_template("verdict_body.html").render(**context(study, assumptions, words))
    title = words.say("The verdict on {mw}", mw=words.power(study["site_mw"]))
    return "\n".join(
        (
            "<!doctype html>",
            f'<html class="alone" lang="{words.tag}" dir="{words.direction}">',
            '<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)} · Eureka Park</title>",
            f"<style>{sheet(words.lang)}</style>\n</head>\n<body>",
            zellige_band(year_mix(study), _N_STARS),
            f"<main>\n{_languages(words) if is_one_of_three else ''}\n{body}\n</main>",
            f'<script type="module">{_built("verdict.js").decode().strip()}</script>',
            "</body>\n</html>\n",
        )
    )


def context(study: Study, assumptions: Assumptions, words: Words) -> dict[str, Any]:
    """What the body's template knows."""
    return {"_": words.say, "words": words, "count": words.count, **view(study, assumptions, words)}


@cache
def sheet(lang: str) -> str:
    """Tokens and fonts of the park's sheet, the fonts inside, and the verdict's own sheet."""
    park, own = _built("park.css").decode(), _built("verdict.css").decode().strip()
    root = _ROOT.search(park)
    faces = [face for face in _FACE.findall(park) if any(f"-{script}-wght" in face for script in _SCRIPTS[lang])]
    if root is None or len(faces) != len(_SCRIPTS[lang]):
        raise Internal("The park's sheet holds no tokens or fonts.", fix="Build it: python hatch_build.py")
    return root[0] + "".join(_FILE.sub(_inlined, face) for face in faces) + own


def _inlined(found: re.Match[str]) -> str:
    return f'url("data:font/woff2;base64,{base64.b64encode(_built(found[1])).decode()}")'


def _built(name: str) -> bytes:
    try:
        return (BUILT / name).read_bytes()
    except OSError:
        raise Internal(
            f"The pages' file {name} is not there.", fix="Run ./park again: it builds the pages.", code="not_built"
        ) from None


def _languages(words: Words) -> Markup:
    """Links to the same file in the other languages, where they lie beside it under their built names."""
    links = [
        Markup('<a href="verdict.{0}.html" lang="{1}" hreflang="{1}">{2}</a>').format(
            code, LANGUAGES[code].tag, LANGUAGES[code].name
        )
        for code in FILE_LANGUAGES
        if code != words.lang
    ]
    return Markup('<nav class="languages-of-file" aria-label="{}">{}</nav>').format(
        words.say("Languages"), Markup(" ").join(links)
    )
