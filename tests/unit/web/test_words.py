"""Who gets which language, how figures are told in each, and reasons in words."""

from __future__ import annotations

import ast
import math
import re
import string
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from babel import Locale
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.control.reasons import CODES as KERNEL_CODES
from eureka_park.web.pages.reasons import REASONS, reason_text, said
from eureka_park.web.pages.words import LANGUAGES, Words, catalogue, words_of

SRC = Path(str(resources.files("eureka_park")))
FOREIGN = [lang for lang in LANGUAGES if lang != "en"]
OPEN, CLOSE = "\u2068", "\u2069"
NOW_S = 1_795_348_800.0  # Sunday 2026-11-22T12:00:00Z
NB, NARROW = "\u00a0", "\u202f"


def plain(text: str) -> str:
    """Without isolates, all kinds of space as one."""
    return re.sub(f"[{NB}{NARROW}]", " ", text.replace(OPEN, "").replace(CLOSE, ""))


def is_isolated(text: str) -> bool:
    """Whether every digit stands between isolates that are opened and closed in turn."""
    depth = 0
    for mark in text:
        depth += (mark == OPEN) - (mark == CLOSE)
        if depth < 0 or (mark.isdigit() and not depth):
            return False
    return depth == 0


def asked(query: str = "", cookie: str = "", accept: str | None = None) -> Request:
    headers = [(b"cookie", cookie.encode())] if cookie else []
    headers += [(b"accept-language", accept.encode("latin-1"))] if accept is not None else []
    return Request({"type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "headers": headers})


@pytest.mark.parametrize(
    ("accept", "lang"),
    [
        (None, "en"),
        ("", "en"),
        ("fr", "fr"),
        ("ar-MA,ar;q=0.9,fr;q=0.8", "ar"),
        ("zgh-MA,fr;q=0.5", "zgh"),
        ("FR-fr", "fr"),
        ("de,fr;q=0.3,ar;q=0.7", "ar"),
        ("en;q=0.5, fr;q=0.6", "fr"),
        ("de-DE,de;q=0.9", "en"),
        ("*", "en"),
        ("fr;q=much,ar;q=0.1", "ar"),
        (";;;,,,q=,;q=", "en"),
        ("x" * 100_000, "en"),
        ("fr;q=0,en;q=0.1", "en"),
        ("fr;q=nan, ar", "ar"),
        ("fr ; q=0.2, ar ; q=0.9", "ar"),
    ],
)
def test_browsers_get_their_language(accept: str | None, lang: str) -> None:
    assert words_of(asked(accept=accept)).lang == lang


def test_choice_before_cookie_before_browser() -> None:
    assert words_of(asked("lang=ar", "lang=fr", "en")).lang == "ar"
    assert words_of(asked("", "lang=fr", "ar")).lang == "fr"
    assert words_of(asked("lang=xx", "lang=yy", "ar")).lang == "ar"
    assert words_of(asked("lang=../../etc/passwd")).lang == "en"


def test_directions_and_locales() -> None:
    assert {lang: Words(lang).direction for lang in LANGUAGES} == {"en": "ltr", "fr": "ltr", "ar": "rtl", "zgh": "ltr"}
    assert {lang: Words(lang).tag for lang in LANGUAGES} == {"en": "en", "fr": "fr", "ar": "ar", "zgh": "fr"}
    assert all(Locale.parse(language.locale) for language in LANGUAGES.values())
    assert Words("xx").say("Jobs") == "Jobs" and not catalogue("../fr")._catalog


def test_tamazight_speaks_in_headings_and_is_french_elsewhere() -> None:
    words, french = Words("zgh"), Words("fr")
    assert words.head("Welcome") == "ⴰⵏⵙⵓⴼ" and words.head_tag("Welcome") == "zgh"
    assert words.say("Welcome") == french.say("Welcome") and words.tag_of("Welcome") == "fr"
    assert words.count("{n} waits", "{n} wait", 2) == french.count("{n} waits", "{n} wait", 2)
    assert words.percent(0.5) == french.percent(0.5) and words.number(1234.5) == french.number(1234.5)
    assert words.head("no such text") == "no such text" and words.head_tag("no such text") == "en"
    assert french.head("Welcome") == french.say("Welcome") and french.head_tag("Welcome") == "fr"


@pytest.mark.parametrize(
    ("lang", "number", "share", "energy", "power", "mass", "span"),
    [
        ("en", "1,234.50", "58%", "2.50 kWh", "120 kW", "1.50 kg", "4 h 05 min"),
        ("fr", "1 234,50", "58 %", "2,50 kWh", "120 kW", "1,50 kg", "4 h 05 min"),
        ("ar", "1.234,50", "58%", "2,50 كيلوواط ساعة", "120 كيلوواط", "1,50 كغ", "4 س 05 د"),
    ],
)
def test_figures_by_locale(lang: str, number: str, share: str, energy: str, power: str, mass: str, span: str) -> None:
    words = Words(lang)
    figures = {
        words.number(1234.5, 2): number,
        words.percent(0.58): share,
        words.energy(2.5): energy,
        words.power(0.12): power,
        words.grams(1500): mass,
        words.duration(4 * 3600 + 5 * 60): span,
    }
    assert {plain(shown).replace("\u200e", "").replace("\u200f", "") for shown in figures} == set(figures.values())
    assert all(is_isolated(shown) and shown.startswith(OPEN) for shown in figures)


def test_french_binds_figures_to_their_units() -> None:
    words = Words("fr")
    assert words.percent(0.58).strip(OPEN + CLOSE) == f"58{NB}%"
    assert words.number(1234567).strip(OPEN + CLOSE) == f"1{NARROW}234{NARROW}567"
    for shown in (words.power(3), words.energy(3), words.grams(3), words.duration(3), words.size(3e6)):
        assert " " not in shown, shown


def test_the_smallest_figures_are_not_nothing() -> None:
    words = Words("fr")
    steps = [words.number(step).strip("\u2068\u2069") for step in (0.0001, 0.00025, 0.004, 0.05, 0.5)]
    assert steps == ["0,0001", "0,00025", "0,004", "0,05", "0,50"]
    assert "0,00003" in words.grams(0.00003) and "0,0002" in words.energy(2e-7)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0, "0 s"), (0.3, "less than 1 s"), (59.4, "59 s"), (60, "1 min"), (90, "1 min 30 s"), (600, "10 min"),
     (659, "10 min"), (3600, "1 h"), (3660, "1 h 01 min"), (36 * 3600, "36 h"), (50 * 3600, "2 d 2 h"), (-5, "0 s")],
)  # fmt: skip
def test_durations_in_two_units(seconds: float, shown: str) -> None:
    assert plain(Words("en").duration(seconds)) == shown


