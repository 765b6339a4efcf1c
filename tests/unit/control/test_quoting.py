"""Quotes over a park that runs: they refuse what submit refuses, and say of a start what then happens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.live_park import LivePark

from eureka_park.accounts.service import Principal
from eureka_park.control import would_start
from eureka_park.foundation.errors import BadInput, Forbidden, NotFound
from eureka_park.foundation.units import parse_instant_s


@pytest.fixture
def park(tmp_path: Path) -> Iterator[LivePark]:
    park = LivePark(tmp_path)
    park.submit(run_s=1, tier="firm", cpus=0.1)  # a project's first job starts whatever the sky says
    park.step(times=4)
    yield park
    park.park.close()


def quote(park: LivePark, **request: Any) -> dict[str, Any]:
    return park.park.compute.quote(park.owner, {"command": ["true"], "time": 3600, **request})


def happens(park: LivePark, **request: Any) -> tuple[bool, str]:
    """What a quote says of the declared tier, and what live then does; the job is gone afterwards."""
    told = quote(park, **request)
    said = told["tiers"][told["tier"]]
    job_id = park.submit(run_s=1e6, **request)
    park.step(seconds=0.1)
    view = park.view(job_id)
    park.park.compute.cancel(park.owner, job_id)
    park.step(seconds=0.1, times=2)
    assert said["starts_now"] == (view["state"] != "queued"), (said, view)
    if not said["starts_now"]:
        assert said["reason"]["code"] == view["reasons"][0]["code"], (said["reason"], view["reasons"])
    return said["starts_now"], "" if said["starts_now"] else said["reason"]["code"]


def test_it_says_what_live_then_does(park: LivePark) -> None:
    assert happens(park, tier="firm", cpus=0.5) == (True, "")
    found = {happens(park, tier=tier, cpus=0.5, by=by) for tier in ("flex", "green") for by in (None, "30h", "90m")}
    n_cpus = park.park.site.nodes[0].n_cpus
    park.submit(run_s=1e6, tier="firm", cpus=n_cpus, time="3h")
    park.step(times=2)
    full = happens(park, tier="firm", cpus=1)
    assert full == (False, "room")
    found |= {happens(park, tier=tier, cpus=n_cpus) for tier in ("flex", "green")}
    assert len(found) >= 2


def test_it_expects_the_start_when_room_is_promised(park: LivePark) -> None:
    n_cpus = park.park.site.nodes[0].n_cpus
    park.submit(run_s=1e6, tier="firm", cpus=n_cpus, time="3h")
    park.step(times=2)
    tier = quote(park, tier="firm")["tiers"]["firm"]
    assert parse_instant_s(tier["start_at"]) - park.clock.park_s() == pytest.approx(3 * 3600, abs=60)
    assert tier["start_at"] == tier["reason"]["until"]


def test_a_long_line_before_it_is_told(park: LivePark) -> None:
    n_cpus = park.park.site.nodes[0].n_cpus
    for _ in range(12):
        park.submit(run_s=1e6, tier="firm", cpus=n_cpus)
    park.step(times=2)
    tiers = quote(park, tier="firm", cpus=0.5)["tiers"]
    assert not tiers["firm"]["starts_now"] and (tiers["firm"]["n_ahead"], tiers["green"]["n_ahead"]) == (11, 0)


def test_figures_add_up_and_assumptions_are_told(park: LivePark) -> None:
    found = quote(park, tier="flex", cpus=1, by="20h")
    assert set(found["tiers"]) == {"firm", "flex", "green"} and found["tier"] == "flex" and found["plan_id"]
    for tier in found["tiers"].values():
        assert tier["credits"] == pytest.approx(tier["machine_credits"] + tier["energy_credits"])
        assert tier["energy_kwh"] == pytest.approx(sum(tier["kwh_by_source"].values()))
        assert 40 <= len(tier["best_hours"]) <= 49
        in_time = [hour for hour in tier["best_hours"] if hour["in_time"]]
        assert len(in_time) == 20 and tier["best_credits"] == pytest.approx(min(hour["credits"] for hour in in_time))
    prices = park.park.site.prices.mad_per_cpu_h
    assert found["tiers"]["firm"]["machine_credits"] == pytest.approx(prices.firm)
    assert found["tiers"]["green"]["machine_credits"] == pytest.approx(prices.green)
    assert found["labels"]["load"].startswith("assumption") and found["labels"]["weather"].startswith("synthetic")
    assert "beyond" not in found["labels"] and "beyond" in quote(park, time="5d")["labels"]
    assert quote(park, array=3)["tiers"]["firm"]["credits"] == pytest.approx(
        3 * quote(park)["tiers"]["firm"]["credits"]
    )


def test_a_finished_job_pays_what_was_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole park: one job alone at its rated power for its declared time."""
    park = LivePark(tmp_path, sky="observed")
    node = park.park.site.nodes[0]
    park.meter.range_j = 0
    idle_w = park.meter.watts = 20.0  # as this double declares it
    park.step(seconds=60, times=2)
    monkeypatch.setattr(park.maker, "start", lambda _: None)  # the receipt is to be made under the same plan
    told = quote(park, tier="firm", cpus=node.n_cpus, time=600)["tiers"]["firm"]
    job_id = park.submit(run_s=600, tier="firm", cpus=node.n_cpus, time=601)
    park.step(seconds=60)
    park.meter.watts = node.rated_kw * 1000
    park.step(seconds=60, times=10)
    park.meter.watts = idle_w
    park.step(seconds=60)
    receipt = park.receipt(job_id)
    assert receipt["kwh"] == pytest.approx(told["energy_kwh"], rel=1e-3)
    assert receipt["credits"] == pytest.approx(told["credits"], rel=1e-3)
    park.park.close()


