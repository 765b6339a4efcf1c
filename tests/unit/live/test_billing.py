"""Work that costs something: held when it is submitted, charged by the hour, paid back where the park failed it."""

from __future__ import annotations

import pytest
from tests.helpers.live_park import LivePark

from eureka_park.compute.core import event as ev
from eureka_park.compute.core.job import JobState
from eureka_park.foundation.errors import Conflict
from eureka_park.ledger.billing import store
from eureka_park.ledger.core.posting import CREDIT, GRANTS, project_account, transfer
from eureka_park.ledger.events import HoldRefused
from eureka_park.live.billing import Charging
from eureka_park.live.loop import _Cycle

PRICES = {
    "mad_per_gpu_h": {"*": {"firm": 30.0, "flex": 20.0, "green": 10.0}},
    "mad_per_cpu_h": {"*": {"firm": 6.0, "flex": 4.0, "green": 2.0}},
    "label": "set in a test",
}


@pytest.fixture
def live(tmp_path):
    made = LivePark(tmp_path)
    made.park.ledger.billing.set_price_list(made.owner, PRICES)
    yield made
    made.park.close()


def cycle_with(live, *events):
    """A cycle in which this has happened too."""
    cycle = _Cycle(live.clock.park_s(), live.clock.real_s())
    live.live._happen(cycle, *events)
    return cycle


def left(live):
    return live.park.ledger.grants.usable("welcome", live.clock.park_s())


def test_a_job_is_held_charged_by_the_hour_and_its_receipt_is_what_was_charged(live):
    quote = live.park.compute.quote(live.owner, {"command": ["true"], "time": "3h", "cpus": 2, "tier": "firm"})
    firm = quote["tiers"]["firm"]
    assert firm["machine_credits"] == 36.0 and quote["labels"]["prices"] == "set in a test"
    assert 36.0 < firm["credits"] <= firm["ceiling_credits"] + 1e-9
    assert quote["tiers"]["green"]["machine_credits"] == 12.0
    for hour in firm["best_hours"]:
        assert hour["credits"] == pytest.approx(hour["machine_credits"] + hour["energy_credits"])
        assert hour["credits"] <= hour["ceiling_credits"] + 1e-9 and hour["ceiling_credits"] <= firm["ceiling_credits"]

    job = live.submit(run_s=2.5 * 3600, time="3h", cpus=2, tier="firm")
    hold = live.park.ledger.billing.held(job)
    assert hold.held_micro == hold.ceiling_micro == pytest.approx(firm["ceiling_credits"] * 1e6, abs=10)
    assert left(live) == pytest.approx(1000 - firm["ceiling_credits"], abs=1e-4)
    live.step(5.0, 3)
    live.step(600.0, 8)
    charged = live.park.ledger.billing.held(job).charged_micro
    assert 10e6 < charged < 20e6  # the hours that are over, and nothing twice
    live.crash()
    live.step(5.0)
    assert live.park.ledger.billing.held(job).charged_micro == charged
    live.step(600.0, 9)
    receipt, hold = live.receipt(job), live.park.ledger.billing.held(job)
    assert not hold.is_open and hold.held_micro == 0
    assert receipt["credits"] * 1e6 == pytest.approx(hold.charged_micro) and hold.charged_micro < hold.ceiling_micro
    assert receipt["credits"] == pytest.approx(sum(hour["credits"] for hour in receipt["hours"]))
    assert left(live) == pytest.approx(1000 - receipt["credits"])
    assert live.park.ledger.verify() == []


def test_without_credit_nothing_is_submitted(live):
    with pytest.raises(Conflict, match=r"may cost up to .* has 1,000\.00 left") as told:
        live.submit(time="100h", cpus=2, tier="firm")
    assert told.value.code == "no_credit" and left(live) == 1000
    live.submit(time="10h", cpus=2, tier="green")
    assert 955 < left(live) < 960


def test_work_that_a_lost_node_took_with_it_is_paid_back(live):
    job = live.submit(run_s=5 * 3600, time="6h", cpus=2, tier="firm")
    live.step(5.0, 3)
    live.step(900.0, 6)
    assert live.park.ledger.billing.held(job).charged_micro > 6e6
    with live.park.db.write() as conn:
        lost = ev.JobRequeued(job, live.clock.park_s(), "its node is gone")
        Charging(live.park.ledger).step(conn, live.live.state, [lost], live.clock.park_s())
    hold = live.park.ledger.billing.held(job)
    assert hold.charged_micro == 0 and hold.held_micro == hold.ceiling_micro and hold.refunded_micro > 6e6
    assert live.park.ledger.verify() == []


