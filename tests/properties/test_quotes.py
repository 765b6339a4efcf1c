"""Properties of quotes: never negative, the best start is the least, and a job that does what it declared pays it."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.control.quote import Load, Quote, QuotedWork, best_of
from eureka_park.foundation.machine import MachineFacts
from eureka_park.foundation.power_plan import CurveStep, PowerPlan
from eureka_park.foundation.site_reading import load_site
from eureka_park.ledger.core.booking import hour_lines
from eureka_park.ledger.core.metering import Attribution
from eureka_park.ledger.core.receipt import Settlement, build_receipt
from eureka_park.live.metering import Metering

SITE = load_site("bench", MachineFacts(n_cpus=8, memory_bytes=32 * 1024**3))
PLANTS = SITE.source_ids[:-1]
START_S = 1_795_348_800.0
NODE_KW, IDLE_KW = SITE.nodes[0].rated_kw, SITE.nodes[0].idle_kw


@st.composite
def plans(draw: st.DrawFn) -> PowerPlan:
    n = draw(st.integers(1, 48))
    mw = st.floats(0, 3 * NODE_KW / 1000)
    prices = st.floats(1, 3000)
    by_source = {name: tuple(draw(st.lists(mw, min_size=n, max_size=n))) for name in PLANTS[:3]}
    clean = tuple(sum(values) for values in zip(*by_source.values(), strict=True))
    ids = (*PLANTS[:3], "grid")
    curve = tuple(
        tuple(CurveStep(1.0, price, 10.0, name) for price, name in zip(sorted(found), ids, strict=True))
        for found in draw(st.lists(st.tuples(*[prices] * 4), min_size=n, max_size=n))
    )
    zeros = (0.0,) * n
    return PowerPlan(
        "plan-x", "bench", START_S, START_S, 3600.0, zeros, clean, clean, clean, (1.0,) * n, by_source, {}, zeros,
        zeros, zeros, {}, {}, curve, {"weather": "synthetic"},
    )  # fmt: skip


works = st.builds(
    QuotedWork,
    st.sampled_from(["firm", "flex", "green"]),
    st.floats(IDLE_KW / 10, NODE_KW),
    st.floats(1, 3e5),
    st.integers(0, 8),
    st.floats(0.01, 8),
)
loads = st.lists(
    st.builds(
        Load, st.sampled_from(["firm", "flex", "green"]), st.floats(0, NODE_KW), st.floats(START_S, START_S + 3e5)
    ),
    max_size=4,
)


def receipt_of(quote: Quote, start_s: float) -> dict[str, Any]:
    """The receipt of a job that runs its declared time at rated power, booked by the meter's own code."""
    work, plan = quote.work, quote.plan
    metering = Metering(None, None, SITE, lambda real_s: real_s)  # type: ignore[arg-type]
    lines, at_s, end_s = [], start_s, start_s + work.time_s
    while at_s < end_s:
        stop_s = min(end_s, math.floor(at_s / 3600.0 + 1) * 3600.0)
        uj = round(work.rated_kw * 1e9 * (stop_s - at_s))
        idle_uj = round(quote.idle_kw * 1e9 * (stop_s - at_s))
        shared = Attribution(at_s, stop_s, uj + idle_uj, {"job-a": uj}, idle_uj, "measured", False)
        for booking in metering._bookings(shared, {"job-a": work.tier}, lambda _: plan):
            lines += [line for account, line in hour_lines(booking) if account == "job-a"]
        at_s = stop_s
    settlement = Settlement(
        "job-a", "p", work.tier, work.n_gpus, work.n_cpus, work.time_s, end_s, "measured", True,
        SITE.prices.model_dump(mode="json"),
    )  # fmt: skip
    return build_receipt(settlement, lines)[0]


