"""Properties of the energy room: conservation, bounds, order, inverses."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eureka_park.energy.core.cooling import it_mw_from_site_mw, site_mw_from_it_mw
from eureka_park.energy.core.mix import source_shares
from eureka_park.energy.core.power_plan import PlanRequest, make_plan
from eureka_park.energy.core.supply import tank_mwh_th
from eureka_park.foundation.site_file import Pue
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")
TANKS = {plant.id: tank_mwh_th(plant) for plant in PARK.plants if plant.type.startswith("csp")}
POWERS = st.floats(0, 500, allow_nan=False)

requests = st.builds(
    PlanRequest,
    now_s=st.floats(1.6e9, 2.0e9),
    demand_mw=st.one_of(POWERS, st.lists(POWERS, min_size=48, max_size=48).map(tuple)),
    tes_mwh_th=st.fixed_dictionaries({name: st.floats(0, 1.2 * size) for name, size in TANKS.items()}),
    seed=st.integers(0, 5),
    without=st.sets(st.sampled_from([*sorted(TANKS), "koudia"])).map(lambda names: tuple(sorted(names))),
)


@settings(max_examples=25, deadline=None)
@given(requests)
def test_a_plan_balances_and_keeps_its_bounds(request: PlanRequest) -> None:
    plan = make_plan(PARK, request)
    load, p10, p50, p90, unserved, export, curtailed = (
        np.array(getattr(plan, name))
        for name in (
            "load_mw", "clean_available_mw_p10", "clean_available_mw_p50", "clean_available_mw_p90",
            "unserved_mw", "export_mw", "curtailed_mw",
        )
    )  # fmt: skip
    by_source = {name: np.array(series) for name, series in plan.by_source_mw.items()}
    available = {name: np.array(series) for name, series in plan.available_by_source_mw.items()}
    clean = np.sum([series for name, series in by_source.items() if name != "grid"], axis=0)
    assert np.abs(clean + by_source["grid"] + unserved - load).max() < 1e-3
    assert np.abs(np.sum(list(available.values()), axis=0) - (clean + export + curtailed)).max() < 1e-3
    assert np.abs(np.sum(list(available.values()), axis=0) - p50).max() < 1e-9
    for series in (load, p10, unserved, export, curtailed, *by_source.values(), *available.values()):
        assert series.min() >= 0
    assert np.all(p10 <= p50) and np.all(p50 <= p90)
    assert by_source["grid"].max() <= plan.grid_limit_mw[0] + 1e-6
    for name, series in plan.tes_mwh_th.items():
        assert min(series) >= 0 and max(series) <= plan.tes_mwh_th_max[name] + 1e-6
        assert plan.tes_mwh_th_max[name] == pytest.approx(0 if name in request.without else TANKS[name])
    for steps in plan.curve:
        assert all(a.up_to_mw < b.up_to_mw and a.cost_mad_per_mwh <= b.cost_mad_per_mwh for a, b in pairwise(steps))


@given(
    st.builds(
        Pue,
        nominal=st.floats(1, 2),
        fixed_share_frac=st.floats(0, 1),
        outdoor_slope_frac_per_c=st.floats(0, 0.2),
        it_mw_rated=st.floats(1e-6, 1000),
    ),
    st.floats(0, 1000),
    st.one_of(st.none(), st.floats(-20, 50)),
)
def test_cooling_and_its_inverse(pue: Pue, it_mw: float, outdoor_c: float | None) -> None:
    site_mw = site_mw_from_it_mw(it_mw, pue, outdoor_c)
    assert site_mw >= it_mw * (1 - 1e-12)
    assert it_mw_from_site_mw(site_mw, pue, outdoor_c) == pytest.approx(it_mw, abs=1e-9, rel=1e-9)
    assert site_mw_from_it_mw(it_mw + 1.0, pue, outdoor_c) > site_mw


@given(
    st.dictionaries(st.sampled_from(["firm", "flex", "green"]), POWERS, min_size=1),
    st.dictionaries(st.sampled_from(["noor-i", "noor-iii", "koudia"]), POWERS),
)
def test_every_tier_is_served_in_order(loads: dict[str, float], clean: dict[str, float]) -> None:
    shares = source_shares(loads, clean)
    assert set(shares) == set(loads)
    left = sum(clean.values())
    for tier in [tier for tier in ("green", "flex", "firm") if tier in loads]:
        assert sum(shares[tier].values()) == pytest.approx(1.0)
        assert min(shares[tier].values()) >= 0
        if loads[tier] < left - 1e-6:
            assert shares[tier]["grid"] < 1e-9, "the grid has no part while clean power is left"
        left = max(0.0, left - loads[tier])
    for source, mw in clean.items():
        assert sum(loads[tier] * shares[tier][source] for tier in loads) <= mw + 1e-6
