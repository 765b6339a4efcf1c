"""Work that costs something: held when it is submitted, charged by the hour, paid back where the park failed it."""

from __future__ import annotations

import pytest
from tests.helpers.live_park import LivePark

from eureka_park.compute.core import event as ev
from eureka_park.foundation.errors import Conflict
from eureka_park.live.billing import Charging

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
