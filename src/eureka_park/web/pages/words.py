"""Languages of the pages: English in the templates, others from gettext catalogues; dates, numbers, units by locale.

A language falls back to another where a text is missing: Standard Moroccan Tamazight (`zgh`) speaks in navigation and
headings (`head`) and is French elsewhere (`say`). What is a figure stands between Unicode isolates, so that it reads
left to right in any text.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib import resources
from typing import Any, Final, Literal

from babel import Locale
from babel.dates import format_date, format_skeleton, get_month_names
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent
from babel.support import Translations
from fastapi import Request
from markupsafe import Markup, escape

from eureka_park.foundation.zones import ZoneInfo


@dataclass(frozen=True, slots=True)
class Language:
    """One language: its own name, its Babel locale, the language of its gaps, whether a native reader has seen it."""

    code: str
    name: str
    locale: str
    tag: str
    fallback: str = ""
    is_reviewed: bool = True


_ALL: Final = (
    Language("fr", "Français", "fr", "fr"),
    Language("ar", "العربية", "ar_MA", "ar", is_reviewed=False),
    Language("en", "English", "en", "en"),
    Language("zgh", "ⵜⴰⵎⴰⵣⵉⵖⵜ", "zgh", "zgh", fallback="fr", is_reviewed=False),
)
LANGUAGES: Final[Mapping[str, Language]] = {item.code: item for item in _ALL}
RIGHT_TO_LEFT: Final = frozenset({"ar"})
DEFAULT: Final = "en"
OPEN, CLOSE = "\u2068", "\u2069"
_DAY_S: Final = 86400
_MOST: Final = 1e15
_NONE: Final = "–"  # what stands for no figure
_ROUNDS_UP: Final = 0.9995  # 999.7 kW are told as 1 MW


def N_(text: str) -> str:
    """Marks a text that lives in data as one to translate; says nothing itself."""
    return text


_POWER: Final = ((1e3, N_("{n} GW")), (1.0, N_("{n} MW")), (1e-3, N_("{n} kW")), (0.0, N_("{n} W")))
_ENERGY: Final = ((1e6, N_("{n} GWh")), (1e3, N_("{n} MWh")), (1.0, N_("{n} kWh")), (0.0, N_("{n} Wh")))
_MASS: Final = ((1e6, N_("{n} t")), (1e3, N_("{n} kg")), (0.0, N_("{n} g")))
_BYTES: Final = (
    (1e12, N_("{n} TB")),
    (1e9, N_("{n} GB")),
    (1e6, N_("{n} MB")),
    (1e3, N_("{n} kB")),
    (0.0, N_("{n} B")),
)
_BASE: Final = {_POWER: 1e-6, _ENERGY: 1e-3, _MASS: 1.0, _BYTES: 1.0}


@cache
def catalogue(code: str) -> Translations:
    """The messages of a language; none for English and for what is no language of the pages."""
    if code not in LANGUAGES or code == "en":
        return Translations()
    folder = resources.files("eureka_park.web") / "locales" / LANGUAGES[code].locale
    text = (folder / "LC_MESSAGES" / "pages.po").read_bytes()
    compiled = io.BytesIO()
    write_mo(compiled, read_po(io.BytesIO(text), locale=LANGUAGES[code].locale))
    compiled.seek(0)
    return Translations(compiled, domain="pages")


class Words:
    """Speaks one language, and tells instants in one time zone."""

    def __init__(self, lang: str, zone: str = "UTC") -> None:
        language = LANGUAGES.get(lang, LANGUAGES[DEFAULT])
        self.language, self.lang, self.zone = language, language.code, zone
        self.direction = "rtl" if self.lang in RIGHT_TO_LEFT else "ltr"
        self.tag = (LANGUAGES.get(language.fallback) or language).tag
        self._locale = Locale.parse(LANGUAGES[language.fallback].locale if language.fallback else language.locale)
        self._messages = catalogue(self.lang)
        self._gaps = catalogue(language.fallback) if language.fallback else None
        self._tz = ZoneInfo(zone)

    # -- texts -----------------------------------------------------------------------------------------------------
    def say(self, text: str, **values: Any) -> str:
        """The text in this language, its {names} filled in; a text without translation stays English."""
        spoken = self._spoken(text)
        return spoken.format(**values) if values else spoken

    def _spoken(self, text: str) -> str:
        return str((self._gaps or self._messages).gettext(text)) if text else ""

    def head(self, text: str, **values: Any) -> str:
        """As `say`, for navigation and headings: a language with a fall-back speaks there itself, where it can."""
        own: str = self._messages.gettext(text) if text else ""
        if own == text:
            return self.say(text, **values)
        return own.format(**values) if values else own

    def name(self, text: str) -> str:
        """What somebody called a thing: as this language calls it where the catalogue knows it, else as it is."""
        return self.say(text) if self.lang != "en" and self.knows(text) else isolated(text)

    def joined(self, items: Iterable[str]) -> str:
        """Things in a row, with the comma of the language."""
        return ("، " if self.direction == "rtl" else ", ").join(items)

    def pair(self, name: str, value: str) -> str:
        """A name and its value, with the colon of the language."""
        return self.say("{name}: {value}", name=name, value=value)

    def html(self, text: str, **values: Any) -> Markup:
        """As `say`, with values that may be markup; the text itself is escaped."""
        return Markup(escape(self._spoken(text))).format(**values)

    def count(self, one: str, many: str, n: float, **values: Any) -> str:
        """The form of a text that fits a count, `{n}` filled in by the locale."""
        spoken = (self._gaps or self._messages).ngettext(one, many, round(n))
        return str(spoken).format(n=self.number(n), **values)

    def knows(self, text: str) -> bool:
        """Whether `say` speaks the text in a translation (or the language is English)."""
        return self.lang == "en" or (self._gaps or self._messages).gettext(text) != text

    def tag_of(self, text: str) -> str:
        """The language in which `say` speaks a text, for a `lang` attribute."""
        return self.tag if self.knows(text) else "en"

    def head_tag(self, text: str) -> str:
        """The language in which `head` speaks a text, for a `lang` attribute."""
        return self.language.tag if self._messages.gettext(text) != text else self.tag_of(text)

    # -- figures ---------------------------------------------------------------------------------------------------
    def number(self, value: float, digits: int | None = None) -> str:
        """A number with the locale's signs; `digits` after the point, else three that matter."""
        if not _can_be_told(value):
            return _NONE
        wanted = digits or 0
        if digits is None:
            digits = 0 if value == round(value) or abs(value) >= 100 else 1 if abs(value) >= 10 else 2
            wanted = max(digits, _first_digit(value) + 1) if abs(value) < 0.01 else digits
        pattern = "#,##0" + ("." + "0" * digits + "#" * (wanted - digits) if digits else "")
        return isolated(format_decimal(round(value, wanted) + 0.0, format=pattern, locale=self._locale))

    def percent(self, frac: float | None) -> str:
        """A share with the locale's per cent sign; a dash for none."""
        if frac is None or not _can_be_told(frac):
            return _NONE
        return isolated(format_percent(frac, locale=self._locale))

    def power(self, power_mw: float | None) -> str:
        """A power in W, kW, MW or GW; a dash for none."""
        return self._scaled(power_mw, _POWER)

    def energy(self, energy_kwh: float | None) -> str:
        """An energy in Wh, kWh, MWh or GWh; a dash for none."""
        return self._scaled(energy_kwh, _ENERGY)

    def grams(self, mass_g: float | None) -> str:
        """A mass in g, kg or t; a dash for none."""
        return self._scaled(mass_g, _MASS)

    def size(self, n_bytes: float) -> str:
        """A size in B, kB, MB or GB (decimal)."""
        return self._scaled(n_bytes, _BYTES)

    def _scaled(self, value: float | None, scales: tuple[tuple[float, str], ...]) -> str:
        if value is None or not _can_be_told(value):
            return _NONE
        size, form = next((item for item in scales if abs(value) >= item[0] * _ROUNDS_UP), scales[-1])
        shown = value / (size or _BASE[scales])
        digits = 0 if abs(shown) >= 100 or not shown else 1 if abs(shown) >= 10 else 2 if abs(shown) >= 0.1 else 4
        digits = max(digits, _first_digit(shown))
        digits = 0 if form == "{n} B" else digits
        return isolated(self.say(form, n=self.number(shown, digits)))

    def duration(self, seconds: float | None) -> str:
        """A duration in its two largest units that matter; a dash for none."""
        if seconds is None or not _can_be_told(seconds):
            return _NONE
        if 0 < seconds < 1:
            return isolated(self.say("less than 1 s"))
        whole = round(max(0.0, seconds))
        if whole < 60:
            return isolated(self.say("{n} s", n=self.number(whole)))
        if whole < 600 and whole % 60:
            return isolated(self.say("{m} min {s} s", m=self.number(whole // 60), s=self.number(whole % 60)))
        if whole < 3600:
            return isolated(self.say("{n} min", n=self.number(whole // 60)))
        if whole < 2 * _DAY_S:
            hours, minutes = whole // 3600, whole % 3600 // 60
            if not minutes:
                return isolated(self.say("{n} h", n=self.number(hours)))
            return isolated(self.say("{h} h {m} min", h=self.number(hours), m=isolated(f"{minutes:02d}")))
        return isolated(self.say("{d} d {h} h", d=self.number(whole // _DAY_S), h=self.number(whole % _DAY_S // 3600)))

    # -- instants --------------------------------------------------------------------------------------------------
    def local(self, instant_s: float) -> datetime:
        """An instant on the site's own clock."""
        return datetime.fromtimestamp(instant_s, UTC).astimezone(self._tz)

    def clock(self, instant_s: float | None) -> str:
        """Hours and minutes of an instant, site time; empty for none."""
        return "" if instant_s is None else isolated(f"{self.local(instant_s):%H:%M}")

    def day(self, instant_s: float, now_s: float | None = None) -> str:
        """The day of an instant: today, tomorrow and yesterday by name where `now_s` is given."""
        moment = self.local(instant_s)
        if now_s is not None:
            apart = (moment.date() - self.local(now_s).date()).days
            near = {0: N_("today"), 1: N_("tomorrow"), -1: N_("yesterday")}.get(apart)
            if near:
                return self.say(near)
        return isolated(format_skeleton("EdMMM", moment, locale=self._locale))

    def long_date(self, day: str) -> str:
        """A day written YYYY-MM-DD, with its month in full."""
        return isolated(format_date(date.fromisoformat(day), "long", locale=self._locale))

    def months(self, width: Literal["abbreviated", "wide"] = "abbreviated") -> list[str]:
        """The twelve months in short, or in full (`wide`), January first."""
        names = get_month_names(width, context="stand-alone", locale=self._locale)
        return [isolated(str(names[month])) for month in range(1, 13)]

    def when(self, instant_s: float | None, now_s: float | None = None) -> str:
        """Day and time of an instant, site time; the time alone where it is today. Empty for none."""
        if instant_s is None:
            return ""
        if now_s is not None and self.local(instant_s).date() == self.local(now_s).date():
            return self.clock(instant_s)
        return self.say("{day} {time}", day=self.day(instant_s, now_s), time=self.clock(instant_s))


def words_of(request: Request, zone: str = "UTC") -> Words:
    """The language asked for: ?lang=, the cookie, then Accept-Language."""
    for wanted in (request.query_params.get("lang"), request.cookies.get("lang")):
        if wanted in LANGUAGES:
            return Words(str(wanted), zone)
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
            return Words(name, zone)
    return Words(DEFAULT, zone)


def _first_digit(value: float) -> int:
    """At which place after the point the first digit stands that is not 0; 0 where it stands before the point."""
    size = abs(value)
    return min(9, math.ceil(-math.log10(size) - 1e-9)) if 0 < size < 1 else 0


def _can_be_told(value: float) -> bool:
    """Whether a figure is one that people read: neither infinite nor beyond all that a park measures."""
    return math.isfinite(value) and abs(value) < _MOST


def isolated(text: str) -> str:
    """Text between Unicode isolates: figures and ids keep their order inside any text."""
    return f"{OPEN}{text}{CLOSE}"
