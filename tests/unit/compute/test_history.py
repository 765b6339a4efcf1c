"""What a job's page and the Gantt ask for, over a park that runs: spans, power by hour, the sky, who sees what."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.live_park import START_S, LivePark

from eureka_park.foundation.errors import NotFound
from eureka_park.foundation.units import J_PER_KWH, parse_instant_s


@pytest.fixture
def park(tmp_path: Path) -> Iterator[LivePark]:
    park = LivePark(tmp_path, sky="observed")
    yield park
    park.park.close()


def test_history_while_it_runs_and_when_it_is_over(park: LivePark) -> None:
    park.meter.range_j = 0
    job_id = park.submit(run_s=5400, tier="firm", time=7200)
    first = park.park.compute.history(park.owner, job_id)
    assert [(span["state"], span["until_at"]) for span in first["spans"]] == [("queued", None)]
    assert first["spans"][0]["reason"]["code"] == "just_sent" and first["power"] == []
    park.step(seconds=60, times=30)
    during = park.park.compute.history(park.owner, job_id)
    assert during["spans"][-1]["state"] == "running" and during["spans"][-1]["until_at"] is None
    assert during["spans"][-1]["node"] and during["power"][0]["site_w"] > 0
    park.step(seconds=60, times=70)
    done = park.park.compute.history(park.owner, job_id)
    assert [span["state"] for span in done["spans"]] == ["queued", "starting", "running"] or [
        span["state"] for span in done["spans"]
    ] == ["queued", "running"]
    receipt = park.receipt(job_id)
    assert sum(hour["kwh"] for hour in done["power"]) == pytest.approx(receipt["kwh"])
    energy_j = sum(
        hour["site_w"] * (parse_instant_s(hour["until_at"]) - parse_instant_s(hour["from_at"]))
        for hour in done["power"]
    )
    assert energy_j / J_PER_KWH == pytest.approx(receipt["kwh"])
    assert len(done["sky"]) == len(done["power"]) == 2
    sky = done["sky"][0]
    assert sky["p10"] <= sky["clean_mw_p50"] <= sky["p90"]
    assert sum(sky["by_source_mw"].values()) == pytest.approx(sky["clean_mw_p50"]) and "grid" not in sky["by_source_mw"]


def test_power_of_a_paced_park_is_real_watts(tmp_path: Path) -> None:
    park = LivePark(tmp_path, sky="observed", pace_factor=60.0)
    park.clock._pace = park.park.facts.pace  # the double follows the home's pace
    park.meter.range_j = 0
    job_id = park.submit(run_s=300, tier="firm", time=86400, cpus=1)
    park.step(seconds=5, times=90)
    hours = park.park.compute.history(park.owner, job_id)["power"]
    assert len(hours) >= 4 and all(1 < hour["site_w"] < 60 for hour in hours)
    readings = park.park.ledger.readings(START_S, START_S + 1e6)
    assert all(30 < reading["site_w"] < 60 and reading["it_w"] == pytest.approx(30) for reading in readings)
    park.park.close()


def test_an_array_tells_its_first_task(park: LivePark) -> None:
    array = park.submit(run_s=30, tier="firm", cpus=0.2, array=2)
    park.step(times=4)
    assert park.park.compute.history(park.owner, array)["job_id"] == f"{array}[0]"


def test_what_it_waited_for_stays_with_the_span(park: LivePark) -> None:
    n_cpus = park.park.site.nodes[0].n_cpus
    first = park.submit(run_s=100, tier="firm", cpus=n_cpus)
    park.step(times=2)
    second = park.submit(run_s=20, tier="firm", cpus=n_cpus)
    park.step(times=3)
    assert park.park.compute.history(park.owner, second)["spans"][-1]["reason"]["code"] == "room"
    park.step(times=40)
    spans = park.park.compute.history(park.owner, second)["spans"]
    assert spans[0]["state"] == "queued" and spans[0]["reason"]["code"] == "room" and spans[-1]["until_at"]
    rows = park.park.compute.gantt(park.owner, START_S, START_S + 1000)
    assert [row["job_id"] for row in rows] == [second, first] and rows[1]["spans"][-1]["state"] == "running"
    cut = park.park.compute.gantt(park.owner, START_S + 40, START_S + 60)
    assert [row["job_id"] for row in cut] == [first] and len(cut[0]["spans"]) == 1
    assert parse_instant_s(cut[0]["spans"][0]["from_at"]) == START_S + 40
    assert [row["job_id"] for row in park.park.compute.gantt(park.owner, START_S, START_S + 1000, limit=1)] == [second]


def test_private_lives_stay_private(park: LivePark) -> None:
    park.park.accounts.ensure_project("quiet", "Quiet", False)
    job_id = park.submit(run_s=30, tier="firm", project="quiet")
    park.step(times=4)
    assert park.park.compute.gantt(None, START_S, START_S + 1000) == []
    with pytest.raises(NotFound):
        park.park.compute.history(None, job_id)
