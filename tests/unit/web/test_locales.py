"""The catalogues: everything that pages say is there, nothing more, and each translation is whole."""

from __future__ import annotations

import re
import string
import tomllib
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import pytest
from babel.messages.catalog import Message
from babel.messages.plurals import PLURALS

from eureka_park.energy.core.chapters import CHAPTERS
from eureka_park.energy.core.sky import SENTENCES as SKY
from eureka_park.foundation.site_file import Plant, PlantType, Tier
from eureka_park.foundation.site_reading import load_site
from eureka_park.live import rows
from eureka_park.web.charts.shapes import UNITS
from eureka_park.web.locales import make
from eureka_park.web.pages import overview, vocabulary
from eureka_park.web.pages.draw import NAVIGATION
from eureka_park.web.pages.words import LANGUAGES, Words
from eureka_park.web.request_schemas import ClassName
from eureka_park.web.schemas import JobStateName, Receipt

WHOLE = ("fr", "ar_MA")
ARABIC, TIFINAGH = re.compile("[\u0600-\u06ff]"), re.compile("[\u2d30-\u2d7f]")
LETTERS = re.compile(r"[^\W\d_]")
# Arabic texts that are symbols or names alone.
NO_ARABIC_NEEDED = frozenset({"{day} {time}", "{n} of {all}", "BIC", "IBAN"})
END_MARKS = (".", "?", ":")


def texts_of(value: Any) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (str(value),)


def spoken(locale: str) -> Iterator[tuple[Message, str, str]]:
    """Every translation: the message, the English it stands for, the translation."""
    for message in make.read(locale):
        if message.id:
            english = texts_of(message.id)
            for index, text in enumerate(texts_of(message.string)):
                if text:  # what is missing is told by a test of its own
                    yield message, english[min(index, len(english) - 1)], text


def fields(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name is not None)


def end_of(text: str) -> str:
    last = text.rstrip("\u00a0\u202f ")[-1:]
    return {"؟": "?", "…": ".", "،": ","}.get(last, last)


@pytest.mark.parametrize("locale", make.LOCALES)
def test_catalogues_hold_what_is_said_and_nothing_more(locale: str) -> None:
    said = {make._key(message) for message in make.extracted() if message.id}
    kept = {make._key(message) for message in make.read(locale) if message.id}
    assert len(said) > 300
    assert said == kept, f"run: python -m eureka_park.web.locales.make update ({sorted(said ^ kept)[:5]})"


@pytest.mark.parametrize("locale", make.LOCALES)
def test_catalogues_are_clean(locale: str) -> None:
    catalog = make.read(locale)
    assert not [message.id for message in catalog if message.id and message.fuzzy]
    assert not catalog.obsolete
    text = make.file_of(locale).read_text("utf-8")
    assert "#~" not in text and "EMAIL@ADDRESS" not in text and "Date:" not in text


@pytest.mark.parametrize("locale", WHOLE)
def test_nothing_is_missing(locale: str) -> None:
    assert not [message.id for message in make.gaps(locale)]


@pytest.mark.parametrize(("locale", "n_forms"), [("fr", 2), ("ar_MA", 6)])
def test_plurals_have_all_forms(locale: str, n_forms: int) -> None:
    assert PLURALS[locale.split("_")[0]][0] == n_forms
    counted = [message for message in make.read(locale) if message.pluralizable]
    assert len(counted) > 3
    assert all(len(texts_of(message.string)) == n_forms for message in counted)


@pytest.mark.parametrize("locale", WHOLE)
def test_fields_are_the_same(locale: str) -> None:
    for message, english, text in spoken(locale):
        wanted, given = set(fields(english)), set(fields(text))
        assert given == wanted or (may_leave_out_its_number(message, text) and given == wanted - {"n"}), (english, text)


def may_leave_out_its_number(message: Message, text: str) -> bool:
    """Arabic says none, one and two in words of their own."""
    return message.pluralizable and texts_of(message.string).index(text) < 3 < len(texts_of(message.string))


@pytest.mark.parametrize("locale", WHOLE)
def test_sentences_end_alike(locale: str) -> None:
    for message, english, text in spoken(locale):
        assert text.strip() == text and "  " not in text, text
        if end_of(english) in END_MARKS or end_of(text) in END_MARKS:
            assert end_of(text) == end_of(english), (message.id, text)
        assert not any(mark in text for mark in "\u2068\u2069\u202a\u202b\u202c\u202d\u202e"), text
        assert "!" not in text, "no exclamation marks"


def test_arabic_is_arabic() -> None:
    for _, english, text in spoken("ar_MA"):
        assert english in NO_ARABIC_NEEDED or ARABIC.search(text) or not LETTERS.search(re.sub(r"{\w+}", "", text)), (
            english,
            text,
        )
        assert not re.search("[\u0660-\u0669\u06f0-\u06f9]", text), "digits are Latin in Morocco"
        assert "?" not in text and "," not in re.sub(r"\d,\d", "", text) and ";" not in text, text
        assert "ـ" not in text.replace("بـ", "").replace("لـ", ""), "no stretched letters"


def test_the_park_has_one_arabic_name() -> None:
    """See docs/nomenclature.md."""
    letters = Path(str(resources.files("eureka_park.accounts.sign_in") / "letters.toml")).read_text("utf-8")
    for english, text in [*((english, text) for _, english, text in spoken("ar_MA")), ("letters", letters)]:
        assert "حظير" not in text and not re.search(r"(?<!\w)ال?مجمع(?!\w)", text), (english, text[:300])


