"""`park why` for jobs that wait, or are held back, for every reason there is: a live park under a sky of the test.

The stored words are tests/stories/expected/why.txt; ids are masked. PARK_STORY_UPDATE=1 writes them anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from click.testing import CliRunner
from tests.helpers.live_park import LivePark
from tests.helpers.served import Served

from eureka_park.cli.main import cli
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.power_plan import CurveStep, PowerPlan

EXPECTED = Path(__file__).parent / "expected" / "why.txt"
SITE = """name = "lab"
title = "Lab"

[scale]
of = "eureka-park"

[[nodes]]
id = "gpu"
engine = "local"
n_nodes = 4
n_cpus = 32
memory_gib = 256.0
n_gpus = 4
gpu_type = "H100"
gpu_w_max = 700.0
rated_kw = 4.0
idle_kw = 0.4

[[nodes]]
id = "old"
engine = "local"
n_cpus = 32
memory_gib = 256.0
n_gpus = 4
gpu_type = "A100"
gpu_w_max = 400.0
rated_kw = 2.4
idle_kw = 0.4

[policy]
sky = "green"
flex_wait_gain_frac = 0.1

[[shares]]
path = "genomes"
weight = 3.0

[[shares]]
path = "climate"
weight = 1.0
"""
N_HOURS, GRID_MW = 48, 0.012
PROJECTS = ("genomes", "climate")


class Weather:
    """A plan maker that hands out what the test decides: clean MW now, and from the next hour on."""

    def __init__(self) -> None:
        self._next: PowerPlan | None = None
        self.is_busy = True

    def start(self, request: dict[str, Any]) -> None:
        raise AssertionError("nobody asks a maker that is busy")

    def take(self) -> tuple[PowerPlan | None, str | None]:
        plan, self._next = self._next, None
        return plan, None

    def turn(
        self, park: LivePark, now_mw: float, then_mw: float, *, price: float = 300.0, p10: float = 1.0, steps: int = 2
    ) -> None:
        """Clean MW in this hour and after it; what a MWh of it costs in this hour; the weakest of ten cases."""
        now_s = park.clock.park_s()
        clean = (now_mw,) + (then_mw,) * (N_HOURS - 1)
        none, grid = (0.0,) * N_HOURS, (GRID_MW,) * N_HOURS
        prices = (price,) + (300.0,) * (N_HOURS - 1)
        curve = tuple(
            (*((CurveStep(mw, mad, 20.0, "koudia"),) if mw else ()), CurveStep(mw + GRID_MW, 900.0, 551.0, "grid"))
            for mw, mad in zip(clean, prices, strict=True)
        )
        self._next = PowerPlan(
            plan_id=f"plan-test-{now_s:.0f}", site=park.park.site.name, issued_at_s=now_s,
            start_s=now_s // 3600.0 * 3600.0, step_s=3600.0, load_mw=none,
            clean_available_mw_p10=tuple(mw * p10 for mw in clean), clean_available_mw_p50=clean,
            clean_available_mw_p90=clean, grid_limit_mw=grid, available_by_source_mw={"koudia": clean},
            by_source_mw={"koudia": none, "grid": none}, export_mw=none, curtailed_mw=clean, unserved_mw=none,
            tes_mwh_th={"noor-iii": none}, tes_mwh_th_max={"noor-iii": 0.1}, curve=curve,
            labels={"weather": "turned by a test"},
        )  # fmt: skip
        park.step(5, times=steps)


class Story:
    """Submits, lets time pass, asks why, and writes it down."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (folder / "lab.toml").write_text(SITE)
        self.served = Served(folder, site_name=str(folder / "lab.toml"))
        self.park, self.weather = self.served.live, Weather()
        self.park.live.parts.planning.maker = self.weather
        settings: dict[str, Any] = {
            "min_run_s": 0.0,
            "pause_rate_max_per_h": 1e9,
            "lookahead": 2,
            "service_reserve_kw": 0.0,
        }
        self.park.live.parts.policy = replace(self.park.live.parts.policy, **settings)
        person_id, _ = self.park.park.accounts.ensure_owner()
        monkeypatch.setenv("PARK_URL", self.served.url)
        monkeypatch.setenv("PARK_TOKEN", self.park.park.accounts.new_token(person_id, "story"))
        monkeypatch.setenv("PARK_LANG", "en")
        for name in PROJECTS:
            self.park.park.accounts.ensure_project(name, name.title(), True)
            with self.park.park.db.write() as conn:
                self.park.park.ledger.grant(conn, name, 1e9, "Grant", at_s=self.park.clock.park_s())
        self.text, self.names = "", dict[str, str]()

    def submit(self, name: str, *, gpus: int = 1, hours: float = 3.0, **request: Any) -> JobId:
        defaults = {"project": "climate", "tier": "flex", "gpu_type": "H100", "run_s": 1e6}
        job_id = self.park.submit(name=name, gpus=gpus, time=hours * 3600.0, **{**defaults, **request})
        self.names[job_id] = name.upper()
        return job_id

    def why(self, about: str, job_id: JobId, *words: str) -> str:
        done = CliRunner().invoke(cli, ["why", job_id, *words], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        text = done.stdout
        for found, name in self.names.items():
            text = text.replace(found, name)
        assert not re.search(r"(job|window)-[a-z0-9]{16}", text), text
        self.text += f"# {about}\n$ park why {self.names[job_id]}\n{text}\n"
        return text

    def code(self, job_id: JobId) -> str:
        reasons = self.park.park.compute.why(self.park.owner, job_id)["reasons"]
        return str(reasons[0]["code"])

    def page(self, job_id: JobId) -> str:
        headers = {"Authorization": f"Bearer {os.environ['PARK_TOKEN']}", "Accept": "text/html"}
        with urlopen(Request(f"{self.served.url}/jobs/{job_id}", headers=headers)) as answer:
            return str(answer.read().decode())

    def close(self) -> None:
        self.served.stop()


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    found = Story(tmp_path, monkeypatch)
    yield found
    found.close()


def test_why_says_it_for_every_kind_of_waiting(story: Story) -> None:
    park, seen = story.park, set[str]()

    def tell(about: str, job_id: JobId, code: str, *words: str) -> None:
        text = story.why(about, job_id)
        assert story.code(job_id) == code, (about, story.code(job_id), text)
        assert all(word in text for word in words), (words, text)
        seen.add(code)

    first = [story.submit(f"first-{name}", project=name, tier="firm", run_s=20.0) for name in PROJECTS]
    park.step(5)
    tell("The park has just begun.", first[0], "no_plan")
    story.weather.turn(park, 0.020, 0.020, price=700.0)
    park.step(10, times=4)

    # Four machines of the kind that all ask for: a gang holds two, two are taken in parts; an older one stands empty.
    story.submit("simulate", gpus=8, hours=4.0, tier="firm", project="genomes")
    saved = story.submit("align", gpus=3, hours=2.0, tier="green", checkpoint=True, project="genomes")
    unsaved = story.submit("index", gpus=3, hours=2.5, tier="green")
    park.step(5, times=2)
    gang = story.submit("gang", gpus=8)
    single = story.submit("single", gpus=2)
    behind = story.submit("behind")
    long = story.submit("long", hours=9.0, project="genomes")
    after = story.submit("later", after=[gang])
    park.park.nodes.close(park.owner, nodes=["old"], from_="1h", to="5h", why="new fans")
    window = story.submit("old-kind", gpus=4, gpu_type="A100", project="genomes")
    behind_over = story.submit("behind-over", project="genomes")
    patient = story.submit("patient", by="20h", priority=5)
    park.step(5, times=3)
    tell("It needs whole machines.", gang, "room", "needs 2 whole free nodes; none is free", "place is kept from")
    tell("It needs a part of one machine.", single, "room", "needs 2 GPU on one node; the most that are free on one: 1")
    tell("Others of its project come first.", behind, "behind", "stand before it")
    tell("Its project has had more than is due to it.", behind_over, "behind", "of the park lately; 0.75 is due to it")
    tell("A GPU is free, but it would hold up the gang.", long, "reserved", "promised to jobs before it")
    tell("It runs after another.", after, "dependency", "It runs after GANG")
    tell("The machine that would have room is closed soon.", window, "window", "the maintenance of old", "until")
    tell("It has time, and power is cheaper later.", patient, "better_hour", "MAD/MWh then", "until")
    story.why("The same for programs.", gang, "--json")
    assert 'id="why"' in story.page(gang) and "2 whole free nodes" in story.page(gang)

    story.weather.turn(park, 0.020, 0.020, p10=0.0)
    firm = story.submit("promised", gpus=4, tier="firm", project="genomes")
    park.step(5, times=2)
    tell("Firm power is promised for the whole run.", firm, "firm_power", "of firm power", "can be promised now")

    story.weather.turn(park, 0.0055, 0.020)
    green = story.submit("olives", tier="green", priority=5)
    flex = story.submit("sorting", gpus=4, priority=9)
    park.step(5, times=2)
    tell("The sky gives less: power is capped.", saved, "capped_power", "capped to", "the sky gives")
    tell("Plants and grid together are used up.", flex, "site_power", "plants and grid together leave")

    story.weather.turn(park, 0.0, 0.020, steps=1)
    tell("No sky at all: what can be saved is paused.", saved, "paused_power", "paused at a checkpoint")
    tell("What cannot be saved stands still.", unsaved, "frozen_power", "frozen in place, its work kept")
    tell("It runs on sun, wind and salt alone.", green, "clean_power", "own sun, wind or salt", "The salt is empty.")

    assert len(seen) >= 13, seen
    if os.environ.get("PARK_STORY_UPDATE"):
        EXPECTED.write_text(story.text)
    assert story.text == EXPECTED.read_text(), "see what changed: PARK_STORY_UPDATE=1 writes it anew"
