"""The process of one run: what it tells, what it writes, how it waits and ends."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eureka_park.foundation.errors import Unavailable
from eureka_park.foundation.site_file import site_to_json
from eureka_park.foundation.site_reading import load_site
from eureka_park.twin import run, run_child
from eureka_park.twin.run_desk import Child
from eureka_park.twin.run_files import read_run
from eureka_park.twin.run_question import EXAMPLE
from eureka_park.twin.run_record import RunRecord

PARK = load_site("eureka-park")


def request_of(folder: Path, **change: Any) -> dict[str, Any]:
    asked = replace(EXAMPLE, **change)
    return {
        "site": site_to_json(PARK), "question": asked.to_json(), "folder": str(folder / asked.run_id),
        "lock": str(folder / "lock"),
    }  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a run is asked for; it gives two hours without playing any."""
    found: list[Any] = []

    def recorded(
        site: Any, request: Any, policy: Any, told: Callable[[str], None], stopped: Any, frac: Callable[[float], None]
    ) -> RunRecord:
        found.append((site, request, policy))
        told("play")
        for part in (0.001, 0.3, 0.301, 1.0):
            frac(part)
        hour_s = request.start_s + 3600.0 * np.arange(2)
        columns = {name: np.ones(2) for name in ("load_kwh", "clean_kwh", "direct_kwh", "salt_kwh")}
        return RunRecord({"days": request.days, "per_it": 1.1}, {"hour_s": hour_s, **columns})

    monkeypatch.setattr(run, "run_recorded", recorded)
    return found


def played(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    told: list[Mapping[str, Any]] = []
    run_child.play(request, told.append, threading.Event())
    return told


def test_the_model_of_a_question_is_played_and_written(tmp_path: Path, asked: list[Any]) -> None:
    told = played(request_of(tmp_path, one_in=32, days=3, scenario="noor-iii-out", demand_of_supply=0.8))
    site, request, policy = asked[0]
    assert site.factor == pytest.approx(1 / 32) and policy.can_cap
    assert (request.days, request.load_frac, request.scenario, request.demand_of_supply) == (
        3,
        0.8,
        "noor-iii-out",
        0.8,
    )
    assert [event for event in told if event.get("part") != "compile"] == [
        {"part": "play"},
        {"frac": 0.3},
        {"frac": 1.0},
    ]
    question = replace(EXAMPLE, one_in=32, days=3, scenario="noor-iii-out", demand_of_supply=0.8)
    record = read_run(tmp_path / question.run_id)
    told = {**record.request["question"], "policy": question.policy}
    assert told == question.to_json() and "policy" not in record.request["question"]


def test_new_plants_stand_beside_the_others_at_their_yield() -> None:
    site = run_child.site_of(PARK, replace(EXAMPLE, wind_mw=200.0, pv_mw=50.0))
    new = {plant.type: plant for plant in site.plants[len(PARK.plants) :]}
    assert site.plants[: len(PARK.plants)] == PARK.plants and set(new) == {"wind", "pv"}
    assert 0.5 * 200.0 < new["wind"].gross_mw <= 200.0 and 0.5 * 50.0 < new["pv"].gross_mw <= 50.0


def test_who_comes_second_waits_and_may_be_stopped(tmp_path: Path, asked: list[Any]) -> None:
    request, told, stopped = request_of(tmp_path), list[Mapping[str, Any]](), threading.Event()
    with (tmp_path / "lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        threading.Timer(0.05, stopped.set).start()
        with pytest.raises(Unavailable) as found:
            run_child.play(request, told.append, stopped)
    assert found.value.code == "stopped" and told == [{"part": "wait"}] and not asked


def test_a_real_child_tells_what_is_wrong_with_its_question(tmp_path: Path) -> None:
    told: list[Mapping[str, Any]] = []
    child = Child({**request_of(tmp_path), "question": {"nights": 1}})
    assert child.events(told.append) == 0
    assert len(told) == 1 and "another version" in told[0]["error"] and told[0]["fix"]
