"""The report keeps its contract: every cell has what it must say, every figure its command, every text its language."""

from __future__ import annotations

import copy
import importlib.util
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import hatch_build
import pytest

from eureka_park.cli.main import cli
from eureka_park.energy.verdict_assumptions import shipped
from eureka_park.energy.verdict_file import read_study, shipped_study, write_study
from eureka_park.energy.verdict_schema import ROWS, SCENARIOS, SOURCES, TARGETS, Study
from eureka_park.foundation.errors import BadInput
from eureka_park.web.pages.words import Words
from eureka_park.web.verdict.facts import FACTS, ROW_NAMES, SCENARIO_NAMES
from eureka_park.web.verdict.render import FILE_LANGUAGES, standalone
from eureka_park.web.verdict.sentences import ALMOST_FRAC, YES_FRAC, verdict_sentence
from eureka_park.web.verdict.sheets import plain
from eureka_park.web.verdict.view import view

ROOT = Path(__file__).resolve().parents[3]
FILE_BYTES_MAX = 1_000_000
STUDY_BYTES_MAX = 400_000
SAME_EVERYWHERE = {"Noor III", "Koudia Al Baida", "Tétouan", "Scénario", "Source", "Capital"}


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    hatch_build.build()


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return {lang: standalone(shipped_study(), shipped(), lang) for lang in FILE_LANGUAGES}


