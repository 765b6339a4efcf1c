"""The child process that makes a plan, and the room that keeps it."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from eureka_park.adapters.database import SqlDatabase
from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.energy.plan_child import main
from eureka_park.energy.service import KEEP_PLANS_S, EnergyService
from eureka_park.foundation.machine import MachineFacts
from eureka_park.foundation.power_plan import PowerPlan
from eureka_park.foundation.site_file import site_to_json
from eureka_park.foundation.site_reading import load_site
from eureka_park.foundation.units import parse_instant_s

BENCH = load_site("bench", MachineFacts(8, 2**34))
NOW_S = 1_795_312_900.0


@pytest.fixture
def db(database: SqlDatabase) -> SqlDatabase:
    return database


def request_json(**changes: object) -> str:
    return json.dumps({"site": site_to_json(BENCH), "now_s": NOW_S, "demand_mw": 386.0, **changes})


def test_the_child_writes_the_plan_that_the_core_makes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "eureka_park.energy.plan_child"],
        input=request_json(without=["noor-iii"], tes_mwh_th={}, seed=3),
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    plan = PowerPlan.from_json(json.loads(done.stdout))
    assert plan == make_plan(BENCH, PlanRequest(NOW_S, 386.0, seed=3, without=("noor-iii",)))


NOISY = """
import os, sys
from eureka_park.energy import plan_child
quiet = plan_child.make_plan
def noisy(*given):
    os.write(1, b"Running a solver, (c) somebody\\n")
    print("and more")
    return quiet(*given)
plan_child.make_plan = noisy
sys.exit(plan_child.run())
"""


def test_what_libraries_print_is_not_part_of_the_answer() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOISY], input=request_json(), capture_output=True, text=True, check=True, timeout=60
    )
    assert PowerPlan.from_json(json.loads(done.stdout)).site
    assert "Running a solver" in done.stderr and "and more" in done.stderr


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "'site' is missing"),
        (request_json(colour=1), "'colour' is not a field"),
        (request_json(site={}), "cannot be read"),
        (request_json(now_s=None), "cannot be read"),
        (request_json(without=["atlantis"]), "no plant 'atlantis'"),
        (request_json(demand_mw=[1, 2, 3]), "demand_mw"),
    ],
)
def test_what_goes_wrong_is_one_line(text: str, words: str) -> None:
    out, err = io.StringIO(), io.StringIO()
    assert main(io.StringIO(text), out, err) == 1
    assert words in err.getvalue() and err.getvalue().count("\n") == 1 and out.getvalue() == ""


def test_the_room_keeps_plans_and_hands_out_the_newest(db: SqlDatabase) -> None:
    energy = EnergyService(db)
    assert energy.current_plan() is None and energy.salt_at(NOW_S) is None
    first = make_plan(BENCH, PlanRequest(NOW_S, 386.0))
    with db.write() as conn:
        event = energy.record_plan(conn, first)
        assert energy.record_plan(conn, first) == event
    assert (event.plan_id, event.start_s, event.end_s) == (first.plan_id, first.start_s, first.end_s)
    assert energy.current_plan() == first
    assert energy.current_plan(NOW_S - 1) is None
    later_s = NOW_S + 3600
    salt = energy.salt_at(later_s, BENCH.factor)
    assert salt is not None and salt["noor-iii"] == pytest.approx(first.tes_mwh_th["noor-iii"][0] / BENCH.factor)
    second = make_plan(BENCH, PlanRequest(later_s, 386.0, tes_mwh_th=salt))
    with db.write() as conn:
        energy.record_plan(conn, second)
    assert energy.current_plan() == second and energy.current_plan(NOW_S) == first
    assert energy.salt_at(later_s + 60, BENCH.factor) == salt  # within the hour the salt at its start stays the same


def test_old_plans_are_forgotten(db: SqlDatabase) -> None:
    energy = EnergyService(db)
    old, new = (make_plan(BENCH, PlanRequest(at_s, 1.0)) for at_s in (NOW_S, NOW_S + KEEP_PLANS_S + 1))
    for plan in (old, new):
        with db.write() as conn:
            energy.record_plan(conn, plan)
    assert energy.current_plan(NOW_S) is None and energy.current_plan() == new


def test_the_sky_of_past_hours_is_told_by_the_newest_plan_of_each(db: SqlDatabase) -> None:
    energy = EnergyService(db)
    assert energy.sky_between(NOW_S, NOW_S + 7200) == []
    hour_s = NOW_S // 3600 * 3600
    first = make_plan(BENCH, PlanRequest(hour_s + 60, 386.0))
    second = make_plan(BENCH, PlanRequest(hour_s + 3660, 386.0, without=("koudia",)))
    with db.write() as conn:
        energy.record_plan(conn, first)
        energy.record_plan(conn, second)
    found = energy.sky_between(hour_s - 7200, hour_s + 3 * 3600 - 1)
    assert [parse_instant_s(hour["from_at"]) for hour in found] == [hour_s, hour_s + 3600, hour_s + 7200]
    assert [hour["by_source_mw"].get("koudia", 0.0) > 0 for hour in found] == [True, False, False]
    assert found[0]["clean_mw_p50"] == first.clean_available_mw_p50[0]
    assert found[2]["clean_mw_p50"] == second.clean_available_mw_p50[1] and "grid" not in found[2]["by_source_mw"]
    assert energy.sky_between(hour_s - 7200, hour_s + 3 * 3600 - 1) == found