@pytest.mark.parametrize(
    ("mw", "shown"),
    [(0, "0 W"), (1e-6, "1.00 W"), (0.0005, "500 W"), (0.0009997, "1.00 kW"), (0.12, "120 kW"), (1, "1.00 MW"),
     (386.4, "386 MW"), (999.7, "1.00 GW"), (-0.5, "-500 kW"), (2e-9, "0.0020 W")],
)  # fmt: skip
def test_powers_in_the_unit_that_fits(mw: float, shown: str) -> None:
    assert plain(Words("en").power(mw)) == shown


@pytest.mark.parametrize(
    ("lang", "near", "far"),
    [
        ("en", ["12:30", "tomorrow 12:30", "yesterday 12:30"], "Wed, Nov 25 12:30"),
        ("fr", ["12:30", "demain à 12:30", "hier à 12:30"], "mer. 25 nov. à 12:30"),
        ("ar", ["12:30", "غدًا 12:30", "أمس 12:30"], "الأربعاء، 25 نونبر 12:30"),
    ],
)
def test_instants_by_locale(lang: str, near: list[str], far: str) -> None:
    words, day = Words(lang), 86400.0
    at = NOW_S + 1800
    assert [plain(words.when(at + shift * day, NOW_S)) for shift in (0, 1, -1)] == near
    assert plain(words.when(at + 3 * day, NOW_S)) == plain(words.when(at + 3 * day)) == far
    assert words.when(None) == words.clock(None) == ""


def test_time_is_the_site_s() -> None:
    moment = 1_795_390_200.0  # 23:30 in UTC
    assert plain(Words("en", "UTC").clock(moment)) == "23:30"
    assert plain(Words("en", "Asia/Tokyo").when(moment, moment - 86400)) == "tomorrow 08:30"
    assert plain(Words("fr", "Africa/Casablanca").clock(moment)) in {
        "23:30",
        "00:30",
    }  # the zone's own rule of that day


