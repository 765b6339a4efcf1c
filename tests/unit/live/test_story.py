"""The jobs of a watched day: read, timed by the sun, submitted once whatever happens in between."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from tests.helpers.watched_day import WatchedDay

from eureka_park import bootstrap
from eureka_park.compute import store
from eureka_park.compute.core.job_check import check_request
from eureka_park.compute.core.site_room import ClassRoom, SiteRoom
from eureka_park.energy.core.daylight import daylight
from eureka_park.foundation.clock import SteppedClock
from eureka_park.foundation.errors import BadInput, Unavailable
from eureka_park.foundation.units import DAY_S, GIB, HOUR_S
from eureka_park.live.story import Story, StoryTimes, story_entries

OUARZAZATE = (31.049, -6.869)
NOON_S = 1_795_348_800.0  # 2026-11-22T12:00:00Z
STORIES = {name: story_entries(name) for name in ("story", "day")}


@pytest.fixture(autouse=True)
def _known_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds for each home; how it is sought: tests/unit/energy/test_daylight_and_chapters.py, in a child for a home:
    tests/stories/test_watched_day.py.
    """
    monkeypatch.setattr(bootstrap, "find_seed", lambda _site, _start_s, otherwise: otherwise + 4)


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("pace", [1.0, 60.0, 1000.0])
@pytest.mark.parametrize("n_cpus", [1, 2, 192])
def test_every_entry_is_a_job_that_is_let_in(name: str, pace: float, n_cpus: int) -> None:
    for entry in STORIES[name]:
        request = entry.request(n_cpus, pace, "job-a" if entry.after else None)
        room = SiteRoom((ClassRoom("node", "", 1, n_cpus, GIB, 0),))
        spec = check_request({**request, "snapshot_id": "s"}, NOON_S, room)
        assert spec.time_s >= entry.run_s + 10 * pace, "starting takes real seconds"
        assert float(spec.command[-1]) == pytest.approx(entry.run_s / pace, abs=0.1)
        assert spec.deadline_s is None or spec.deadline_s >= NOON_S + spec.time_s


def test_the_story_has_all_kinds_of_work_and_no_people() -> None:
    entries = STORIES["story"]
    assert 24 <= len(entries) + sum(entry.array - 1 for entry in entries) <= 40
    assert {entry.tier for entry in entries} == {"firm", "flex", "green"}
    assert {entry.checkpoint for entry in entries if entry.tier == "green"} == {True, False}
    assert any(entry.job_class == "service" for entry in entries) and any(entry.array > 1 for entry in entries)
    keys = [entry.key for entry in entries]
    assert len(set(keys)) == len(keys)
    assert all(entry.after in keys[: keys.index(entry.key)] for entry in entries if entry.after)
    scripts = resources.files("eureka_park") / "welcome" / "story"
    assert all((scripts / entry.script).is_file() for entry in entries)


@pytest.mark.parametrize("hour", [0, 5, 12, 17, 20, 23])
def test_a_story_hangs_on_the_day_that_is_light_or_next(hour: int) -> None:
    start_s = NOON_S + (hour - 12) * HOUR_S
    times = StoryTimes.of(start_s, *OUARZAZATE)
    assert times.sunrise_s < times.noon_s < times.sunset_s < times.dawn_s < times.end_s
    assert start_s < times.sunset_s and times.dawn_s - times.sunrise_s == pytest.approx(DAY_S, abs=300)
    assert times.at_s("start+5m") == start_s + 300
    assert times.at_s("sunset-1h30m") == times.sunset_s - 5400
    assert times.at_s("dawn") == times.dawn_s


@pytest.mark.parametrize("text", ["", "midnight", "noon+", "noon+1", "noon 1h", "sunset--1h"])
def test_an_unknown_time_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        StoryTimes.of(NOON_S, *OUARZAZATE).at_s(text)


@pytest.fixture
def day(tmp_path: Path) -> WatchedDay:
    return WatchedDay(tmp_path, {"is_story": True, "pace_factor": 600.0, "start": "2026-11-22T12:00:00Z"})


def names(day: WatchedDay) -> list[str]:
    return sorted(job["name"] for job in day.park.compute.jobs(day.owner, limit=500)[0])


def story_of(day: WatchedDay) -> Story:
    assert day.story is not None
    return day.story


def test_nothing_is_submitted_twice_or_forgotten(day: WatchedDay) -> None:
    now_s, real_s = day.clock.park_s(), day.clock.real_s()
    assert len(story_of(day).step(now_s, real_s)) > 5, "a story that begins late catches up"
    assert story_of(day).step(now_s, real_s) == []
    day.live.cycle()
    before = names(day)
    day.crash()
    assert story_of(day).step(now_s, real_s) == [], "its note tells what is done"
    (day.folder / "story.json").unlink()
    day.crash()
    story_of(day).step(now_s, real_s)
    day.live.cycle()
    assert names(day) == before, "and where the note was lost in a crash, the idempotency keys do"
    later = story_of(day).step(now_s + 2 * DAY_S, real_s)
    assert later and story_of(day).step(now_s + 9 * DAY_S, real_s) == []
    day.park.close()