class Text(HTMLParser):
    """Words of a page without its scripts and sheets, and what its tags ask for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.parts: list[str] = []
        self._inside: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag in {"script", "style"}:
            self._inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._inside and self._inside[-1] == tag:
            self._inside.pop()

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self.parts.append(data)


# -- the study -----------------------------------------------------------------------------------------------------
def test_the_shipped_study_is_whole_and_small() -> None:
    study = shipped_study()
    assert {(cell["row"], cell["scenario"]) for cell in study["cells"]} == {(r, s) for r in ROWS for s in SCENARIOS}
    assert [size["target_frac"] for size in study["sizes"]] == list(TARGETS)
    assert len(study["pareto"]) == 8
    assert set(study["hours"]["by_source"]) == set(SOURCES)
    assert all(len(series) == 8760 for series in study["hours"]["by_source"].values())
    file = ROOT / "src/eureka_park/energy/data/verdict.json.gz"
    assert file.stat().st_size < STUDY_BYTES_MAX


def test_sources_of_an_hour_add_up_to_its_load() -> None:
    hours = shipped_study()["hours"]
    for values in zip(*hours["by_source"].values(), strict=True):
        assert sum(values) / 10 == pytest.approx(hours["load_mw"], abs=0.4)


def test_cells_relate_as_they_must() -> None:
    """Relations that hold for any weather; no figure of the verdict is fixed here."""
    cells = {(cell["row"], cell["scenario"]): cell for cell in shipped_study()["cells"]}
    for scenario in SCENARIOS:
        shares = [cells[row, scenario]["cfe_frac"]["p50"] for row in ("constant", "fleet-high", "fleet-low")]
        loads = [cells[row, scenario]["load_mw"]["p50"] for row in ("cfe-99", "cfe-90", "cfe-75")]
        assert shares == sorted(shares), "a smaller load is carried further"
        assert loads == sorted(loads), "a smaller share allows a larger load"
        for row, share in (("cfe-99", 0.99), ("cfe-90", 0.90), ("cfe-75", 0.75)):
            assert cells[row, scenario]["cfe_frac"]["p50"] == pytest.approx(share, abs=0.005)
    for row in ROWS:
        for key in ("cfe_frac", "volume_frac", "import_gwh", "mad_per_kwh", "gco2_per_kwh", "load_mw"):
            for scenario in SCENARIOS:
                span: Any = cells[row, scenario][key]  # type: ignore[literal-required]
                assert 0 <= span["p10"] <= span["p50"] <= span["p90"]
    assert cells["constant", "noor-iii-out"]["cfe_frac"]["p50"] < cells["constant", "all-plants"]["cfe_frac"]["p50"]


def test_a_study_is_kept_and_comes_back(tmp_path: Path) -> None:
    for name in ("study.json", "study.json.gz"):
        write_study(shipped_study(), tmp_path / name)
        assert read_study(tmp_path / name) == shipped_study()
    packed = (tmp_path / "study.json.gz").read_bytes()
    write_study(shipped_study(), tmp_path / "study.json.gz")
    assert (tmp_path / "study.json.gz").read_bytes() == packed


@pytest.mark.parametrize("content", [b"", b"{}", b"\x1f\x8bno", b"[1]", b'{"schema": 99}', b"\xff\xfe"])
def test_what_is_no_study_is_told_in_one_line(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "study.json"
    file.write_bytes(content)
    with pytest.raises(BadInput) as error:
        read_study(file)
    assert "\n" not in error.value.line()


# -- the page ------------------------------------------------------------------------------------------------------
def test_every_cell_says_what_it_must() -> None:
    """Load, share, cost, carbon, whose power, new supply or that none is needed, scenario and command."""
    for lang in ("fr", "ar", "en"):
        words = Words(lang, shipped_study()["timezone"])
        table = view(shipped_study(), shipped(), words)["table_of"]
        assert [row["id"] for row in table["rows"]] == list(ROWS)
        assert [head["name"] for head in table["heads"]] == [words.say(SCENARIO_NAMES[name]) for name in SCENARIOS]
        for row in table["rows"]:
            for cell, scenario in zip(row["cells"], SCENARIOS, strict=True):
                assert cell["scenario"] == words.say(SCENARIO_NAMES[scenario])
                assert all(cell[key] for key in ("load", "share", "cost", "carbon", "command"))
                assert row["is_size"] or (cell["target"] and cell["new_cost"] and cell["new_command"])
                assert cell["new"] or row["is_size"] or cell["is_enough"], "what is short names what it needs"


def test_every_figure_has_its_command(files: dict[str, str]) -> None:
    for page in files.values():
        figures = re.findall(r"<figure\b.*?</figure>", page, re.DOTALL)
        assert len(figures) >= 6
        leaves = re.findall(r'<section class="verdict-leaf.*?</section>', page, re.DOTALL)
        for leaf in leaves:
            if "<figure" in leaf or "<table" in leaf:
                assert 'class="how"' in leaf or 'id="announced"' in leaf, leaf[:80]


def all_commands() -> set[str]:
    study = shipped_study()
    found = {cell["command"] for cell in study["cells"]} | set(study["commands"].values())
    found |= {cell["additions"]["command"] for cell in study["cells"] if cell["additions"]}
    return found | {size["command"] for size in study["sizes"]}


@pytest.mark.parametrize("line", sorted(all_commands()))
def test_every_command_of_the_report_is_one(line: str) -> None:
    """Parsed by the command itself, options and values; nothing is computed."""
    program, *rest = line.split()
    assert program == "park"
    command: click.Command = cli
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), rest[0])
        assert found is not None, line
        command, rest = found, rest[1:]
    with command.make_context("park", rest) as context:
        assert context.params


def test_nothing_is_fetched_and_nothing_inline_is_styled(files: dict[str, str]) -> None:
    for page in files.values():
        for tag, attrs in Text(page).tags:
            assert "style" not in attrs and not any(name.startswith("on") for name in attrs), (tag, attrs)
            for name in ("src", "href", "action", "data"):
                target = attrs.get(name) or ""
                assert re.fullmatch(r"(?:#[\w-]+)?", target), (tag, name, target)
        assert "http://" not in page.replace("http://www.w3.org/", "") and "@import" not in page
        assert len(page.encode()) < FILE_BYTES_MAX


def test_the_same_study_gives_the_same_bytes(files: dict[str, str]) -> None:
    for lang, page in files.items():
        assert standalone(copy.deepcopy(shipped_study()), shipped(), lang) == page


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("verdict_maker", ROOT / "docs" / "verdict" / "make.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_built_copies_are_fresh() -> None:
    for name, text in maker().pages().items():
        assert (ROOT / "docs" / "verdict" / name).read_text("utf-8") == text, "run: python docs/verdict/make.py"


def test_figures_stand_isolated_in_arabic(files: dict[str, str]) -> None:
    """A share or a power in a sentence keeps its order: it stands between isolates or in an isolated element."""
    page = files["ar"]
    assert 'lang="ar" dir="rtl"' in page
    pictures = re.findall(r"<svg\b[^>]*role=\"img\"[^>]*>", page)
    page = re.sub(r'<(\w+)[^>]* dir="ltr"[^>]*>.*?</\1>', "", page, flags=re.DOTALL)
    for shown in re.findall(r">([^<>]*\d+%[^<>]*)<", page):
        bare = re.sub("\u2068[^\u2068\u2069]*(?:\u2068[^\u2068\u2069]*\u2069[^\u2068\u2069]*)*\u2069", "", shown)
        assert not re.search(r"\d%", bare), shown
    assert len(pictures) >= 6
    for svg in pictures:
        assert 'direction="ltr"' in svg, "time runs from left to right"


def spoken(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from spoken(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from spoken(item)


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_languages_are_complete(lang: str) -> None:
    words = Words(lang)
    texts = [*ROW_NAMES.values(), *SCENARIO_NAMES.values()]
    texts += [text for fact in FACTS for text in (fact.point, fact.announced, fact.known)]
    texts += [item.text for item in shipped().values.values()] + [item.text for item in shipped().figures.values()]
    template = (ROOT / "src/eureka_park/web/templates/verdict_parts.html").read_text("utf-8")
    texts += re.findall(r"\b_\(\"((?:[^\"\\]|\\.)*)\"", template)
    assert len(texts) > 120
    assert not [text for text in texts if not words.knows(text) and text not in SAME_EVERYWHERE]


def with_share(share: float) -> Study:
    study = copy.deepcopy(shipped_study())
    for cell in study["cells"]:
        if (cell["row"], cell["scenario"]) == ("constant", "all-plants"):
            cell["cfe_frac"] = {"p50": share, "p10": share, "p90": share}
    return study


def test_the_sentence_follows_the_figures() -> None:
    words = Words("en")
    assert verdict_sentence(with_share(YES_FRAC), words).startswith("Yes:")
    assert verdict_sentence(with_share(ALMOST_FRAC), words).startswith("Almost:")
    low = plain(verdict_sentence(with_share(0.31), words))
    assert low.startswith("No:") and "31%" in low and "386 MW" in low


def test_the_first_heading_is_the_verdict(files: dict[str, str]) -> None:
    for lang, page in files.items():
        heading = re.search(r"<h1>(.*?)</h1>", page)
        assert heading is not None
        assert heading[1] == verdict_sentence(shipped_study(), Words(lang, shipped_study()["timezone"]))


def test_a_plant_says_whose_word_its_year_is() -> None:
    rows = {row["name"].strip("\u2068\u2069"): row for row in view(shipped_study(), shipped(), Words("en"))["plants"]}
    assert [rows[name]["used_word"] for name in ("Noor I", "Noor II", "Koudia Al Baida")] == [
        "measured", "planned", "estimate",
    ]  # fmt: skip
    assert (rows["Noor I"]["price_word"], rows["Koudia Al Baida"]["price_word"]) == ("", "estimate")
    changed = copy.deepcopy(shipped_study())
    changed["plants"][0]["calibrated_gwh"] = 300.0  # a plant of a changed site file has no known word
    assert view(changed, shipped(), Words("en"))["plants"][0]["used_word"] == ""


@pytest.mark.parametrize("lang", ["fr", "ar"])
def test_what_figures_rest_on_is_said_in_the_language(lang: str) -> None:
    shown = view(shipped_study(), shipped(), Words(lang))
    told = [(row["source"], row["lang"]) for row in shown["assumptions"]]
    told += [(source, tag) for _name, _value, source, tag in shown["inputs"]]
    assert all(tag == lang for _source, tag in told), [source for source, tag in told if tag != lang]
    values = [plain(value) for _name, value, _source, _tag in shown["inputs"]]
    assert {"63,9 MAD/MWh", "210 / 180 MAD/MWh", plain(Words(lang).percent(0.04))} <= set(values)
