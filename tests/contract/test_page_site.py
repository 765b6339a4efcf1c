"""The site's page: map, figures with their labels and sources, machines with who is on them, policy as it is here."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark
from tests.helpers.reading import Page

from eureka_park.foundation.plant_data import facts, known_plants, words_parameter
from eureka_park.foundation.site_reading import load_site
from eureka_park.web.app import make_app
from eureka_park.web.pages.known_plants import LABEL_MEANINGS, OUTAGES, SHOWN, SITE_FILE, SOURCES, known
from eureka_park.web.pages.site import distance_km
from eureka_park.web.pages.words import LANGUAGES, Words

URL = "http://localhost:8386"
PARK = load_site("eureka-park")
ENGINE = {
    "sandbox_level": "container",
    "why_not": {"container-cgroup": "control groups cannot be written"},
    "capabilities": ["checkpoint", "freeze"],
}


class Seen:
    """A park with a public, a private and a frozen job; its owner and a visitor."""

    def __init__(self, folder: Path, **home: str) -> None:
        self.live = LivePark(folder, **home)
        self.live.park.accounts.ensure_project("quiet", "Quiet", False)
        self.shown = self.live.submit(1e6, name="olive <mapping>", tier="firm", cpus=0.2)
        self.hidden = self.live.submit(1e6, name="nobody's business", tier="firm", cpus=0.2, project="quiet")
        self.live.step(times=4)
        self.app = make_app(self.live.park)
        self.owner = self.browser()
        accounts = self.live.park.accounts
        person_id, _ = accounts.ensure_owner()
        self.owner.get(f"/sign-in?code={accounts.new_sign_in_link(person_id)}", follow_redirects=False)
        self.visitor = self.browser()

    def browser(self) -> TestClient:
        return TestClient(self.app, base_url=URL, headers={"Accept": "text/html"})

    def html(self, who: TestClient | None = None, lang: str = "en") -> str:
        answer = (who or self.visitor).get("/site", headers={"Accept-Language": lang})
        assert answer.status_code == 200, answer.text[:2000]
        return answer.text


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    seen = Seen(tmp_path_factory.mktemp("site"))
    yield seen
    seen.live.park.close()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_in_every_language(seen: Seen, lang: str) -> None:
    page = Page(seen.html(lang=lang))
    assert len(page.all("h1")) == 1
    assert {"map plan-wide", "map plan-narrow"} <= {item.attributes.get("class") for item in page.all("svg")}
    ids = [item.attributes["id"] for item in page.elements if item.attributes.get("id")]
    assert len(ids) == len(set(ids))


def test_every_plant_of_the_map_leads_to_its_figures(seen: Seen) -> None:
    page = Page(seen.html())
    ids = {item.attributes.get("id") for item in page.elements}
    links = [item.attributes["href"] for item in page.all("a") if item.attributes.get("class") == "plant"]
    assert len(links) == 2 * len(PARK.plants)
    assert {link.removeprefix("#") for link in links} <= ids


def test_every_figure_of_a_plant_has_a_label_and_a_source(seen: Seen) -> None:
    html = seen.html()
    for part in html.split('<section class="card plant-card"')[1:]:
        card = part.split("</section>")[0]
        n_facts = card.count('class="term fact"')
        assert n_facts >= 4
        assert card.count('class="label"') == n_facts
        assert card.count('role="tooltip"') == n_facts and 'class="tip" ></span>' not in card


def test_raw_model_and_factor_stand_beside_the_published_year(seen: Seen) -> None:
    plan = seen.live.park.energy.current_plan()
    assert plan is not None and plan.calibration.keys() == {plant.id for plant in PARK.plants}
    text = Page(seen.html()).text
    words = Words("en")
    for plant in PARK.plants:
        raw, factor, year = (plan.calibration[plant.id][name] for name in ("raw_gwh", "factor", "year_gwh"))
        assert (
            raw * factor == pytest.approx(plant.year_gwh_published or 0, rel=0.01) and year == plant.year_gwh_published
        )
        assert f"{words.energy(raw * 1e6)} × {words.number(factor, 3)} = {words.energy(year * 1e6)}" in text


def test_labels_say_who_said_so() -> None:
    plants = {plant.id: plant for plant in PARK.plants}
    names = {name for name, _ in LABEL_MEANINGS}
    assert known(plants["noor-i"], "year_gwh_published").label == "measured"
    assert known(plants["noor-ii"], "year_gwh_published").label == "announced"
    assert known(plants["koudia"], "year_gwh_published").label == "assumption"
    for plant in PARK.plants:
        for field in ("gross_mw", "year_gwh_published", "commissioned"):
            rests = known(plant, field)
            assert rests.label in names and rests.source, (plant.id, field)


def test_a_changed_figure_is_the_site_files_own() -> None:
    plant = PARK.plants[0].model_copy(update={"year_gwh_published": 300.0})
    assert known(plant, "year_gwh_published").label == SITE_FILE
    unknown = PARK.plants[0].model_copy(update={"known_as": None})
    assert known(unknown, "gross_mw").label == SITE_FILE
    announced = PARK.plants[0].model_copy(update={"gross_mw": 1.0, "status": "announced"})
    assert known(announced, "gross_mw").label == "announced"


def test_sources_for_translators_are_those_of_the_plant_data() -> None:
    shown = {facts(name)[field].source for name in known_plants() for field in SHOWN if field in facts(name)}
    assert set(SOURCES) == shown


def test_the_outage_of_noor_iii_is_told_with_its_source(seen: Seen) -> None:
    page = Page(seen.html())
    text, source = OUTAGES["noor-iii"]
    assert text in page.text and source in page.text
    assert "contracts of 25 years" in page.text


def test_the_told_outage_is_the_one_on_record() -> None:
    first, second = words_parameter({plant.id: plant for plant in PARK.plants}["noor-iii"], "long_outages")
    text, _ = OUTAGES["noor-iii"]
    assert first[:4] == "2021" and first.split("/")[1][:4] == "2023" and second == "2024-03-21/"
    assert all(words in text for words in ("summer 2021", "early 2023", "21 March 2024"))


def test_the_straight_line_is_about_right() -> None:
    assert distance_km(PARK, "ouarzazate") == pytest.approx(522, abs=3)
    assert distance_km(PARK, "koudia") == pytest.approx(29, abs=2)


def test_machines_name_only_what_one_may_see(seen: Seen) -> None:
    owner, visitor = seen.html(seen.owner), seen.html()
    assert f"/jobs/{seen.shown}" in visitor and f"/jobs/{seen.hidden}" in owner
    assert seen.hidden not in visitor and "nobody&#39;s business" not in visitor
    assert "olive &lt;mapping&gt;" in visitor
    for html in (owner, visitor):  # both are counted, whoever looks
        assert html.count('class="m-running"') >= 2
        assert "\u20680.40\u2069 of \u2068" in html


def test_the_ladder_has_its_steps_and_says_what_this_machine_cannot(seen: Seen) -> None:
    html = seen.html()
    assert html.split('<ol class="ladder">')[1].split("</ol>")[0].count("<li>") == 6
    assert "step left out" not in html  # nothing is known of the engine yet
    seen.live.park.home.write("run/engine.json", json.dumps(ENGINE))
    text = Page(seen.html()).text
    assert text.count("This machine cannot limit power: step left out.") == 2
    assert "cannot freeze" not in text and text.count("This machine cannot take machines from a job that runs") == 1
    assert "control groups cannot be written" in text and "can freeze in place" in text and "cannot limit power" in text


@pytest.mark.parametrize(("sky", "promise"), [("green", 1), ("binding", 0), ("observed", 2)])
def test_promises_follow_the_policy(tmp_path: Path, sky: str, promise: int) -> None:
    own = Seen(tmp_path, sky=sky)
    assert Page(own.html()).text.count("never capped, paused or frozen under this policy") == promise
    own.live.park.close()


def test_a_roof_draws_what_its_own_file_has(tmp_path: Path) -> None:
    file = tmp_path / "roof.toml"
    file.write_text((resources.files("eureka_park") / "sites" / "template.toml").read_text("utf-8"))
    own = Seen(tmp_path, site_name=str(file))
    page = Page(own.html(lang="fr"))
    assert "land" not in {item.attributes.get("class") for item in page.all("path")}
    assert [item.attributes["href"] for item in page.all("a") if item.attributes.get("class") == "plant"] == [
        "#plant-solar-roof"
    ] * 2
    assert "the installer's sheet" in page.text
    assert "MASEN" not in page.text
    own.live.park.close()