def test_a_full_disk_only_makes_the_story_wait(day: WatchedDay) -> None:
    story, now_s, real_s = story_of(day), day.clock.park_s() + HOUR_S, day.clock.real_s()

    def full(_text: str) -> None:
        raise Unavailable("The disk is full.")

    keep, story.keep = story.keep, full
    story.step(now_s, real_s)
    assert story.step(now_s, real_s + 1) == [], "it does not hammer a full disk"
    story.keep = keep
    assert story.step(now_s, real_s + 60)
    day.live.cycle()
    found = [name for name in names(day) if "citrus counting, a" in name]
    assert len(found) == 1
    day.park.close()


def test_what_was_to_run_after_a_failed_job_is_left_out(day: WatchedDay) -> None:
    story, now_s = story_of(day), day.clock.park_s() + HOUR_S
    due = {"citrus"} | {entry.key for entry in story.entries if not entry.after}
    story.entries = tuple(entry for entry in story.entries if entry.key in due)
    story.step(now_s, day.clock.real_s())
    day.live.cycle()
    citrus = next(job for job in day.park.compute.jobs(day.owner)[0] if job["name"].startswith("citrus"))
    day.park.compute.cancel(day.owner, citrus["job_id"])
    day.step(1.0, times=3)
    day.story = bootstrap.story_of(day.park)
    story_of(day).step(now_s + DAY_S, day.clock.real_s())
    day.live.cycle()
    assert "citrus counting, the cooperative's report" not in names(day)
    day.park.close()


@pytest.mark.parametrize("script", ["training.py", "counting.py", "gate.py"])
def test_scripts_do_real_work_and_end_well(script: str, tmp_path: Path) -> None:
    path = Path(str(resources.files("eureka_park") / "welcome" / "story" / script))
    done = subprocess.run(
        [sys.executable, str(path), "a topic", "0"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "a topic" in done.stdout and list(tmp_path.glob("*.*")), "it says something and leaves a result"


def test_the_home_of_a_story(day: WatchedDay, tmp_path: Path) -> None:
    facts = day.park.facts
    assert (facts.sky, facts.is_story, facts.pace.factor) == ("binding", True, 600.0)
    assert facts.pace.park_origin_s == pytest.approx(NOON_S)
    day.park.close()
    home = bootstrap.make_home(tmp_path / "plain", now_real_s=NOON_S, is_story=True, site_name="bench").facts()
    assert home.pace.factor == 60.0 and home.seed == 5
    assert home.pace.park_origin_s == pytest.approx(daylight(NOON_S, *OUARZAZATE).sunrise_s - 1800)
    waited = bootstrap.make_home(
        tmp_path / "waited",
        now_real_s=NOON_S,
        is_story=True,
        start="2026-11-22T05:00:00Z",
        ready_real_s=lambda: NOON_S + 20,
    ).facts()
    assert waited.pace.park_from_real_s(NOON_S + 20) == NOON_S - 7 * HOUR_S, "making it takes no park time"
    other = bootstrap.make_home(tmp_path / "other", now_real_s=NOON_S, is_bare=True).facts()
    assert (other.story, other.is_watched, other.pace.park_origin_s) == ("", False, NOON_S)


@pytest.mark.parametrize(("pace", "declared_s"), [(1.0, 600.0), (5.0, 3000.0), (0.5, 600.0)])
def test_welcome_jobs_of_a_paced_home_declare_park_time(pace: float, declared_s: float, tmp_path: Path) -> None:
    home = bootstrap.make_home(tmp_path / "home", now_real_s=NOON_S, pace_factor=pace)
    bootstrap.prepare(home.folder)
    park = bootstrap.open_park(home.folder, SteppedClock(NOON_S, home.facts().pace))
    assert len(bootstrap.submit_welcome_jobs(park)) == 3 and bootstrap.submit_welcome_jobs(park) == []
    with park.db.read() as conn:
        specs = [item["payload"]["spec"] for item in store.open_commands(conn, 10)]
    assert [spec["time_s"] for spec in specs] == [declared_s] * 3
    assert bootstrap.story_of(park) is None and park.story_now() is None
    park.close()


def test_a_fast_home_brings_three_long_jobs_unless_it_is_bare(tmp_path: Path) -> None:
    home = bootstrap.make_home(tmp_path / "home", now_real_s=NOON_S, pace_factor=60.0)
    bootstrap.prepare(home.folder)
    park = bootstrap.open_park(home.folder, SteppedClock(NOON_S, home.facts().pace))
    story = bootstrap.story_of(park)
    assert bootstrap.submit_welcome_jobs(park) == [] and story is not None and len(story.entries) == 3
    told = park.story_now()
    assert told is not None and told["chapter"] == "salt_fills" and told["next_s"] > park.clock.park_s()
    park.close()
    bare = bootstrap.make_home(tmp_path / "bare", now_real_s=NOON_S, pace_factor=60.0, is_bare=True).facts()
    assert (bare.story, bare.is_watched, bare.seed) == ("", True, 1)
