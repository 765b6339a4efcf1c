"""The identity and every component on one page: mark, type, colours and their contrast, shape, motion, words."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from fastapi import Request
from fastapi.responses import HTMLResponse
from markupsafe import Markup

from eureka_park.web.assets import BUILT
from eureka_park.web.charts.band import mosaic
from eureka_park.web.charts.contrast import Pair, Token, pairs_of, tokens_of
from eureka_park.web.charts.shapes import star
from eureka_park.web.charts.tank import bar, ring, tank
from eureka_park.web.pages.draw import KIND_NAMES, page, words_of
from eureka_park.web.pages.vocabulary import STATES, TIERS
from eureka_park.web.pages.words import N_, Words

GROUNDS: Final = (
    ("paper", N_("lime wash: the ground of every page")),
    ("card", N_("what is read as one thing")),
    ("sunk", N_("code, fields of nothing, empty tanks")),
    ("wash", N_("a note, a chapter, where the pointer is")),
    ("line", N_("hairlines between things")),
    ("edge", N_("borders of controls")),
)
VOICES: Final = (
    ("ink", N_("what is said")),
    ("mute", N_("what is said beside it")),
    ("majorelle", N_("what can be done, and now")),
    ("bad", N_("what went wrong")),
    ("wind-text", N_("text in the wind's colour")),
    ("salt-text", N_("text in the salt's colour")),
)
SCALE: Final = (
    ("type-1", "46 / 560", N_("The first sentence of a page")),
    ("type-2", "30 / 560", N_("A figure")),
    ("type-3", "19 / 340", N_("The second sentence")),
    ("type-4", "16 / 560", N_("The head of a card")),
    ("type-5", "15 / 340", N_("Everything else")),
    ("type-6", "13 / 340", N_("Labels, ticks, what stands beside a figure")),
)
SAMPLE: Final = (
    ("en", "ltr", "The salt takes over from the sun."),
    ("ar", "rtl", "الملح يتسلّم من الشمس."),
    ("zgh", "ltr", "ⵜⴰⵎⴰⵣⵉⵖⵜ"),
)
SHAPE: Final = (
    (N_("Corners"), "18", N_("cards; 10 for fields, round for buttons and labels")),
    (N_("Between things"), "18", N_("between cards; 12 inside them, 6 between labels")),
    (N_("Hairline"), "1", N_("around cards and between rows; no shadow carries meaning")),
    (N_("Widest text"), "62", N_("letters in a line; one column of meaning")),
    (N_("Sizes in a card"), "3", N_("of text at most")),
)
MOTION: Final = (
    N_("Only what really moves moves on a page: the level of the salt, the line of now, a job that changes."),
    N_("Nothing takes longer than 300 ms; nothing blinks or turns for ever."),
    N_("Who asks the device for less motion gets none."),
)
DO: Final = (
    (N_("Say what, how much, until when: “It waits for a better hour: 540 MAD/MWh then, 750 now.”"),
     N_("“Pending (Resources).”")),
    (N_("Put the unit and the label beside the number: 12 MW, synthetic."), N_("A bare 12.")),
    (N_("Let a second sign stand beside every colour: order, a word, a hatch."), N_("Red and green alone.")),
    (N_("Draw time from left to right in every language, and let the words around it follow the language."),
     N_("A mirrored clock.")),
    (N_("Say what is not there: “This park knows of no contract for power.”"), N_("A zero that means “unknown”.")),
    (N_("Draw the grid hatched, never plain: it is power that the park does not own."), N_("A grey like any other.")),
)  # fmt: skip
BAND_SHARES: Final = (("wind", 0.3), ("pv", 0.1), ("csp", 0.25), ("salt", 0.2), ("grid", 0.15))


def style_page(request: Request) -> HTMLResponse:
    """How the park looks and speaks, and why."""
    words, tokens = words_of(request), colours()
    return page(
        request,
        "style.html",
        "/style",
        grounds=[_shown(words, tokens, *item) for item in GROUNDS],
        voices=[_shown(words, tokens, *item) for item in VOICES],
        sources=[_shown(words, tokens, kind, name) for kind, name in KIND_NAMES.items()],
        pairs=[_pair(words, pair) for pair in pairs_of(tokens)],
        scale=SCALE,
        samples=SAMPLE,
        shape=[(words.say(name), words.number(float(size)), words.say(why)) for name, size, why in SHAPE],
        motion=MOTION,
        do=DO,
        states=(*STATES, "capped"),
        tiers=TIERS,
        construction=_construction(words),
        stars=_stars(),
        tank=tank(0.58, words.percent(0.58), words.say("Salt reserve")),
        ring=ring(_amounts(words), words.percent(0.85), words.say("Shares of an hour")),
        bar=bar(_amounts(words), words.say("Shares of an hour")),
        share=words.percent(0.62),
    )


@cache
def colours() -> dict[str, Token]:
    """The tokens of the sheet that pages really load."""
    return tokens_of((BUILT / "park.css").read_text("utf-8"))


def _shown(words: Words, tokens: dict[str, Token], name: str, meaning: str) -> dict[str, str]:
    token = tokens[name]
    return {"name": name, "light": token.light, "dark": token.dark, "meaning": words.say(meaning)}


def _pair(words: Words, pair: Pair) -> dict[str, Any]:
    return {
        "over": pair.over,
        "ground": pair.ground,
        "light": words.number(pair.light, 1),
        "dark": words.number(pair.dark, 1),
        "least": words.number(pair.least, 1),
        "passes": pair.passes,
    }


def _amounts(words: Words) -> list[tuple[str, str, float]]:
    return [(kind, words.say(KIND_NAMES[kind]), amount) for kind, amount in BAND_SHARES]


def _construction(words: Words) -> Markup:
    """How the mark is made: a square, the same square turned by half a right angle, a disc, its horizon."""
    label = words.say("Two squares make the star; inside it a disc, half sun, half salt")
    half = 30 * 0.70710678
    square = f'x="{32 - half:.2f}" y="{32 - half:.2f}" width="{2 * half:.2f}" height="{2 * half:.2f}"'
    return Markup(
        f'<svg class="construction" viewBox="0 0 64 64" role="img" aria-label="{label}">'
        f'<path class="s-majorelle draft" d="{star(32, 32, 30)}"/>'
        f'<rect class="guide" {square}/><rect class="guide" {square} transform="rotate(45 32 32)"/>'
        '<circle class="guide" cx="32" cy="32" r="30"/><circle class="guide" cx="32" cy="32" r="15.5"/>'
        '<path class="guide" d="M0 32h64M32 0v64"/></svg>'
    )


def _stars(n_stars: int = 22) -> Markup:
    """The tiles of the band in the shares of an hour, large."""
    shown = "".join(
        f'<path class="s-{css} tile" d="{star(20 + 40 * index, 20, 20)}"/>'
        for index, css in enumerate(mosaic(BAND_SHARES, n_stars))
    )
    width = 40 * n_stars
    return Markup(
        f'<svg class="stars" viewBox="0 0 {width} 40" preserveAspectRatio="xMinYMid slice" aria-hidden="true">'
        f'<rect class="crosses" width="{width}" height="40"/>{shown}</svg>'
    )
