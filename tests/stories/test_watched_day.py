"""A day goes by in a few seconds: sun, salt, night, and what they do to the jobs of the story. Sky, plans, decisions,
journal and ledger are real; engine, meter and clock are doubles.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise
from pathlib import Path

import pytest
from tests.helpers.watched_day import Seen, WatchedDay

from eureka_park import bootstrap
from eureka_park.energy.core.chapters import CHAPTERS
from eureka_park.foundation.machine import MachineFacts
from eureka_park.foundation.units import GIB, HOUR_S, parse_instant_s

PACE = 240.0


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedDay]:
    """A whole day, the deciding process lost and begun anew in the middle of it."""
    found = WatchedDay(tmp_path_factory.mktemp("day"), {"is_story": True, "pace_factor": PACE})
    found.watch(0.4)
    found.crash()
    found.watch()
    yield found
    found.park.close()


def looks(day: WatchedDay, *chapters: str) -> list[Seen]:
    return [look for look in day.seen if look.chapter in chapters]


def events(day: WatchedDay) -> dict[str, list[tuple[float, str, str]]]:
    jobs = day.park.compute.jobs(day.owner, limit=500)[0]
    found = {}
    for job in jobs:
        rows = day.park.compute.timeline(day.owner, job["job_id"])
        found[job["job_id"]] = [(row["at_s"], row["what"], row["text"]) for row in rows]
    return found


def test_the_chapters_come_in_order(day: WatchedDay) -> None:
    told = [code for code, _ in groupby(look.chapter for look in day.seen)]
    codes = [chapter.code for chapter in CHAPTERS]
    assert told == [*codes, *codes[:3]], "from before sunrise to the next morning"


def test_salt_rises_by_day_and_falls_by_night(day: WatchedDay) -> None:
    light = looks(day, "salt_fills")
    first_day = [look for look in light if look.park_s < light[0].park_s + 12 * HOUR_S]
    assert first_day[-1].salt_frac > first_day[0].salt_frac + 0.25
    dark = looks(day, "salt_takes_over")
    assert dark[0].salt_frac > dark[-1].salt_frac and dark[-1].salt_frac < 0.1
    assert all(after.salt_frac <= before.salt_frac + 0.01 for before, after in pairwise(dark))
    by_day, by_night = (max(look.clean_frac for look in found) for found in (first_day, looks(day, "night")[10:]))
    assert by_day > 0.85 and by_night < 0.4


def test_green_work_is_frozen_or_paused_in_the_night_and_goes_on_in_the_morning(day: WatchedDay) -> None:
    dawn_s = looks(day, "before_sunrise")[-1].park_s
    frozen, paused = 0, 0
    for rows in events(day).values():
        whats = [what for _, what, _ in rows]
        for at, (at_s, what, text) in enumerate(rows):
            if what == "frozen":
                again_s, again, why = rows[at + 1]
                assert again == "running"
                frozen += at_s < dawn_s < again_s
                assert "the sky gives" in text and "sun, wind and salt give" in why
            paused += what == "paused"
        if "paused" in whats:
            at = whats.index("paused")
            assert "starting" in whats[:at] and "starting" in whats[at:], "and started again"
    assert frozen >= 1 and paused >= 1


def test_every_state_is_seen_and_almost_all_work_gets_done(day: WatchedDay) -> None:
    whats = {what for rows in events(day).values() for _, what, _ in rows}
    assert {"queued", "starting", "running", "capped", "pausing", "paused", "frozen", "finished"} <= whats
    assert not whats & {"failed", "lost"}
    states = [job["state"] for job in day.park.compute.jobs(day.owner, limit=500)[0]]
    assert states.count("finished") >= 0.7 * len(states) and "failed" not in states


def test_firm_work_is_never_held_by_the_sky(day: WatchedDay) -> None:
    for job in day.park.compute.jobs(day.owner, limit=500)[0]:
        if job["tier"] == "firm":
            whats = [row["what"] for row in day.park.compute.timeline(day.owner, job["job_id"])]
            assert whats == ["queued", "starting", "running", "finished"], job["name"]


def test_deadlines_before_the_sun_are_kept(day: WatchedDay) -> None:
    dated = [job for job in day.park.compute.jobs(day.owner, limit=500)[0] if job["deadline_at"] and job["ended_at"]]
    assert len(dated) >= 6
    late = [job["name"] for job in dated if parse_instant_s(job["ended_at"]) > parse_instant_s(job["deadline_at"])]
    assert late == []


def test_energy_is_real_and_every_hour_has_its_own_sources(day: WatchedDay) -> None:
    ledger = day.park.ledger
    assert ledger.verify() == []
    hours = ledger.hours(0, 4e9)
    metered_j = sum(hour["it_kwh"] for hour in hours) * 3.6e6
    assert metered_j == pytest.approx(day.meter.total_j, rel=1e-3), "real watts times real seconds, whatever the pace"
    jobs = day.park.compute.jobs(day.owner, limit=500)[0]
    receipts = [found for job in jobs if (found := ledger.receipt(job["job_id"])) is not None]
    settled = sum(receipt["kwh"] for receipt in receipts)
    idle = sum(hour["idle_kwh"] for hour in hours)
    assert settled + idle <= sum(hour["kwh"] for hour in hours) * (1 + 1e-9)
    noon_s = looks(day, "salt_fills")[0].park_s + 3 * HOUR_S
    late_s = looks(day, "before_sunrise")[-1].park_s - 3 * HOUR_S
    grid = {"noon": 0.0, "late": 0.0}
    for hour in (item for receipt in receipts for item in receipt["hours"]):
        start_s = parse_instant_s(hour["hour_at"])
        name = "noon" if abs(start_s - noon_s) < 2 * HOUR_S else "late" if abs(start_s - late_s) < 2 * HOUR_S else ""
        if name:
            grid[name] += hour["kwh_by_source"].get("grid", 0.0)
    assert grid["noon"] < 0.1 * grid["late"], "the sun by day, the grid late at night"


def test_reasons_look_ahead(day: WatchedDay) -> None:
    """Of jobs still waiting at the end of the story, none is promised an hour that is over."""
    now_s = day.clock.park_s()
    for job in day.park.compute.jobs(day.owner, limit=500)[0]:
        for reason in job["reasons"]:
            if job["state"] in ("queued", "frozen", "paused") and reason["until"]:
                assert parse_instant_s(reason["until"]) >= now_s - 3 * PACE


@pytest.mark.sweep
@pytest.mark.parametrize("n_cpus", [1, 4, 64])
@pytest.mark.parametrize("date", ["2026-12-21", "2027-03-20", "2027-06-21", "2027-09-22"])
def test_every_season_and_size_shows_a_night_and_a_morning(
    date: str, n_cpus: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """The guided story on other days and machines: chapters in order, green work held in the night, then gone on."""
    if "sweep" not in request.config.getoption("markexpr"):
        pytest.skip("twelve more days, three seconds each; ask for them with -m sweep")
    monkeypatch.setattr(bootstrap, "machine_of", lambda _is_story: MachineFacts(n_cpus, 8 * GIB))
    noon_s = parse_instant_s(f"{date}T12:00:00Z")
    day = WatchedDay(tmp_path, {"is_story": True, "pace_factor": PACE}, noon_s)
    day.watch()
    told = [code for code, _ in groupby(look.chapter for look in day.seen)]
    codes = [chapter.code for chapter in CHAPTERS]
    order = [code for code in [*codes, *codes[:3]] if code != "night" or "night" in told]
    assert told == order
    whats = [what for rows in events(day).values() for _, what, _ in rows]
    assert whats.count("frozen") + whats.count("paused") >= 1
    assert "failed" not in whats and whats.count("finished") >= 20
    assert day.park.ledger.verify() == []
    day.park.close()
