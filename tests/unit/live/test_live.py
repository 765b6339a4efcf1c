"""The live loop with a real database, journal, lease, ledger and plan; engine, meter and clock are doubles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.board_view import differences, view_of
from tests.helpers.live_park import LivePark

from eureka_park.accounts.service import Principal
from eureka_park.foundation.errors import BadInput, Conflict, NotFound
from eureka_park.live import store as live_store
from eureka_park.live.journal import open_state


@pytest.fixture
def park(tmp_path: Path) -> Iterator[LivePark]:
    world = LivePark(tmp_path)
    yield world
    world.live.state.validate()
    assert world.park.ledger.verify() == []
    world.park.close()


def test_a_job_runs_and_its_receipt_adds_up(park: LivePark) -> None:
    job_id = park.submit(run_s=65, cpus=1, tier="firm")
    park.step(times=30)
    view = park.view(job_id)
    assert view["state"] == "finished" and view["exit_code"] == 0 and view["attempt"] == 1
    receipt = park.receipt(job_id)
    assert receipt["kwh"] == pytest.approx(sum(receipt["kwh_by_source"].values()), rel=1e-9)
    assert receipt["kwh"] == pytest.approx(sum(hour["kwh"] for hour in receipt["hours"]), rel=1e-9)
    assert receipt["it_kwh"] * 1.0 < receipt["kwh"] < receipt["it_kwh"] * 2.0, "site energy is more, by PUE"
    assert receipt["scale_model"] is True and "assumption" in json.dumps(receipt["price"])
    # 10 W above idle for 65 s, and half of 20 W idle for its stay on the node
    assert receipt["it_kwh"] * 3.6e6 == pytest.approx(10 * 65 + 10 * 65, rel=0.12)


def test_receipts_and_idle_are_the_meter_through_wraps_overlaps_gaps_and_crashes(park: LivePark) -> None:
    jobs = [park.submit(run_s=40 + 7 * index, cpus=0.5, tier="firm") for index in range(9)]
    for round_ in range(60):
        park.meter.watts = 25 + round_ % 7
        park.step(3 if round_ % 5 else 11)
        if round_ % 13 == 7:
            park.crash()
    assert all(park.view(job_id)["state"] == "finished" for job_id in jobs)
    hours = park.park.ledger.hours(0, 2e9)
    meter_kwh = sum(hour["it_kwh"] for hour in hours)
    park.step(61)
    hours = park.park.ledger.hours(0, 2e9)
    meter_kwh = sum(hour["it_kwh"] for hour in hours)
    assert meter_kwh == pytest.approx(park.meter.total_j / 3.6e6, rel=1e-6)
    idle = sum(hour["idle_kwh"] for hour in hours)
    site = sum(hour["kwh"] for hour in hours)
    assert sum(park.receipt(job_id)["kwh"] for job_id in jobs) + idle == pytest.approx(site, rel=1e-6)


def test_every_crash_point_loses_nothing_and_runs_nothing_twice(park: LivePark) -> None:
    jobs = [park.submit(run_s=20 + index, tier="firm", cpus=0.4) for index in range(12)]
    park.engine.codes = {jobs[3]: 3, jobs[7]: 7}
    park.maker.again_for_s = 60.0  # each process asks for a plan of its own
    for _ in range(80):
        park.clock.step(2)
        park.live.cycle()
        park.crash()
    states = [park.view(job_id) for job_id in jobs]
    assert [view["state"] for view in states].count("finished") == 10
    assert states[3]["exit_code"] == 3 and states[7]["exit_code"] == 7
    assert set(park.engine.runs.values()) == {1} and len(park.engine.runs) == 12


def test_order_lost_between_journal_and_engine_is_given_again(park: LivePark) -> None:
    park.engine.drop_orders = True
    job_id = park.submit(run_s=5, tier="firm")
    park.step(times=2)
    assert park.view(job_id)["state"] == "starting" and not park.engine.runs
    park.engine.drop_orders = False
    park.crash()
    park.step(times=3)
    assert park.view(job_id)["state"] == "finished" and sum(park.engine.runs.values()) == 1


def test_a_stale_process_is_refused_by_the_fencing_token(park: LivePark) -> None:
    stale = park.live
    park.open()
    park.submit()
    with pytest.raises(Conflict, match="lease"):
        stale.cycle()
    stale.parts.db.close()


def test_lease_is_refused_while_another_holds_it(park: LivePark) -> None:
    with park.park.db.write() as conn, pytest.raises(Conflict, match="Another process"):
        live_store.take_lease(conn, "other", park.clock.real_s(), 15.0, may_take=False)


def test_journal_is_gapless_and_replay_equals_snapshot_plus_tail(park: LivePark) -> None:
    for index in range(5):
        park.submit(run_s=10, tier="flex" if index % 2 else "firm")
    park.step(times=4)
    park.live.journal.save_snapshot(park.park.db, park.live.state)
    park.submit(run_s=500)
    park.step(times=6)
    with park.park.db.read() as conn:
        seqs = [row[0] for row in live_store.journal_after(conn, 0, 10_000)]
    assert seqs == list(range(1, len(seqs) + 1))
    rebuilt, journal = open_state(park.park.db, park.live.journal.token)
    assert journal.head == seqs[-1]
    now_s = park.clock.park_s()
    assert differences(view_of(rebuilt, now_s), view_of(park.live.state, now_s)) == []


def test_cancel_waiting_and_running(park: LivePark) -> None:
    park.submit(run_s=5, tier="firm")
    running, waiting = park.submit(run_s=900, tier="firm"), park.submit(run_s=900, tier="firm", cpus=2)
    park.step(times=3)
    for job_id in (running, waiting):
        park.park.compute.cancel(park.owner, job_id)
    park.step(times=2)
    assert park.view(running)["state"] == park.view(waiting)["state"] == "cancelled"
    with pytest.raises(Conflict, match="already over"):
        park.park.compute.cancel(park.owner, running)
    assert park.receipt(waiting)["kwh"] == 0.0


def test_repeated_idempotency_key_gives_the_same_job(park: LivePark) -> None:
    first = park.park.compute.submit(park.owner, {"command": ["true"]}, "key-1")
    assert park.park.compute.submit(park.owner, {"command": ["true"]}, "key-1") == first
    park.step()
    assert park.park.compute.submit(park.owner, {"command": ["true"]}, "key-1") == first
    assert sum(park.park.compute.counts().values()) == 1


def test_a_job_is_visible_before_live_has_seen_it(park: LivePark) -> None:
    job_id = park.park.compute.submit(park.owner, {"command": ["true"]})
    assert park.view(job_id)["state"] == "queued" and park.view(job_id)["reasons"][0]["code"] == "just_sent"


def test_arrays_tasks_and_dependents(park: LivePark) -> None:
    array = park.submit(array=4, cpus=0.5, tier="firm")
    after = park.submit(after=[array], run_s=5, tier="firm")
    for index in range(4):
        park.engine.run_s[f"{array}[{index}]"] = 20
    park.step(times=3)
    assert park.view(array)["n_tasks"] == 4 and park.view(after)["reasons"][0]["code"] == "dependency"
    park.step(times=10)
    assert park.view(array)["state"] == "finished" and park.view(f"{array}[3]")["task_index"] == 3
    assert park.view(after)["state"] == "finished"
    orders = {order.env.get("PARK_ARRAY_INDEX") for order in park.engine.orders if order.job_id != after}
    assert orders == {"0", "1", "2", "3"}


def test_after_an_unknown_or_failed_job_is_refused_at_once(park: LivePark) -> None:
    with pytest.raises(BadInput, match="no job job-nope"):
        park.submit(after=["job-nope"])
    bad = park.submit(run_s=5, tier="firm")
    park.engine.codes[bad] = 1
    park.step(times=4)
    with pytest.raises(BadInput, match="failed"):
        park.submit(after=[bad])


def test_first_plan_feeds_potential_demand_of_a_full_queue(park: LivePark) -> None:
    park.step()
    idle_demand = park.maker.requests[-1]["demand_mw"]
    for _ in range(30):
        park.submit(run_s=7200, cpus=2, time="4h")
    park.step(times=4)
    full_demand = park.maker.requests[-1]["demand_mw"]
    assert max(full_demand) > 1.4 * max(idle_demand), "idle machines and a quarter of the rest are expected anyway"
    assert max(full_demand) == pytest.approx(386.0, rel=0.02), "the whole site's capacity, at base scale"


def test_overlong_job_is_ended_and_says_why(park: LivePark) -> None:
    job_id = park.submit(run_s=4000, time="2m", tier="firm")
    park.step(10, times=20)
    view = park.view(job_id)
    assert view["state"] == "failed" and "longer than its declared" in view["detail"]


def test_why_speaks_for_every_state(park: LivePark) -> None:
    job_id = park.submit(run_s=30, tier="firm")
    waiting = [park.submit(run_s=30, cpus=2) for _ in range(24)]
    park.step(times=2)
    assert park.park.compute.why(park.owner, job_id)["reasons"][0]["code"] == "running"
    assert park.park.compute.why(park.owner, waiting[0])["reasons"][0]["code"] == "room"
    last = park.park.compute.why(park.owner, waiting[-1])["reasons"][0]
    assert last["code"] == "behind" and last["values"]["n_ahead"] > 5
    park.step(times=10)
    assert park.park.compute.why(park.owner, job_id)["reasons"][0]["code"] == "finished"


def test_strangers_see_404_not_403(park: LivePark) -> None:
    park.park.accounts.ensure_project("secret", "Secret", False)
    job_id = park.submit(project="secret")
    with pytest.raises(NotFound):
        park.park.compute.job(None, job_id)


def test_jobs_of_people_who_do_not_operate_the_park_are_not_trusted(park: LivePark) -> None:
    person_id = park.park.accounts.add_person("researcher at a university")
    park.park.accounts.ensure_project("lab", "Lab", False)
    park.park.accounts.add_member("lab", person_id)
    who = Principal(person_id, "researcher", False, frozenset({"lab"}))
    theirs = park.park.compute.submit(who, {"command": ["true"], "project": "lab", "tier": "firm"})
    mine = park.submit(tier="firm")
    park.step(times=2)
    assert {order.job_id: order.is_trusted for order in park.engine.orders} == {theirs: False, mine: True}


def test_a_full_disk_in_the_engine_delays_a_job_and_harms_nobody(
    park: LivePark, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = park.engine.submit

    def full(_order: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(park.engine, "submit", full)
    job_id = park.submit(run_s=20, tier="firm")
    park.step(times=3)
    assert park.view(job_id)["state"] == "starting"
    park.crash()
    monkeypatch.setattr(park.engine, "submit", real)
    park.step(times=12)
    assert park.view(job_id)["state"] == "finished" and park.engine.runs == {(job_id, 1): 1}


def test_a_job_that_the_engine_forgot_is_lost_not_for_ever_running(park: LivePark) -> None:
    job_id = park.submit(run_s=1e6, tier="firm")
    park.step(times=2)
    park.engine.reports.clear()
    park.step(times=20)
    view = park.view(job_id)
    assert view["state"] == "lost" and "knows nothing" in view["detail"]


def test_a_cancel_before_the_crash_holds_after_it_and_may_be_repeated(park: LivePark) -> None:
    park.engine.drop_orders = True
    job_id = park.submit(run_s=1e6, tier="firm")
    park.step()
    park.park.compute.cancel(park.owner, job_id)
    park.step()
    park.engine.drop_orders = False
    park.crash()
    park.park.compute.cancel(park.owner, job_id)
    park.step(times=4)
    assert park.view(job_id)["state"] == "cancelled"


def test_cancel_and_dependent_in_one_breath(park: LivePark) -> None:
    first = park.submit(run_s=1e6, cpus=2)
    blocked = park.submit(run_s=10, cpus=2)
    park.step(times=2)
    park.park.compute.cancel(park.owner, blocked)
    dependent = park.submit(run_s=10, after=[blocked], cpus=0.1, array=3)
    park.step(times=3)
    assert park.view(dependent)["state"] == "cancelled"
    park.park.compute.cancel(park.owner, first)
    park.step(times=2)


def test_many_threads_may_look_at_once(park: LivePark) -> None:
    from concurrent.futures import ThreadPoolExecutor

    job_id = park.submit(run_s=5, tier="firm")
    park.step(times=3)
    with ThreadPoolExecutor(24) as pool:
        views = list(pool.map(lambda _index: park.view(job_id), range(240)))
    assert {view["state"] for view in views} == {"finished"}


def test_an_expired_plan_pauses_nobody_at_once(park: LivePark) -> None:
    park.park.accounts.ensure_project("other", "Other", True)
    park.submit(run_s=30, tier="green", project="other", time="60h", cpus=0.5)
    job_id = park.submit(run_s=1e6, tier="green", project="welcome", time="90h", cpus=0.5)
    park.step(times=3)
    assert park.view(job_id)["state"] == "running"
    park.clock.step(60 * 3600)
    park.maker.start = lambda request: None  # type: ignore[method-assign]
    park.live.cycle()
    assert park.view(job_id)["state"] == "running" and park.view(job_id)["cap_frac"] == 1.0