def drain(live, keep=0.0):
    """Take what is left to spend, but for so much."""
    with live.park.db.write() as conn:
        amount = round((live.park.ledger.balance("welcome") - keep) * 1e6)
        deed = transfer(
            "drain:x", "x", live.clock.park_s(), source=project_account("welcome"), target=GRANTS, commodity=CREDIT,
            amount_micro=amount,
        )  # fmt: skip
        live.park.ledger.post(conn, [deed])


def shorten(live, job, hours):
    """As if it had taken longer than it declared: caps and lost work make jobs do."""
    with live.park.db.write() as conn:
        conn.execute(store.holds.update().where(store.holds.c.job_id == job).values(declared_s=hours * 3600.0))


def test_flexible_work_without_credit_is_paused_and_goes_on_when_credit_comes(live):
    job = live.submit(run_s=3 * 3600, time="4h", cpus=2, tier="flex", checkpoint=True)
    live.step(5.0, 3)
    shorten(live, job, 1)
    drain(live, keep=0.5)
    live.crash()
    live.step(300.0, 14)
    shown = live.view(job)
    assert shown["state"] == "paused" and [item["code"] for item in shown["reasons"]] == ["no_credit"]
    assert "welcome has 0.50" in shown["reasons"][0]["text"] and not live.live.state.on_node
    answer = live.park.compute.why(live.owner, job)
    assert any("top-up" in text for text in answer["advice"]) and answer["line"] is None
    live.crash()
    live.step(60.0, 30)
    assert live.view(job)["state"] == "paused" and live.park.ledger.verify() == []
    live.park.ledger.grants.give(live.owner, "welcome", 100)
    live.step(30.0, 6)
    assert live.view(job)["state"] == "running"
    live.step(600.0, 16)
    receipt, hold = live.receipt(job), live.park.ledger.billing.held(job)
    assert live.view(job)["state"] == "finished" and hold.n_renewals >= 2 and not hold.is_open
    assert receipt["credits"] == pytest.approx(receipt["price"]["listed_credits"], abs=0.5)
    assert live.park.ledger.verify() == []


def test_firm_work_without_credit_is_ended_with_an_hours_notice(live):
    job = live.submit(run_s=9 * 3600, time="9h", cpus=2, tier="firm")
    live.step(5.0, 3)
    shorten(live, job, 1)
    drain(live)
    live.crash()
    told = []
    live.park.accounts.ground.bus.on(HoldRefused, lambda _conn, event: told.append(event))
    live.step(300.0, 13)
    assert live.view(job)["state"] == "running" and live.view(job)["reasons"][0]["code"] == "no_credit"
    assert [(event.job_id, event.tier) for event in told] == [(job, "firm")]
    live.step(300.0, 14)
    shown, hold = live.view(job), live.park.ledger.billing.held(job)
    assert shown["state"] == "failed" and "there was no credit for more" in shown["detail"]
    assert hold.charged_micro <= hold.ceiling_micro and not hold.is_open and len(told) == 1
    assert live.park.ledger.verify() == []


def test_a_lost_node_never_makes_a_job_dearer_and_its_hours_are_told(live):
    """The ceiling stays: what was lost does not count against the declared time, and stands on the receipt."""
    job = live.submit(run_s=3 * 3600, time="4h", cpus=2, tier="firm")
    ceiling = live.park.ledger.billing.held(job).ceiling_micro
    live.step(5.0, 3)
    live.step(900.0, 9)
    live.live.cycle(cycle_with(live, ev.JobRequeued(job, live.clock.park_s(), "its node is gone")))
    live.engine.done_s.clear()
    live.step(900.0, 20)
    hold, receipt = live.park.ledger.billing.held(job), live.receipt(job)
    assert hold.ceiling_micro == ceiling and hold.n_renewals == 0
    (line,) = receipt["refunds"]
    assert line["why"] == "lost_node" and line["node_h"] == pytest.approx(2.25, abs=0.1) and line["credits"] > 24
    assert receipt["price"]["refunded_credits"] == pytest.approx(line["credits"])
    listed = live.park.ledger.billing.refunds(live.owner, "welcome")
    assert listed == [{"job_id": job, **line}] and live.park.ledger.verify() == []


def test_a_job_that_is_lost_costs_nothing(live):
    job = live.submit(run_s=3 * 3600, time="4h", cpus=2, tier="flex")
    live.step(5.0, 3)
    live.step(900.0, 6)
    assert live.park.ledger.billing.held(job).charged_micro > 0
    live.live.cycle(cycle_with(live, ev.JobEnded(job, live.clock.park_s(), JobState.LOST, detail="It fell.")))
    receipt = live.receipt(job)
    assert receipt["credits"] == 0 and receipt["refunds"][0]["why"] == "lost_node" and receipt["kwh"] > 0
    assert left(live) == 1000 and live.park.ledger.verify() == []