@given(plans(), works, st.floats(0, 1), st.floats(0, 1))
@settings(max_examples=60, deadline=None)
def test_who_does_what_was_declared_pays_what_was_quoted(
    plan: PowerPlan, work: QuotedWork, now_frac: float, start_frac: float
) -> None:
    length_s = plan.end_s - plan.start_s
    now_s = plan.start_s + 0.9 * now_frac * length_s
    start_s = now_s + 0.9 * start_frac * (plan.end_s - now_s)
    work = QuotedWork(work.tier, work.rated_kw, min(work.time_s, plan.end_s - start_s), work.n_gpus, work.n_cpus)
    quote = Quote(SITE, plan, now_s, work, idle_kw=IDLE_KW / 2)
    run, receipt = quote.run_at(start_s), receipt_of(quote, start_s)
    assert run.kwh == pytest.approx(receipt["kwh"], rel=1e-5, abs=1e-8)
    assert run.credits == pytest.approx(receipt["credits"], rel=1e-5, abs=1e-5)
    assert run.machine_credits == pytest.approx(receipt["price"]["time_credits"], rel=1e-5, abs=1e-5)
    assert run.energy_credits == pytest.approx(receipt["price"]["energy_credits"], rel=1e-4, abs=1e-5)
    assert run.gco2 == pytest.approx(receipt["gco2"], rel=1e-5, abs=1e-5)
    by_source = quote.kwh_by_source(start_s)
    assert sum(by_source.values()) == pytest.approx(run.kwh)
    for source, kwh in receipt["kwh_by_source"].items():
        # booking splits whole micro-joules: a source that gives a sliver is known to a millionth of the job's energy
        assert by_source.get(source, 0.0) == pytest.approx(kwh, rel=1e-4, abs=1e-6 * run.kwh + 1e-8)
    clean_kwh = sum(kwh for source, kwh in by_source.items() if source != "grid")
    assert run.clean_frac == pytest.approx(clean_kwh / run.kwh, abs=1e-6)


@given(plans(), works, loads, st.floats(0, 200_000), st.none() | st.floats(0, 200_000), st.sampled_from([1.0, 60.0]))
@settings(max_examples=60, deadline=None)
def test_no_figure_is_negative_and_the_best_start_is_the_least(
    plan: PowerPlan, work: QuotedWork, others: list[Load], after_s: float, latest_after_s: float | None, pace: float
) -> None:
    now_s = START_S + after_s  # often beyond the plan
    quote = Quote(SITE, plan, now_s, work, tuple(others), IDLE_KW, pace)
    starts = quote.starts()
    assert starts[0] == now_s and starts == sorted(set(starts)) and starts[-1] <= now_s + 48 * 3600
    runs = [quote.run_at(start_s) for start_s in starts]
    for run in runs:
        assert min(run.kwh, run.machine_credits, run.energy_credits, run.gco2) >= 0 and 0 <= run.clean_frac <= 1
        assert run.kwh >= work.rated_kw * work.time_s / 3600 / pace * (1 - 1e-9)  # what comes between only adds
    latest_s = None if latest_after_s is None else now_s + latest_after_s
    best = best_of(runs, latest_s)
    in_time = [run for run in runs if latest_s is None or run.start_s <= latest_s]
    assert best in in_time and all(best.credits <= run.credits + 2e-9 for run in in_time)


@given(plans(), works)
@settings(max_examples=20, deadline=None)
def test_pace_and_tasks_scale_the_energy(plan: PowerPlan, work: QuotedWork) -> None:
    one = Quote(SITE, plan, START_S, work).run_at(START_S)
    paced = Quote(SITE, plan, START_S, work, pace_factor=60.0).run_at(START_S)
    assert paced.kwh * 60 == pytest.approx(one.kwh) and paced.machine_credits == one.machine_credits
    three = QuotedWork(work.tier, work.rated_kw, work.time_s, work.n_gpus, work.n_cpus, 3)
    many = Quote(SITE, plan, START_S, three).run_at(START_S)
    assert many.credits == pytest.approx(3 * one.credits) and many.kwh == pytest.approx(3 * one.kwh)


def test_without_a_plan_the_grid_is_counted() -> None:
    work = QuotedWork("green", 0.1, 7200.0, 0, 1.0)
    quote = Quote(SITE, None, START_S, work)
    run = quote.run_at(START_S)
    assert quote.starts() == [START_S] and run.clean_frac == 0.0
    assert quote.kwh_by_source(START_S) == {"grid": pytest.approx(run.kwh)}
    assert not quote.goes_beyond(START_S)
