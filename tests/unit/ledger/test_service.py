"""The ledger's use cases, by hand."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import delete, update

from eureka_park.foundation.errors import BadInput, Internal
from eureka_park.ledger import store
from eureka_park.ledger.books import store as books
from eureka_park.ledger.service import Attribution, EnergyBooking, EnergyLine, LedgerService, Settlement

KWH = 3_600_000_000_000
SHARES = {"noor-iii": 0.75, "grid": 0.25}
PRICES = {
    "mad_per_gpu_h": {"firm": 30.0, "flex": 20.0, "green": 10.0},
    "mad_per_cpu_h": {"firm": 0.6, "flex": 0.4, "green": 0.2},
    "label": "assumption",
}


@pytest.fixture
def db(database):
    return database


@pytest.fixture
def ledger(db):
    return LedgerService(db)


def booking(start_s=0.0, end_s=7200.0, method="measured", shares=SHARES, **it_kwh):
    lines = tuple(
        EnergyLine(name.replace("_", "-"), round(kwh * KWH), round(kwh * KWH * 1.2), shares)
        for name, kwh in it_kwh.items()
    )
    return EnergyBooking(
        start_s,
        end_s,
        lines,
        gco2_per_kwh={"noor-iii": 20.0, "grid": 600.0},
        mad_per_kwh={"noor-iii": 0.4, "grid": 1.2},
        node_it_uj=sum(line.it_uj for line in lines),
        node_site_uj=sum(line.site_uj for line in lines),
        method=method,
    )


def settlement(job_id="job-a", **changes):
    values = {
        "job_id": job_id,
        "project": "welcome",
        "tier": "flex",
        "n_gpus": 2,
        "n_cpus": 4.0,
        "ran_s": 5400.0,
        "at_s": 7300.0,
        "method": "measured",
        "is_scale_model": False,
        "prices": PRICES,
        "labels": {"weather": "synthetic"},
    } | changes
    return Settlement(**values)


def book(ledger, db, *bookings):
    with db.write() as conn:
        for one in bookings:
            ledger.book_energy(conn, one)


def settle(ledger, db, *args, **changes):
    with db.write() as conn:
        return ledger.settle(conn, settlement(*args, **changes))


def test_a_receipt_says_what_a_person_would_work_out(ledger, db):
    book(ledger, db, booking(job_a=2.0, idle=1.0))
    receipt = settle(ledger, db)
    assert receipt == {
        "job_id": "job-a",
        "gpu_h": 3.0,
        "cpu_h": 6.0,
        "kwh": 2.4,
        "it_kwh": 2.0,
        "kwh_by_source": {"grid": 0.6, "noor-iii": 1.8},
        "hours": [
            {
                "hour_at": f"1970-01-01T0{hour}:00:00.000Z",
                "kwh": 1.2,
                "it_kwh": 1.0,
                "kwh_by_source": {"grid": 0.3, "noor-iii": 0.9},
                "gco2": 198.0,
                "credits": 31.92,
            }
            for hour in (0, 1)
        ],
        "gco2": 396.0,
        "credits": 63.84,
        "method": "measured",
        "scale_model": False,
        "labels": {"weather": "synthetic"},
        "price": {
            "tier": "flex",
            "mad_per_gpu_h": 20.0,
            "mad_per_cpu_h": 0.4,
            "mad_per_credit": 1.0,
            "time_credits": 62.4,
            "energy_credits": 1.44,
            "label": "assumption",
        },
    }
    assert ledger.receipt("job-a") == receipt == json.loads(json.dumps(receipt))
    assert ledger.summaries(["job-a", "job-b"]) == {"job-a": {"kwh": 2.4, "credits": 63.84, "method": "measured"}}
    assert ledger.balance("welcome") == -63.84
    assert ledger.verify() == []


def test_settling_twice_charges_once(ledger, db):
    first = settle(ledger, db)
    assert settle(ledger, db, ran_s=999_999.0, tier="firm") == first
    assert ledger.balance("welcome") == -first["credits"]


def test_a_job_without_energy_has_one_hour_of_zero(ledger, db):
    receipt = settle(ledger, db, n_gpus=0, ran_s=0.0)
    assert receipt["kwh"] == receipt["credits"] == 0 and receipt["kwh_by_source"] == {}
    assert [hour["hour_at"] for hour in receipt["hours"]] == ["1970-01-01T02:00:00.000Z"]
    assert ledger.verify() == []


def test_nothing_is_known_before(ledger):
    assert ledger.receipt("job-a") is None and ledger.summaries([]) == {} and ledger.hours(0, 1e9) == []
    assert ledger.balance("nowhere") == 0 and ledger.verify() == []


def test_one_modelled_part_makes_a_receipt_modelled(ledger, db):
    book(ledger, db, booking(job_a=1.0), booking(job_a=1.0, method="modelled"))
    assert settle(ledger, db)["method"] == "modelled"
    assert {row["method"] for row in ledger.hours(0, 1e9)} == {"modelled"}


def test_energy_after_the_receipt_is_idle(ledger, db):
    book(ledger, db, booking(job_a=1.0))
    settle(ledger, db)
    book(ledger, db, booking(job_a=1.0, job_b=1.0))
    row = ledger.hours(0, 1)[0]
    assert (row["jobs_kwh"], row["idle_kwh"], row["kwh"]) == (1.2, 0.6, 1.8)
    assert ledger.verify() == []


def test_hours_of_the_meter(ledger, db):
    book(ledger, db, booking(job_a=2.0, idle=1.0), booking(3600.0, 7200.0, idle=1.0))
    rows = ledger.hours(3600, 7200)
    assert rows == [
        {
            "hour_at": "1970-01-01T01:00:00.000Z",
            "kwh": 3.0,
            "it_kwh": 2.5,
            "jobs_kwh": 1.2,
            "idle_kwh": 1.8,
            "by_source_kwh": {"grid": 0.75, "noor-iii": 2.25},
            "gco2": 495.0,
            "method": "measured",
        }
    ]
    assert len(ledger.hours(0, 1e9)) == 2


def test_small_bookings_lose_nothing(ledger, db):
    tiny = booking(0.0, 1.0, job_a=1e-6, idle=1e-6)
    book(ledger, db, *[tiny] * 400)
    receipt = settle(ledger, db, n_gpus=0, n_cpus=0.0)
    assert receipt["kwh"] == 0.00048 and receipt["gco2"] == 0.0792 and receipt["credits"] == 0.000288


def test_a_booking_that_does_not_add_up_is_a_defect(ledger, db):
    good = booking(job_a=1.0)
    for change in ({"node_it_uj": 5}, {"node_site_uj": 5}):
        with pytest.raises(Internal):
            book(ledger, db, EnergyBooking(**{name: getattr(good, name) for name in good.__slots__} | change))
    for shares in ({"grid": 0.9}, {"grid": 1.5, "noor-iii": -0.5}, {}):
        with pytest.raises(Internal):
            book(ledger, db, booking(job_a=1.0, shares=shares))
    assert ledger.hours(0, 1e9) == []


def test_an_account_without_energy_needs_no_sources(ledger, db):
    book(ledger, db, booking(job_a=0.0, shares={}), booking(idle=1.0))
    assert [row["jobs_kwh"] for row in ledger.hours(0, 1e9)] == [0.0, 0.0] and ledger.verify() == []


def test_a_booking_of_an_attribution():
    found = Attribution(0.0, 10.0, 100, {"job-a": 60, "job-b": 0}, 40, "modelled", True)
    made = EnergyBooking.of(
        found,
        start_s=3600.0,
        end_s=3700.0,
        pue=1.15,
        shares={"job-a": {"koudia": 1.0}, "idle": SHARES},
        gco2_per_kwh={},
        mad_per_kwh={},
    )
    assert (made.node_it_uj, made.node_site_uj, made.method) == (100, 115, "modelled")
    assert made.lines == (EnergyLine("job-a", 60, 69, {"koudia": 1.0}), EnergyLine("idle", 40, 46, SHARES))


def test_grants_are_given_once_per_reason(ledger, db):
    with db.write() as conn:
        assert ledger.grant(conn, "welcome", 100, "Welcome")
        assert not ledger.grant(conn, "welcome", 100, "Welcome")
        assert ledger.grant(conn, "welcome", 50.5, "Welcome", key="second")
        for credits in (0, -1, float("nan"), float("inf")):
            with pytest.raises(BadInput):
                ledger.grant(conn, "welcome", credits, "bad")
    assert ledger.balance("welcome") == 150.5 and ledger.verify() == []


def test_an_undone_block_books_nothing(ledger, db):
    with pytest.raises(RuntimeError), db.write() as conn:
        ledger.book_energy(conn, booking(job_a=1.0))
        ledger.settle(conn, settlement())
        raise RuntimeError
    assert ledger.receipt("job-a") is None and ledger.hours(0, 1e9) == [] and ledger.balance("welcome") == 0


@pytest.mark.parametrize(
    ("damage", "word"),
    [
        (update(books.postings).where(books.postings.c.line == 0).values(amount_micro=1), "does not balance"),
        (delete(books.postings), "no postings"),
        (update(store.energy_hours).where(store.energy_hours.c.account == "job-a").values(it_uj=1), "stands for"),
        (update(store.energy_hours).where(store.energy_hours.c.account == "idle").values(site_uj=1), "the meter"),
        (delete(store.meter_hours), "the meter"),
        (update(store.receipts).values(credits_micro=1), "were charged"),
        (delete(store.receipts), "no receipt"),
    ],
)
def test_verify_finds_damage(ledger, db, damage, word):
    book(ledger, db, booking(job_a=1.0, idle=1.0))
    settle(ledger, db)
    with db.write() as conn:
        conn.execute(damage)
    assert any(word in problem for problem in ledger.verify())