@pytest.mark.parametrize("lang", LANGUAGES)
@given(value=st.floats())
def test_every_figure_is_isolated_and_says_no_nonsense(lang: str, value: float) -> None:
    words = Words(lang)
    shown = [words.number(value), words.percent(value), words.power(value), words.energy(value), words.grams(value)]
    shown += [words.size(value), words.duration(value)]
    for text in shown:
        assert is_isolated(text) and "nan" not in text.lower() and "inf" not in text.lower(), text
        assert "{" not in text and text
        assert math.isfinite(value) or text == "–"
        assert any(mark.isdigit() for mark in text) or text == "–"


@pytest.mark.parametrize("lang", LANGUAGES)
@given(instant_s=st.floats(0, 4e9), now_s=st.floats(0, 4e9))
def test_every_instant_is_isolated(lang: str, instant_s: float, now_s: float) -> None:
    words = Words(lang, "Africa/Casablanca")
    assert is_isolated(words.when(instant_s, now_s)) and is_isolated(words.clock(instant_s))


def test_no_figure_is_a_dash() -> None:
    words = Words("fr")
    nothing = (words.power(None), words.energy(None), words.grams(None), words.percent(None), words.duration(None))
    assert set(nothing) == {"–"}


@pytest.mark.parametrize(
    ("n", "shown"),
    [(0, "لا مهام"), (1, "مهمة واحدة"), (2, "مهمتان"), (3, "3 مهام"), (10, "10 مهام"), (11, "11 مهمة"), (99, "99 مهمة"),
     (100, "100 مهمة"), (102, "102 مهمة"), (103, "103 مهام"), (111, "111 مهمة"), (1003, "1.003 مهام")],
)  # fmt: skip
def test_arabic_counts_by_its_six_forms(n: int, shown: str) -> None:
    assert plain(Words("ar").count("{n} job", "{n} jobs", n)) == shown


@pytest.mark.parametrize(
    ("n", "shown"), [(0, "0 terminé"), (1, "1 terminé"), (2, "2 terminés"), (1000, "1 000 terminés")]
)
def test_french_counts_nothing_as_one(n: int, shown: str) -> None:
    assert plain(Words("fr").count("{n} finished", "{n} finished", n)) == shown


def test_names_are_spoken_where_they_are_known_and_isolated_where_not() -> None:
    assert Words("ar").name("Noor III") == "نور 3" and Words("fr").name("Welcome") == "Bienvenue"
    assert Words("en").name("Noor III") == f"{OPEN}Noor III{CLOSE}"
    for lang in LANGUAGES:
        assert Words(lang).name("A roof {of} ours") == f"{OPEN}A roof {{of}} ours{CLOSE}"


def test_things_in_a_row_have_the_comma_of_the_language() -> None:
    assert Words("ar").joined(["أ", "ب"]) == "أ، ب"
    assert Words("fr").joined(["a", "b"]) == Words("zgh").joined(["a", "b"]) == "a, b"


def test_values_are_escaped_in_markup() -> None:
    shown = Words("fr").html("until {time}", time="<b>")
    assert "&lt;b&gt;" in shown and "<b>" not in shown


# -- reasons -----------------------------------------------------------------------------------------------------------
VALUES = {
    "need_credits": 12.5, "left_credits": 0.25, "project": "solar", "paid_s": 7200.0,
    "need_kw": 0.012, "free_kw": -3.0, "short_kw": 1234.5, "now_mad_per_mwh": 812.4, "then_mad_per_mwh": 640.0,
    "n_ahead": 3, "clean_kw": 7.0, "after": ["job-a", "job-b", "job-c", "job-d"], "cpus": 2.5, "free_cpus": 1.0,
    "gpus": 1, "free_gpus": 0, "memory_bytes": 2 * 1024**3, "free_memory_bytes": 1024**3,
    "share": "health", "floor_kw": 400.0, "closed": ["n1", "n2", "n3"],
    "n_bytes": 3.0e6, "of_bytes": 1.0e9, "took_s": 95.0,
    "from": "2026-11-22T13:00:00Z", "to": "2026-11-22T14:00:00Z",
}  # fmt: skip
PARTS = {"nodes": 3, "free_nodes": 2}


def reason(code: str, **values: Any) -> dict[str, Any]:
    return {"code": code, "text": "Its own English.", "values": values, "until": None}


