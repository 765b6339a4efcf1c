"""Properties of the dispatch for any weather, plant, battery and price."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.energy.core.dispatch import Battery, Dispatch, DispatchProblem, SaltPlant, dispatch

N_HOURS = 30
MW = st.one_of(st.just(0.0), st.floats(0.1, 300))


def series(highest: float) -> st.SearchStrategy[np.ndarray]:
    return st.lists(st.one_of(st.just(0.0), st.floats(0.01, highest)), min_size=N_HOURS, max_size=N_HOURS).map(np.array)


salt_plants = st.builds(
    SaltPlant,
    heat_mw_th=series(500),
    power_block_mw_th=MW,
    eta_frac=st.floats(0.2, 0.5),
    delivered_frac=st.floats(0.8, 1.0),
    tes_mwh_th_max=st.one_of(st.just(0.0), st.floats(1, 3000)),
    tes_mwh_th_start=st.floats(0, 4000),
    loss_frac=st.floats(0, 0.05),
)
batteries = st.builds(
    Battery,
    power_mw=MW,
    energy_mwh=st.floats(0, 500),
    charge_frac=st.floats(0.8, 1.0),
    discharge_frac=st.floats(0.8, 1.0),
    loss_frac=st.floats(0, 0.01),
    start_mwh=st.floats(0, 300),
)
problems = st.builds(
    DispatchProblem,
    load_mw=series(400),
    salt=st.dictionaries(st.sampled_from(["one", "two"]), salt_plants),
    direct_mw=st.dictionaries(st.sampled_from(["pv", "wind"]), series(300)),
    import_cost_mad_per_mwh=series(1200),
    surplus_mad_per_mwh=series(300),
    import_mw_max=MW,
    export_mw_max=MW,
    end_value_mad_per_mwh=st.floats(0, 500),
    batteries=st.dictionaries(st.just("battery"), batteries),
    flex_frac=st.sampled_from([0.0, 0.2, 1.0]),
    day_of_hour=st.sampled_from([None, (np.arange(N_HOURS) + 7) // 24]),
    is_cyclic=st.booleans(),
    objective=st.sampled_from(["cost", "least-import"]),
    n_import_blocks=st.sampled_from([1, 3]),
    n_draw_blocks=st.sampled_from([1, 2]),
    start_up=st.sampled_from(["none", "relaxed"]),
)


def flows(answer: Dispatch) -> list[np.ndarray]:
    by_name = (answer.power_mw, answer.spill_mw_th, answer.tes_mwh_th, answer.charge_mw, answer.discharge_mw)
    single = [answer.import_mw, answer.export_mw, answer.unserved_mw, answer.curtailed_mw, answer.load_mw]
    return [*single, *answer.battery_mwh.values(), *(values for group in by_name for values in group.values())]


@settings(max_examples=150, deadline=None)
@given(problems)
def test_energy_balances_within_every_bound(problem: DispatchProblem) -> None:
    answer = dispatch(problem)
    assert np.abs(answer.residual_mw).max() < 1e-3
    assert all(np.all(np.isfinite(values)) and values.min() >= 0 for values in flows(answer))
    small = 1e-6 * max(400.0, problem.import_mw_max)
    assert answer.import_mw.max() <= problem.import_mw_max + small
    assert answer.export_mw.max() <= problem.export_mw_max + small
    for name, plant in problem.salt.items():
        assert answer.tes_mwh_th[name].max() <= plant.tes_mwh_th_max + small
        assert answer.power_mw[name].max() <= plant.power_block_mw_th * plant.per_heat + small
        before = np.roll(answer.tes_mwh_th[name], 1)
        before[0] = before[0] if problem.is_cyclic else min(plant.tes_mwh_th_start, plant.tes_mwh_th_max)
        used = answer.power_mw[name] / plant.per_heat + answer.spill_mw_th[name]
        kept = (1 - plant.loss_frac) * before + plant.heat_mw_th - used
        assert answer.tes_mwh_th[name] == pytest.approx(kept, abs=1e-3)
    for name, battery in problem.batteries.items():
        assert answer.battery_mwh[name].max() <= battery.energy_mwh + small
        assert max(answer.charge_mw[name].max(), answer.discharge_mw[name].max()) <= battery.power_mw + small
    for day in np.unique(problem.days):
        among = problem.days == day
        assert answer.load_mw[among].sum() == pytest.approx(problem.load_mw[among].sum(), abs=1e-3)
    clean = sum(answer.power_mw.values(), np.zeros(N_HOURS)) + sum(answer.discharge_mw.values(), np.zeros(N_HOURS))
    if problem.batteries or np.all(problem.surplus_mad_per_mwh < problem.import_cost_mad_per_mwh):
        charged = sum(answer.charge_mw.values(), np.zeros(N_HOURS))
        assert np.all(charged + answer.export_mw <= clean + answer.unserved_mw + 1e-3), "what is charged is clean"


def with_more(problem: DispatchProblem, name: str, factor: float) -> DispatchProblem:
    """The same problem with more of one thing: size of tanks, fields, panels, batteries or the tie."""
    salt, direct = dict(problem.salt), dict(problem.direct_mw)
    if name == "tanks":
        salt = {k: replace(v, tes_mwh_th_max=v.tes_mwh_th_max * factor + 10) for k, v in salt.items()}
    elif name == "blocks":
        salt = {k: replace(v, power_block_mw_th=v.power_block_mw_th * factor + 1) for k, v in salt.items()}
    elif name == "fields":
        salt = {k: replace(v, heat_mw_th=v.heat_mw_th * factor) for k, v in salt.items()}
    elif name == "direct":
        direct = {k: v * factor for k, v in direct.items()}
    batteries = dict(problem.batteries)
    if name == "battery":
        new = {"second": Battery(factor * 10, factor * 40)}
        grown = {k: replace(v, energy_mwh=v.energy_mwh * factor) for k, v in batteries.items()}
        batteries = {**grown, **new}
    return replace(problem, salt=salt, direct_mw=direct, batteries=batteries)


@settings(max_examples=150, deadline=None)
@given(problems, st.sampled_from(["tanks", "blocks", "fields", "direct", "battery"]), st.floats(1, 4))
def test_more_capacity_never_costs_more_nor_lowers_the_clean_share(
    problem: DispatchProblem, name: str, factor: float
) -> None:
    problem = replace(problem, n_import_blocks=1, n_draw_blocks=1, start_up="none")
    # A battery brings the rule that nothing bought is sold or stored: one is always there, so that both have it.
    problem = replace(problem, batteries=problem.batteries or {"none": Battery(0.0, 0.0)})
    less, more = dispatch(problem), dispatch(with_more(problem, name, factor))
    scale = 1e-6 * (abs(less.objective) + 1000.0) + spill_trifle(problem, name, factor)
    assert more.objective <= less.objective + scale
    if problem.objective == "least-import":
        assert more.cfe_frac >= less.cfe_frac - 1e-4


def spill_trifle(problem: DispatchProblem, name: str, factor: float) -> float:
    """What spilling all of the added heat costs: 0.01 to 0.02 MAD for each MWh."""
    heat = sum(float(plant.heat_mw_th.sum()) for plant in problem.salt.values())
    return 0.02 * heat * (factor - 1) if name == "fields" else 0.0
