"""The report as one HTML file that needs nothing beside it: sheet and fonts stand inside, scripts there are none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from markupsafe import escape

from eureka_park.twin.run_record import RunRecord
from eureka_park.web.alone import sheet, templates
from eureka_park.web.charts.band import zellige_band
from eureka_park.web.charts.shapes import star
from eureka_park.web.pages.words import LANGUAGES, Words
from eureka_park.web.twin_report.view import view_of

FILE_LANGUAGES: Final = tuple(LANGUAGES)
RUNS_MAX: Final = 12  # side by side; more fit no page
_N_STARS: Final = 52


def standalone(records: Sequence[RunRecord], lang: str, zone: str = "UTC") -> str:
    """The whole file in one of FILE_LANGUAGES, hours by the clock of `zone`. The same runs give the same bytes."""
    words = Words(lang, zone)
    found = view_of(records, words)
    legend = found.pop("legend", None) or []
    body = (
        templates()
        .get_template("twin_report.html")
        .render(_=words.say, words=words, star_path=star(8.0, 8.0, 7.0), legend_kinds=legend, **found)
    )
    title = words.say("Run of the twin") if len(records) == 1 else words.say("Runs of the twin")
    return "\n".join(
        (
            "<!doctype html>",
            f'<html class="alone" lang="{words.tag}" dir="{words.direction}">',
            '<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)} · {escape(found['site'])} · Eureka Park</title>",
            f"<style>{sheet(words.lang, 'twin_report.css')}</style>\n</head>\n<body>",
            zellige_band(found["mix"], _N_STARS),
            f"<main>\n{body}\n</main>\n</body>\n</html>\n",
        )
    )
