"""Colours of the style sheet and how well they can be read: WCAG 2.2, relative luminance and contrast ratio."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

Rgb = tuple[int, int, int]
TEXT_MIN, EDGE_MIN = 4.5, 3.0  # AA for text, and for borders of controls and parts of pictures
_TOKEN: Final = re.compile(r"--([a-z-]+):\s*light-dark\(\s*(#[0-9a-fA-F]{3,6})\s*,\s*(#[0-9a-fA-F]{3,6})\s*\)")

# What text stands on, everywhere in the pages: text token, ground token.
TEXT_PAIRS: Final = (
    ("ink", "paper"), ("ink", "card"), ("ink", "sunk"), ("ink", "wash"), ("mute", "paper"), ("mute", "card"),
    ("mute", "sunk"), ("mute", "wash"), ("majorelle", "paper"), ("majorelle", "card"), ("majorelle", "wash"),
    ("on-majorelle", "majorelle"), ("wind-text", "card"), ("wind-text", "paper"), ("salt-text", "card"),
    ("salt-text", "paper"), ("bad", "card"), ("bad", "paper"), ("paper", "ink"),
)  # fmt: skip
EDGE_PAIRS: Final = (("edge", "card"), ("edge", "paper"), ("majorelle", "card"), ("majorelle", "paper"))


@dataclass(frozen=True, slots=True)
class Token:
    """A colour by name, in light and in dark."""

    name: str
    light: str
    dark: str


@dataclass(frozen=True, slots=True)
class Pair:
    """Two tokens over each other and how they contrast in light and in dark."""

    over: str
    ground: str
    light: float
    dark: float
    least: float

    @property
    def passes(self) -> bool:
        """Whether both reach what is asked."""
        return min(self.light, self.dark) >= self.least


def tokens_of(css: str) -> dict[str, Token]:
    """The plain colour tokens of a style sheet, as written or as built."""
    return {name: Token(name, light.lower(), dark.lower()) for name, light, dark in _TOKEN.findall(css)}


def rgb(colour: str) -> Rgb:
    """`#abc` or `#aabbcc` as three numbers up to 255."""
    digits = colour.removeprefix("#")
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def luminance(colour: str) -> float:
    """Relative luminance of an sRGB colour, 0 to 1."""

    def linear(part: int) -> float:
        value = part / 255
        return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)

    red, green, blue = (linear(part) for part in rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    dim, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def pairs_of(tokens: dict[str, Token]) -> list[Pair]:
    """Every pair that pages use, measured."""
    asked = [*((*pair, TEXT_MIN) for pair in TEXT_PAIRS), *((*pair, EDGE_MIN) for pair in EDGE_PAIRS)]
    return [
        Pair(
            over,
            ground,
            contrast(tokens[over].light, tokens[ground].light),
            contrast(tokens[over].dark, tokens[ground].dark),
            least,
        )
        for over, ground, least in asked
    ]
