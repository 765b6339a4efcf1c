"""The report of the twin's runs: it says what the figures say, fetches nothing, and holds whatever a run lacks."""

from __future__ import annotations

import copy
import io
import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import hatch_build
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.recorded_run import recorded_run

from eureka_park.adapters import browser_print
from eureka_park.twin.run_files import write_run
from eureka_park.twin.run_record import RunRecord
from eureka_park.web import twin_report_child
from eureka_park.web.pages.words import CLOSE, OPEN, Words
from eureka_park.web.twin_report.compare import comparison_of, names_of
from eureka_park.web.twin_report.flows import amounts
from eureka_park.web.twin_report.gantt import HOURS_MAX, chosen, window
from eureka_park.web.twin_report.hours import days_of, months_of, power_of, typical_weeks
from eureka_park.web.twin_report.measures import FORMS, GROUPS, SPREADS, percent, told
from eureka_park.web.twin_report.render import FILE_LANGUAGES, standalone
from eureka_park.web.twin_report.sentences import DOES, POLICIES, headline, paragraph
from eureka_park.web.twin_report.view import command_of, view_of

ROOT = Path(__file__).resolve().parents[3]
FILE_BYTES_MAX = 500_000
ZONE = "Africa/Casablanca"
SECTIONS = {"power", "heat", "waits", "fairness", "jobs", "flow", "figures", "basis"}


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    hatch_build.build()


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return {lang: standalone([recorded_run()], lang, ZONE) for lang in FILE_LANGUAGES}


@pytest.fixture(scope="module")
def pairs() -> dict[str, str]:
    return {lang: standalone([recorded_run(), recorded_run("fcfs-easy")], lang, ZONE) for lang in ("fr", "ar")}


