"""The verdict as one HTML file that needs nothing beside it: sheet, fonts and script stand inside."""

from __future__ import annotations

from typing import Any, Final

from markupsafe import Markup, escape

from eureka_park.energy.verdict_assumptions import Assumptions
from eureka_park.energy.verdict_schema import Study
from eureka_park.web.alone import built, sheet, templates
from eureka_park.web.charts.band import zellige_band
from eureka_park.web.pages.words import LANGUAGES, Words
from eureka_park.web.verdict.pictures import year_mix
from eureka_park.web.verdict.view import view

FILE_LANGUAGES: Final = ("fr", "ar", "en")  # those that are spoken throughout
_N_STARS: Final = 52


def standalone(study: Study, assumptions: Assumptions, lang: str, *, is_one_of_three: bool = False) -> str:
    """The whole file in one of FILE_LANGUAGES. The same study, assumptions and language give the same bytes.

    `is_one_of_three`: the other languages lie beside it as `verdict.LANG.html`, and it links to them.
    """
    words = Words(lang, study["timezone"])
    body = templates().get_template("verdict_body.html").render(**context(study, assumptions, words))
    title = words.say("The verdict on {mw}", mw=words.power(study["site_mw"]))
    return "\n".join(
        (
            "<!doctype html>",
            f'<html class="alone" lang="{words.tag}" dir="{words.direction}">',
            '<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)} · Eureka Park</title>",
            f"<style>{sheet(words.lang, 'verdict.css')}</style>\n</head>\n<body>",
            zellige_band(year_mix(study), _N_STARS),
            f"<main>\n{_languages(words) if is_one_of_three else ''}\n{body}\n</main>",
            f'<script type="module">{built("verdict.js").decode().strip()}</script>',
            "</body>\n</html>\n",
        )
    )


def context(study: Study, assumptions: Assumptions, words: Words) -> dict[str, Any]:
    """What the body's template knows."""
    return {"_": words.say, "words": words, "count": words.count, **view(study, assumptions, words)}


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