def test_codes_inside_arabic_keep_their_order() -> None:
    """An option, a suffix or a date begins with a mark of its direction, or its signs wander to the other end."""
    for _, english, text in spoken("ar_MA"):
        assert not re.search(r"(?<![\u200eA-Za-z0-9-])(?<![A-Za-z] )(?:--?[a-z]|\.[a-z]|\d{4}-\d)", text), (
            english,
            text,
        )


def test_french_has_its_own_signs() -> None:
    for _, english, text in spoken("fr"):
        assert "'" not in text and '"' not in text, (english, text)
        assert not re.search(r"(?<![\u202f\u00a0])[;?]|[^\u202f\u00a0\d/:]:(?!\w|//)|[ \w](?:%)", text), (english, text)
        assert not re.search(r" [;:?!%»]|« ", text), (english, text)


def test_units_do_not_break_off_their_figures() -> None:
    for locale in WHOLE:
        for _, english, text in spoken(locale):
            if re.fullmatch(r"{n} (?:[kMG]?Wh?|[kMG]?B|k?g|t|h|min|s)", english):
                assert not re.search("{n} ", text), (locale, text)


def test_tamazight_is_tifinagh_and_only_in_headings() -> None:
    heads = set(headings())
    given = {english: text for _, english, text in spoken("zgh")}
    assert len(given) >= 8
    for english, text in given.items():
        assert english in heads, f"{english}: zgh speaks in navigation and headings"
        assert all(TIFINAGH.match(mark) or mark in " ,." for mark in text), text


def headings() -> Iterator[str]:
    """What stands in headings and navigation."""
    for file in sorted((make.WEB / "templates").glob("*.html")):
        yield from re.findall(r"\bh[123]\(\"([^\"]+)\"", file.read_text("utf-8"))
    yield from (name for _, name, _ in NAVIGATION)


def test_words_of_data_are_the_codes_own() -> None:
    happenings = {what for what, _ in rows._WORDS.values() if what}
    assert set(vocabulary.STATES) == set(get_args(JobStateName))
    assert happenings <= set(vocabulary.STATES) | set(vocabulary.HAPPENINGS)
    assert set(vocabulary.HAPPENINGS) <= happenings
    assert set(vocabulary.TIERS) == set(get_args(Tier))
    assert set(vocabulary.CLASSES) == set(get_args(ClassName))
    assert set(vocabulary.METHODS) == set(get_args(Receipt.model_fields["method"].annotation))
    assert set(vocabulary.PLANT_TYPES) == set(get_args(PlantType))
    assert set(vocabulary.PLANT_STATUS) == set(get_args(Plant.model_fields["status"].annotation))
    assert set(vocabulary.PLANTS) == {plant.title for plant in load_site("eureka-park").plants}
    bench = tomllib.loads((resources.files("eureka_park") / "sites" / "bench.toml").read_text("utf-8"))
    assert set(vocabulary.SITE_TEXTS) == {bench["nodes"][0]["label"], load_site("eureka-park").about}
    assert set(vocabulary.CHART_UNITS) == {unit for unit, _ in UNITS}
    assert set(vocabulary.CHAPTERS) == {text for chapter in CHAPTERS for text in (chapter.title, chapter.text)}
    assert dict(overview.SENTENCES) == dict(SKY)


def test_every_language_is_offered_by_its_own_name() -> None:
    assert {language.locale for language in LANGUAGES.values()} == {"en", *make.LOCALES}
    assert [language.name for language in LANGUAGES.values()] == ["Français", "العربية", "English", "ⵜⴰⵎⴰⵣⵉⵖⵜ"]
    assert {code for code, language in LANGUAGES.items() if not language.is_reviewed} == {"ar", "zgh"}


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ('words.say("a {x}", x=1)', ["a {x}"]),
        ('N_("one " "two")', ["one two"]),
        ('words.say(found["title"])', []),
        ('count("{n} job", "{n} jobs", n)', [("{n} job", "{n} jobs")]),
        ("words.count(one, many, n)", []),
        ('say("{n} MW" if big else "{n} kW")', []),
        ('term("salt")', []),
        ('names.count("x")', []),
    ],
)
def test_texts_are_found_in_the_code(source: str, texts: list[Any]) -> None:
    assert list(make.said_in(source)) == texts


def test_translations_are_taken_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make, "file_of", lambda locale: tmp_path / f"{locale}.po")
    assert make.set_all("fr", {"Jobs": "Calculs", "{n} waits": ["{n} attend", "{n} attendent"], "unsaid": "x"}) == [
        "unsaid"
    ]
    assert make.read("fr").get("Jobs").string == "Calculs"  # type: ignore[union-attr]
    before = (tmp_path / "fr.po").read_bytes()
    make.write("fr", make.merged("fr"))
    assert (tmp_path / "fr.po").read_bytes() == before, "the same messages make the same file"
    assert "Jobs" not in {make._key(message) for message in make.gaps("fr")}


def test_a_text_without_translation_stays_english() -> None:
    for lang in LANGUAGES:
        assert Words(lang).say("Nobody says this {x}.", x=1) == "Nobody says this 1."