class Tags(HTMLParser):
    """What a page's tags ask for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def bare(text: str) -> str:
    return text.replace(OPEN, "").replace(CLOSE, "")


def long_run(n_days: int, **columns: Any) -> RunRecord:
    """Hours of so many days whose load is 1,000 kWh; by night half of it is clean."""
    hour = np.arange(24.0 * n_days)
    clean = np.where((hour % 24 > 6) & (hour % 24 < 19), 1500.0, 500.0)
    hours = {"hour_s": 1_772_409_600.0 + 3600.0 * hour, "load_kwh": np.full(len(hour), 1000.0), "clean_kwh": clean}
    return RunRecord({"site": "eureka-park", "policy": "park", "days": float(n_days)}, {**hours, **columns})


# The file -------------------------------------------------------------------------------------------------------------


def test_nothing_is_fetched_run_or_styled_inline(files: dict[str, str], pairs: dict[str, str]) -> None:
    for page in (*files.values(), *pairs.values()):
        for tag, attrs in Tags(page).found:
            assert tag != "script" and "style" not in attrs and not any(name.startswith("on") for name in attrs), tag
            for name in ("src", "href", "action", "data"):
                assert re.fullmatch(r"(?:#[\w-]+)?", attrs.get(name) or ""), (tag, attrs)
        assert "http://" not in page and "https://" not in page and "@import" not in page
        assert len(page.encode()) < FILE_BYTES_MAX


def test_every_part_is_there_in_every_language(files: dict[str, str]) -> None:
    for lang, page in files.items():
        words = Words(lang)
        assert f'lang="{words.tag}" dir="{words.direction}"' in page
        assert set(re.findall(r'<section id="(\w+)"', page)) == SECTIONS, lang
        assert page.count("<h1>") == 1 and str(recorded_run().figures["digest"]) in page
    headings = {lang: re.findall(r"<h2[^>]*>([^<]*)</h2>", page) for lang, page in files.items()}
    for lang in ("fr", "ar"):
        assert len(headings[lang]) == len(SECTIONS) and not set(headings[lang]) & set(headings["en"])
    assert "Noto Sans Tifinagh" in files["zgh"] and 'lang="zgh"' in files["zgh"]


def test_the_same_run_gives_the_same_bytes(files: dict[str, str]) -> None:
    assert standalone([copy.deepcopy(recorded_run())], "fr", ZONE) == files["fr"]


def test_ids_are_there_once_and_pictures_are_named(files: dict[str, str], pairs: dict[str, str]) -> None:
    for page in (files["ar"], pairs["fr"]):
        tags = Tags(page).found
        ids = [str(attrs["id"]) for _, attrs in tags if "id" in attrs]
        assert len(ids) == len(set(ids))
        for tag, attrs in tags:
            assert tag != "svg" or attrs.get("aria-hidden") == "true" or attrs.get("aria-label"), attrs


def test_figures_stand_isolated_in_arabic(files: dict[str, str], pairs: dict[str, str]) -> None:
    """A share in a sentence keeps its order: it stands between isolates."""
    for page in (files["ar"], pairs["ar"]):
        body = re.sub(r'<(\w+)[^>]* dir="ltr"[^>]*>.*?</\1>', "", page.partition("<body>")[2], flags=re.DOTALL)
        for shown in re.findall(r">([^<>]*\d%[^<>]*)<", body):
            if "0,8%" in shown:  # a text of the catalogue itself
                continue
            inner = re.sub(f"{OPEN}[^{OPEN}{CLOSE}]*(?:{OPEN}[^{CLOSE}]*{CLOSE}[^{OPEN}{CLOSE}]*)*{CLOSE}", "", shown)
            assert not re.search(r"\d%", inner), shown


# Words and figures ----------------------------------------------------------------------------------------------------


def test_the_first_sentences_say_what_the_figures_say() -> None:
    words, figures = Words("en"), recorded_run().figures
    assert bare(percent(figures["cfe_frac"], words)) in bare(headline(recorded_run(), words))
    text = bare(" ".join(paragraph(recorded_run(), words)))
    assert f"{figures['jobs']:,} jobs" in text and "32 nodes" in text and "3 days" in text
    assert bare(words.energy(1000.0 * figures["bought_mwh"])) in text
    assert bare(words.duration(figures["wait_s"]["flex"]["p50"])) in text


@given(st.floats(0.0, 1.0))
def test_a_share_is_never_told_as_a_whole_or_as_nothing_that_it_is_not(frac: float) -> None:
    shown = bare(percent(frac, Words("en")))
    if 0.0001 < frac < 0.9999:
        assert shown not in ("100%", "0%"), frac
    assert abs(float(shown.rstrip("%")) - 100.0 * frac) <= 0.0501


def test_measures_are_those_of_the_nomenclature() -> None:
    text = (ROOT / "docs" / "nomenclature.md").read_text("utf-8").partition("## Measures of a run")[2]
    rows = re.findall(r"^\| (`.*?) \|", text.partition("\n## ")[0], re.MULTILINE)
    defined = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    measures = [one for group in GROUPS.values() for one in group]
    assert len(measures) > 30 and len({one.name for one in measures}) == len(measures)
    assert {one.name for one in (*measures, *SPREADS)} <= defined
    assert {one.form for one in (*measures, *SPREADS)} <= FORMS
    assert {one.name for one in measures} <= set(recorded_run().figures), "every one is a figure of a run"
    told_somewhere = {"tiers", "tenants", "digest", *(f"{one.name}_by_gpu_h" for one in SPREADS)}
    left_out = defined - {one.name for one in (*measures, *SPREADS)} - told_somewhere
    assert left_out <= set(recorded_run().figures), "named in the nomenclature, told by no run"


def test_every_figure_of_the_tables_is_the_run_s(files: dict[str, str]) -> None:
    words, page = Words("en"), bare(files["en"])
    for measure in (one for group in GROUPS.values() for one in group):
        value = recorded_run().figures[measure.name]
        if isinstance(value, int | float):
            row = re.search(rf"<code dir=\"ltr\">{measure.name}</code></th>(.*?)</tr>", page, re.DOTALL)
            assert row is not None and f"<bdi>{bare(told(value, measure.form, words))}</bdi>" in row[1], measure.name


def test_every_policy_has_a_name_and_says_what_it_does() -> None:
    from typing import get_args

    from eureka_park.twin.run import PolicyName

    assert set(POLICIES) == set(get_args(PolicyName)) == set(DOES) | {"park"}


def test_the_command_gives_the_run_again() -> None:
    from eureka_park.cli.twin_run import run

    line = command_of(recorded_run()).split()
    assert line[:3] == ["park", "twin", "run"]
    with run.make_context("run", line[3:]) as context:
        assert (context.params["seed"], context.params["days"], context.params["site"]) == (2, 3.0, "eureka-park")


# Hours ----------------------------------------------------------------------------------------------------------------


def test_what_served_the_load_is_the_load_and_what_was_bought_is_the_figure_s() -> None:
    record = recorded_run()
    power = power_of(record, with_tail=True)
    assert power is not None and set(power.used) == {"wind", "pv", "csp", "salt"}
    assert np.allclose(sum(power.used.values()) + power.grid, power.load)
    assert np.allclose(power.grid, record.hours["bought_kwh"], atol=1e-6)
    assert power.share() == pytest.approx(record.figures["cfe_frac"], abs=1e-9)
    shown = power_of(record)
    assert shown is not None and shown.n == 72 < power.n


amount = st.floats(0.0, 1e6) | st.just(math.nan)
three = st.tuples(amount, amount, amount)


@settings(max_examples=60, deadline=None)
@given(st.lists(three, min_size=1, max_size=30))
def test_any_hours_are_parted_without_rest(rows: list[tuple[float, float, float]]) -> None:
    load, direct, salt = (np.array(column) for column in zip(*rows, strict=True))
    hours = {"hour_s": 3600.0 * np.arange(len(rows)), "load_kwh": load, "direct_kwh": direct, "salt_kwh": salt}
    power = power_of(RunRecord({}, hours))
    assert power is not None
    assert np.allclose(sum(power.used.values()) + power.grid, power.load)
    for kind, there in (("direct", direct), ("heat", salt)):
        assert np.allclose(power.used[kind] + power.unused[kind], np.nan_to_num(there))
        assert (power.used[kind] >= 0.0).all() and (power.unused[kind] >= -1e-9).all()
    assert ((power.shares >= -1e-9) & (power.shares <= 1.0 + 1e-9)).all() and (power.grid >= -1e-6).all()


def test_kinds_of_plants_are_told_apart_where_a_run_knows_them() -> None:
    n = 48
    kwh = {"wind": 100.0, "pv": 200.0, "csp": 50.0, "salt": 80.0, "clean": 380.0}
    power = power_of(long_run(2, **{f"{name}_kwh": np.full(n, value) for name, value in kwh.items()}))
    assert power is not None
    assert {kind: float(kwh[0]) for kind, kwh in power.used.items()} == {
        "wind": 100.0, "pv": 200.0, "csp": 50.0, "salt": 30.0,
    }  # fmt: skip


def test_what_the_site_itself_needs_is_no_power_of_the_machines() -> None:
    """By night the salt covers the site's own needs first; then nothing comes directly, and less from salt."""
    hours = {"hour_s": np.zeros(1), "load_kwh": np.array([90.0]), "clean_kwh": np.array([60.0]),
             "direct_kwh": np.array([-20.0]), "salt_kwh": np.array([80.0])}  # fmt: skip
    power = power_of(RunRecord({}, hours))
    assert power is not None
    assert [float(kwh[0]) for kwh in power.used.values()] == [0.0, 60.0] and float(power.grid[0]) == 30.0