def fields(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def codes_of_the_park() -> set[str]:
    """The codes of reasons in the sources: `Reason("code", ...)` and `{"code": "...", "text": ...}`."""
    found: set[str] = set()
    for path in [*SRC.glob("control/**/*.py"), *SRC.glob("compute/**/*.py"), *SRC.glob("live/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"Reason", "_reason"}:
                found |= {str(arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant)}
            elif isinstance(node, ast.Dict):
                keys = [getattr(key, "value", None) for key in node.keys]
                if "code" in keys and "until" in keys:
                    value = node.values[keys.index("code")]
                    found |= {str(value.value)} if isinstance(value, ast.Constant) else set()
    return found


def test_every_reason_of_the_park_has_words() -> None:
    codes = codes_of_the_park()
    codes |= KERNEL_CODES
    assert {"room", "better_hour", "no_plan", "just_sent", "in_line", "reserved", "reclaimed"} <= codes
    assert codes <= set(REASONS), codes - set(REASONS)


@pytest.mark.parametrize("code", REASONS)
@pytest.mark.parametrize("lang", FOREIGN)
def test_reasons_are_spoken_with_isolated_numbers(lang: str, code: str) -> None:
    values = VALUES | (PARTS if code == "shrunk_power" else {})
    text, spoken_in = reason_text(Words(lang), reason(code, **values))
    assert spoken_in == Words(lang).tag and "{" not in text and "Its own" not in text
    assert is_isolated(text) and text.count(OPEN) >= len(fields(REASONS[code]))
    assert "-3" not in text, "what is short is nothing free, not less than nothing"
    assert "job-d" not in text and ("…" in text) is (code == "dependency")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_unknown_reasons_stay_english(lang: str) -> None:
    assert reason_text(Words(lang), reason("new_one", cpus=2)) == ("Its own English.", "en")


def test_english_reasons_keep_what_their_own_text_says_more() -> None:
    assert reason_text(Words("en"), reason("room", **VALUES)) == ("Its own English.", "en")
    text, spoken_in = reason_text(Words("en"), reason("clean_power", **VALUES))
    assert plain(text) == "It needs 12.0 W of the park's own sun, wind or salt; 0 W is free now." and spoken_in == "en"


@pytest.mark.parametrize("code", REASONS)
@pytest.mark.parametrize("lang", FOREIGN)
def test_a_reason_without_its_values_stays_english(lang: str, code: str) -> None:
    text, spoken_in = reason_text(Words(lang), reason(code))
    assert (text, spoken_in) == ("Its own English.", "en") if fields(REASONS[code]) else spoken_in == Words(lang).tag


@pytest.mark.parametrize("lang", FOREIGN)
def test_gangs_and_kept_time_have_forms_of_their_own(lang: str) -> None:
    text, spoken_in = reason_text(Words(lang), reason("room", **PARTS))
    assert spoken_in == Words(lang).tag and "3" in text and "2" in text and is_isolated(text)
    closed = {name: VALUES[name] for name in ("closed", "from", "to")}
    texts = [
        reason_text(Words(lang), reason("window", **closed, is_reserved=reserved))[0] for reserved in (False, True)
    ]
    assert texts[0] != texts[1] and all("n1" in text for text in texts)
    many = reason_text(Words(lang), reason("window", **{**closed, "closed": ["a", "b", "c", "d"]}))[0]
    assert "…" in many and "…" not in texts[0]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_reason_says_what_stands_behind_it(lang: str) -> None:
    words = Words(lang)
    plain_text = reason_text(words, reason("behind", n_ahead=3))[0]
    told = reason_text(words, reason("behind", n_ahead=3, used_frac=0.42, due_frac=0.25))[0]
    assert told.startswith(plain_text) and "42" in told and "25" in told and is_isolated(told)
    short = {"short_kw": 5.0}
    kept, empty = ({**short, "kept_kw": 9.0}, {**short, "kept_kw": 0.0, "salt": "empty"})
    texts = [reason_text(words, reason("paused_power", **values))[0] for values in (short, kept, empty)]
    assert len(set(texts)) == 3 and all(text.startswith(texts[0]) for text in texts)


def test_reasons_say_until_when() -> None:
    told = said(Words("fr"), [{**reason("next"), "until": "2026-11-22T13:30:00Z"}], NOW_S)
    assert told is not None and plain(told["until"]) == "13:30" and told["until_at"] == "2026-11-22T13:30:00Z"
    assert said(Words("fr"), []) is None
