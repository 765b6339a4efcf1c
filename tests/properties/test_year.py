"""Properties of a year's figures for any weather, load, battery and limits of the grid."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.helpers.dispatch_cases import weeks

from eureka_park.energy.core.dispatch import dispatch
from eureka_park.energy.core.dispatch_problem import Battery, DispatchProblem
from eureka_park.energy.core.flows import flows_of
from eureka_park.energy.core.local_hours import local_hours
from eureka_park.energy.core.supply import Supply
from eureka_park.energy.core.year import SolvedYear, year_result
from eureka_park.energy.studies import spread
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")
N_HOURS = 4 * 24

batteries = st.one_of(
    st.just({}),
    st.builds(Battery, power_mw=st.floats(1, 200), energy_mwh=st.floats(1, 800)).map(lambda item: {"store": item}),
)
problems = st.builds(
    weeks,
    n_hours=st.just(N_HOURS),
    load_mw=st.one_of(st.floats(0.1, 1000), st.just(0.0)),
    seed=st.integers(0, 1000),
    batteries=batteries,
    flex_frac=st.one_of(st.just(0.0), st.floats(0.01, 1.0)),
    import_mw_max=st.sampled_from([0.0, 50.0, 386.0]),
    export_mw_max=st.sampled_from([0.0, 386.0]),
)


def solved(problem: DispatchProblem) -> SolvedYear:
    starts_s = 1_735_689_600.0 + 3600.0 * np.arange(problem.n_hours)
    return SolvedYear(Supply(PARK, {}, {}), problem, dispatch(problem), starts_s, local_hours(PARK.timezone, starts_s))


@settings(max_examples=40, deadline=None)
@given(problems)
def test_the_load_is_the_sum_of_its_sources_and_shares_are_shares(problem: DispatchProblem) -> None:
    year = solved(problem)
    found = year_result(year)
    size = 1e-9 + 1e-6 * max(1.0, found.load_gwh)
    assert sum(found.gwh_by_source.values()) + found.unserved_gwh == pytest.approx(found.load_gwh, abs=size)
    assert sum(found.export_gwh_by_source.values()) == pytest.approx(found.export_gwh, abs=size)
    shares = ("cfe_frac", "volume_frac", "hours_fully_clean_frac", "contracted_frac")
    for name in (*shares, "physical_grid_frac", "with_grid_clean_frac"):
        assert 0.0 <= getattr(found, name) <= 1.0, name
    assert found.cfe_frac <= found.volume_frac + 1e-6 or found.export_gwh == 0.0
    assert found.cfe_frac <= found.with_grid_clean_frac + 1e-12
    for part in (found.salt_gwh_by_source, found.battery_gwh_by_source):
        assert all(-size <= gwh <= found.gwh_by_source[name] + size for name, gwh in part.items())
    least, most = min(PARK.gco2_per_kwh_by_source.values()), max(PARK.gco2_per_kwh_by_source.values())
    assert found.gco2_per_kwh == 0.0 or 0.99 * least <= found.gco2_per_kwh <= 1.3 * most
    flows = flows_of(problem, year.answer)
    for way in (flows.at_once_mw, flows.through_salt_mw, flows.through_battery_mw, flows.sold_mw, flows.charged_mw):
        assert all(series.min() >= -1e-6 for series in way.values())


@settings(max_examples=20, deadline=None)
@given(problems)
def test_months_and_hours_sum_to_the_year(problem: DispatchProblem) -> None:
    found = year_result(solved(problem))
    for parts in (found.by_month, found.by_hour):
        for name in ("load_gwh", "import_gwh", "export_gwh", "curtailed_gwh", "unserved_gwh"):
            assert sum(part[name] for part in parts) == pytest.approx(getattr(found, name), abs=1e-9)
        for source, gwh in found.gwh_by_source.items():
            assert sum(part["gwh_by_source"][source] for part in parts) == pytest.approx(gwh, abs=1e-9)
        assert all(0.0 <= part["cfe_frac"] <= 1.0 for part in parts)


@settings(max_examples=15, deadline=None)
@given(problems)
def test_a_battery_takes_from_clean_power_alone(problem: DispatchProblem) -> None:
    year = solved(replace(problem, batteries={"store": Battery(100.0, 400.0)}))
    flows = flows_of(year.problem, year.answer)
    assert float(flows.charged_mw["grid"].sum()) <= 1e-5 * max(1.0, float(year.load_mw.sum()))


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_p50_lies_between_p10_and_p90(values: list[float]) -> None:
    found = spread([{"x": value} for value in values])
    assert found["x_p10"] <= found["x"] <= found["x_p90"]
    assert min(values) - 1e-2 <= found["x_p10"] and found["x_p90"] <= max(values) + 1e-2