def test_days_are_those_of_the_sites_clock() -> None:
    power = power_of(long_run(2))
    assert power is not None
    days, shares = days_of(power, Words("en", ZONE))
    assert [day.isoformat() for day in days] == ["2026-03-02", "2026-03-03", "2026-03-04"] or len(days) == 2
    assert all(len(row) == 24 for row in shares) and sum(share is not None for row in shares for share in row) == 48


def test_weeks_and_months_of_a_long_run() -> None:
    record = long_run(90)
    record.hours["clean_kwh"][24 * 14 : 24 * 21] = 0.0
    record.hours["clean_kwh"][24 * 28 : 24 * 35] = 2000.0
    power = power_of(record)
    assert power is not None
    weeks = dict(typical_weeks(power))
    assert (weeks["worst"].start, weeks["best"].start) == (24 * 14, 24 * 28)
    assert power.share(weeks["worst"]) < power.share(weeks["usual"]) < power.share(weeks["best"])
    months = months_of(power, Words("en"))
    assert [bare(name) for name, _ in months] == ["Mar", "Apr", "May"]
    assert sum(hours.stop - hours.start for _, hours in months) == power.n
    assert 'id="heat"' in standalone([record], "en")
    short = power_of(long_run(3))
    assert short is not None and typical_weeks(short) == [("all", slice(0, 72))]