def test_what_cannot_be_submitted_cannot_be_quoted(park: LivePark) -> None:
    for wrong in ({"cpus": -1}, {"tier": "solid"}, {"by": "1m"}, {"after": ["job-nope"]}, {"cpu": 1}, {"gpus": 99}):
        errors = []
        for ask in (park.park.compute.quote, park.park.compute.submit):
            with pytest.raises(BadInput) as told:
                ask(park.owner, {"command": ["true"], "time": 3600, **wrong})
            errors.append((told.value.code, told.value.field, told.value.message))
        assert errors[0] == errors[1]
    stranger = Principal("person-x", "Stranger", False, frozenset())
    with pytest.raises(Forbidden):
        park.park.compute.quote(stranger, {"command": ["true"]})
    with pytest.raises(NotFound):
        park.park.compute.quote(stranger, {"command": ["true"], "project": "quiet"})


def test_nothing_is_left_behind(park: LivePark) -> None:
    before = (park.park.compute.counts(), park.park.compute.change_mark())
    quote(park)
    park.step(times=1)
    assert park.park.compute.counts() == before[0]


def test_before_the_first_plan_the_grid_is_counted(tmp_path: Path) -> None:
    park = LivePark(tmp_path)
    found = quote(park)
    assert found["plan_id"] is None and found["labels"]["plan"].startswith("none yet")
    assert len(found["tiers"]["flex"]["best_hours"]) == 1 and found["tiers"]["flex"]["clean_frac"] == 0
    park.park.close()


def test_many_quotes_rest_on_one_picture_until_the_journal_goes_on(
    park: LivePark, monkeypatch: pytest.MonkeyPatch
) -> None:
    laid_out, really = list[float](), would_start.Picture.__init__

    def counted(self: would_start.Picture, nodes: Any, running: Any, policy: Any, now_s: float, lock: Any) -> None:
        laid_out.append(now_s)
        really(self, nodes, running, policy, now_s, lock)

    monkeypatch.setattr(would_start.Picture, "__init__", counted)
    n_cpus = park.park.site.nodes[0].n_cpus
    first = quote(park, tier="firm", cpus=n_cpus)
    assert first["tiers"]["firm"]["starts_now"]
    quote(park, tier="flex", cpus=0.5, by="30h", array=3)
    assert quote(park, tier="firm", cpus=n_cpus) == first, "a quote leaves nothing behind for the next one"
    assert len(laid_out) == 1
    park.submit(run_s=1e6, tier="firm", cpus=n_cpus, time="3h")
    park.step(times=2)
    assert quote(park, tier="firm", cpus=n_cpus)["tiers"]["firm"]["reason"]["code"] == "room"
    assert len(laid_out) == 2
