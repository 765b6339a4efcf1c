"""Languages: everything that pages say is spoken in French and Arabic, nothing more; who gets which language."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi import Request
from jinja2 import Environment, nodes

from eureka_park.energy.core.sky import SENTENCES
from eureka_park.foundation.site_file import Plant, PlantType, Tier
from eureka_park.live import rows
from eureka_park.web.pages.routes import _HEADLINES
from eureka_park.web.pages.site import POLICIES
from eureka_park.web.pages.words import LANGUAGES, REASONS, RIGHT_TO_LEFT, Words, catalogue, reason_text, words_of
from eureka_park.web.schemas import JobStateName, Receipt

WEB = Path(str(resources.files("eureka_park.web")))
FOREIGN = [lang for lang in LANGUAGES if lang != "en"]
OPEN, CLOSE = "\u2068", "\u2069"
# Texts that reach a page through a name, not as a literal where they are said.
THROUGH_NAMES: Mapping[str, frozenset[str]] = {
    "job.tier": frozenset(get_args(Tier)),
    "row.tier": frozenset(get_args(Tier)),
    "name": frozenset(get_args(JobStateName)),
    "job.state": frozenset(get_args(JobStateName)),
    "item.what": frozenset(what for what, _ in rows._WORDS.values() if what),
    "method": frozenset(get_args(Receipt.model_fields["method"].annotation)),
    "receipt.method": frozenset(get_args(Receipt.model_fields["method"].annotation)),
    "plant.type": frozenset(get_args(PlantType)),
    "plant.status": frozenset(get_args(Plant.model_fields["status"].annotation)),
}
IN_PYTHON: Mapping[str, frozenset[str]] = {
    "POLICIES[park.sky]": frozenset(POLICIES.values()),
    "_HEADLINES.get(error.http_status, _HEADLINES[500])": frozenset(_HEADLINES.values()),
    "sky_now(plan, now_s, kinds).text": frozenset(SENTENCES.values()),
    "form": frozenset(REASONS.values()),
    "job['tier']": frozenset(get_args(Tier)),
    "weather": frozenset({"synthetic weather", "weather: see the site page"}),
}


def said_by_templates() -> Iterator[nodes.Expr]:
    """What stands first in every `_(...)`, `words.say(...)` and `parts.state(words, ...)`."""
    for path in sorted((WEB / "templates").glob("*.html")):
        for call in Environment().parse(path.read_text()).find_all(nodes.Call):
            called = call.node
            if (isinstance(called, nodes.Name) and called.name == "_") or (
                isinstance(called, nodes.Getattr) and called.attr == "say"
            ):
                yield call.args[0]
            elif isinstance(called, nodes.Getattr) and called.attr == "state":
                yield call.args[1]


def in_words(expression: nodes.Expr) -> str:
    if isinstance(expression, nodes.Getattr):
        return f"{in_words(expression.node)}.{expression.attr}"
    assert isinstance(expression, nodes.Name), expression
    return expression.name


def said_by_pages() -> Iterator[ast.expr]:
    for path in sorted((WEB / "pages").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "say":
                yield node.args[0]


def all_said() -> set[str]:
    said: set[str] = set()
    for expression in said_by_templates():
        is_literal = isinstance(expression, nodes.Const)
        said |= {expression.value} if is_literal else THROUGH_NAMES[in_words(expression)]
    for argument in said_by_pages():
        is_literal = isinstance(argument, ast.Constant)
        said |= {argument.value} if is_literal else IN_PYTHON[ast.unparse(argument)]
    return said


def fields(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("lang", FOREIGN)
def test_all_is_spoken_and_nothing_more(lang: str) -> None:
    said, known = all_said(), set(catalogue(lang))
    assert len(said) > 100
    assert not said - known, f"not in {lang}.toml"
    assert not known - said, f"in {lang}.toml for nobody"


@pytest.mark.parametrize("lang", FOREIGN)
def test_translations_are_whole(lang: str) -> None:
    for text, spoken in catalogue(lang).items():
        assert spoken.strip() == spoken and spoken, text
        assert fields(spoken) == fields(text), text
        assert text.endswith(".") == spoken.endswith("."), text
        assert OPEN not in spoken, text  # isolates are put around values, where they are known
    if lang in RIGHT_TO_LEFT:
        assert all(any("\u0600" <= mark <= "\u06ff" for mark in spoken) for spoken in catalogue(lang).values())


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


def test_directions() -> None:
    assert {lang: Words(lang).direction for lang in LANGUAGES} == {"en": "ltr", "fr": "ltr", "ar": "rtl"}
    assert Words("xx").say("Jobs") == "Jobs" and catalogue("../fr") == {}


VALUES = {
    "need_kw": 0.012, "free_kw": -3.0, "short_kw": 1234.5, "now_mad_per_mwh": 812.4, "then_mad_per_mwh": 640.0,
    "n_ahead": 3, "clean_kw": 7.0,
}  # fmt: skip


def reason(code: str, **values: Any) -> dict[str, Any]:
    return {"code": code, "text": "Its own English.", "values": values, "until": None}


@pytest.mark.parametrize("code", REASONS)
@pytest.mark.parametrize("lang", FOREIGN)
def test_reasons_are_spoken_with_isolated_numbers(lang: str, code: str) -> None:
    text, spoken_in = reason_text(Words(lang), reason(code, **VALUES))
    assert spoken_in == lang and "{" not in text and "Its own" not in text
    assert text.count(OPEN) == text.count(CLOSE) == len(fields(REASONS[code]))
    outside = "".join(part.split(CLOSE)[-1] for part in text.split(OPEN))
    assert not any(mark.isdigit() for mark in outside), "a number outside isolates"
    assert "-3" not in text, "what is short is nothing free, not less than nothing"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_unknown_reasons_stay_english(lang: str) -> None:
    assert reason_text(Words(lang), reason("room", cpus=2)) == ("Its own English.", "en")


def test_english_reasons_are_their_own() -> None:
    assert all(reason_text(Words("en"), reason(code, **VALUES)) == ("Its own English.", "en") for code in REASONS)


@pytest.mark.parametrize("code", REASONS)
@pytest.mark.parametrize("lang", FOREIGN)
def test_a_reason_without_its_values_stays_english(lang: str, code: str) -> None:
    text, spoken_in = reason_text(Words(lang), reason(code))
    assert (text, spoken_in) == ("Its own English.", "en") if fields(REASONS[code]) else spoken_in == lang