def test_energy_that_came_in_is_energy_that_went_out() -> None:
    record = copy.deepcopy(recorded_run())
    power = power_of(record, with_tail=True)
    assert power is not None
    givers, takers, unused, is_parted = amounts(record, power, Words("en"))
    came, went = sum(giver.used for giver in givers), sum(taker.amount for taker in takers)
    assert came == pytest.approx(went, rel=1e-6)
    assert came == pytest.approx(1000.0 * record.figures["site_mwh"], rel=0.01), "the meter's own figure"
    grid = next(giver.used for giver in givers if giver.css == "grid")
    assert grid == pytest.approx(1000.0 * record.figures["bought_mwh"], rel=1e-6)
    assert unused.amount == pytest.approx(1000.0 * record.figures["curtailed_mwh"], rel=1e-6)
    told_ = {tier: record.figures["tiers"][tier].pop("it_kwh") for tier in ("firm", "flex", "green")}
    assert not is_parted and {taker.css: taker.amount for taker in takers if taker.css in told_} == told_
    assert amounts(record, power, Words("en"))[3], "what a run does not tell is parted by GPU hours"


# Jobs -----------------------------------------------------------------------------------------------------------------


def test_shown_jobs_came_in_the_days_that_are_shown() -> None:
    power = power_of(recorded_run())
    assert power is not None and window(power) == 0
    for tier in ("firm", "flex", "green"):
        rows = chosen(recorded_run(), tier, 0.0, 86_400.0)
        assert 4 < len(rows) == len(set(rows)) <= 12
        assert all(recorded_run().sample["tier"][row] == tier for row in rows)
        assert all(0.0 <= recorded_run().sample["submit_s"][row] < 86_400.0 for row in rows)
    record = long_run(30)
    record.hours["clean_kwh"][24 * 20 : 24 * 21] = 0.0
    long = power_of(record)
    assert long is not None and window(long) == 24 * 19 and window(long) + HOURS_MAX <= long.n


# Side by side ---------------------------------------------------------------------------------------------------------


def test_stars_stand_at_the_best_and_losses_are_told() -> None:
    records = [recorded_run(), recorded_run("fcfs-easy")]
    found = comparison_of(records, Words("en"))
    shares = [record.figures["cfe_frac"] for record in records]
    row = next(row for row in found["rows"] if row["name"] == "cfe_frac")
    assert [cell["is_best"] for cell in row["cells"]] == [share == max(shares) for share in shares]
    lost = [row["title"] for row in found["rows"]
            if row["cells"][1]["is_best"] and not row["cells"][0]["is_best"]
            and row["cells"][0]["text"] != row["cells"][1]["text"]]  # fmt: skip
    assert lost and [text.partition(":")[0] for text in map(bare, found["losses"])] == [bare(title) for title in lost]
    page = standalone(records, "en")
    n_best = sum(cell["is_best"] for row in found["rows"] for cell in row["cells"])
    assert page.count('class="star"') == n_best > 5


def test_who_is_cleanest_by_less_than_is_told_is_not_named() -> None:
    near = copy.deepcopy(recorded_run("fcfs-easy"))
    near.figures["cfe_frac"] = recorded_run().figures["cfe_frac"] + 1e-6
    said = bare(str(comparison_of([recorded_run(), near], Words("en"))["headline"]))
    assert said.startswith("2 policies over the same days: ")
    near.figures["cfe_frac"] = 0.5
    assert "the park’s own policy" in comparison_of([recorded_run(), near], Words("en"))["headline"]


def test_runs_of_other_worlds_are_shown_without_a_best() -> None:
    other = copy.deepcopy(recorded_run("fcfs-easy"))
    other.request["load_frac"] = 0.5
    page = standalone([recorded_run(), other], "en")
    assert "no figure is called best" in page and 'class="star"' not in page and "load_frac" in page


def test_runs_of_one_policy_have_names_of_their_own() -> None:
    again = copy.deepcopy(recorded_run())
    again.figures["seed"] = 2
    names = names_of([recorded_run(), again, copy.deepcopy(again)], Words("en"))
    assert len(set(names)) == 3 and all("seed" in name for name in names)


# Whatever a run lacks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lang", FILE_LANGUAGES)
def test_a_run_of_nearly_nothing_is_a_page(lang: str) -> None:
    page = standalone([RunRecord({"digest": "d1"})], lang)
    assert "<h1>" in page and "d1" in page and "nan" not in page.lower().partition("<main>")[2]


def shortened(record: RunRecord, n_hours: int = 30, n_jobs: int = 20) -> RunRecord:
    """The same with fewer hours, jobs and tenants."""
    found = copy.deepcopy(record)
    found.figures["tenants"] = dict(list(found.figures["tenants"].items())[:3])
    hours = {name: values[:n_hours] for name, values in found.hours.items()}
    return RunRecord(found.figures, hours, {name: values[:n_jobs] for name, values in found.sample.items()})


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_any_figure_may_be_missing_or_null(data: st.DataObject) -> None:
    record = shortened(recorded_run())
    for name in data.draw(st.lists(st.sampled_from(sorted(record.figures)), max_size=12, unique=True)):
        if data.draw(st.booleans()):
            del record.figures[name]
        else:
            record.figures[name] = None
    for name in data.draw(st.lists(st.sampled_from(sorted(record.hours)), max_size=4, unique=True)):
        del record.hours[name]
    for name in data.draw(st.lists(st.sampled_from(sorted(record.sample)), max_size=3, unique=True)):
        del record.sample[name]
    assert view_of([record], Words("en", ZONE))["headline"]


def test_a_run_that_stopped_early_says_so_first() -> None:
    record = shortened(recorded_run())
    record.figures.update(is_whole=False, days_played=1.5)
    page = bare(standalone([record], "en"))
    assert "1.5 of 3 days were played" in page.partition('id="power"')[0]


def test_a_bound_that_failed_is_told_before_the_figures() -> None:
    record = shortened(recorded_run())
    record.figures["bound_failed"] = "There was not <enough> memory."
    page = bare(standalone([record], "en"))
    assert "There was not &lt;enough&gt; memory." in page.partition('id="power"')[0]


def test_names_of_tenants_are_text() -> None:
    record = shortened(recorded_run())
    record.figures["tenants"] = {"<b>x</b>/&": next(iter(record.figures["tenants"].values()))}
    record.sample["leaf"] = ["<script>alert(1)</script>"] * record.n_sampled
    record.figures.update(site="<i>", policy="</style>", trace="<u>")
    page = standalone([record], "en")
    body = page.partition("<body>")[2]
    assert "<script>" not in body and "<b>x" not in body and "<i>" not in page and "</style>" not in body


# The process that writes ----------------------------------------------------------------------------------------------


def asked(request: dict[str, Any]) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    code = twin_report_child.main(io.StringIO(json.dumps(request)), out, err)
    return code, out.getvalue(), err.getvalue()


def test_a_report_is_written_and_told_in_plain_words(tmp_path: Path) -> None:
    write_run(tmp_path / "run", recorded_run())
    request = {"folders": [str(tmp_path / "run")], "out": str(tmp_path / "a.html"), "lang": "fr", "timezone": ZONE}
    code, out, _ = asked(request)
    found = json.loads(out)
    assert code == 0 and found["bytes"] == (tmp_path / "a.html").stat().st_size
    assert "heure par heure" in found["told"] and OPEN not in found["told"]


def test_what_is_wrong_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path / "run", recorded_run())
    request = {"folders": [str(tmp_path / "run")], "out": str(tmp_path / "a.pdf"), "lang": "en", "timezone": "UTC"}
    monkeypatch.setattr(browser_print, "PROGRAMS", ())
    for changes, says in (
        ({}, "Chromium"),
        ({"out": str(tmp_path / "a.docx")}, "does not end"),
        ({"folders": [str(tmp_path)]}, "no run in"),
        ({"out": str(tmp_path / "none" / "a.html")}, "cannot be written"),
    ):
        code, out, err = asked({**request, **changes})
        assert code == 1 and not out and says in err and len(err.splitlines()) == 1, err
    assert "report.html" in asked(request)[2]
