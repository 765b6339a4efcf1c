"""A year's figures on days small enough to be checked by hand, and one whole year of the park."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eureka_park.energy.core.dispatch import dispatch
from eureka_park.energy.core.dispatch_problem import Battery, DispatchProblem, SaltPlant
from eureka_park.energy.core.flows import flows_of
from eureka_park.energy.core.local_hours import local_hours
from eureka_park.energy.core.supply import Supply, supply_of
from eureka_park.energy.core.year import SolvedYear, YearResult, solve_year, year_problem, year_result, year_starts_s
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")
START_S = 1_735_689_600.0  # 1 January 2025, 01:00 on Moroccan clocks


def day(
    load: list[float],
    heat: list[float] | None = None,
    wind: list[float] | None = None,
    *,
    export_mw_max: float = 0.0,
    import_mw_max: float = 100.0,
    **more: Any,
) -> SolvedYear:
    """Hours of a park with Noor I (half of its heat comes out, 20 MW of heat in, 60 MWh tank) and Koudia."""
    n = len(load)
    salt = SaltPlant(np.array(heat or [0.0] * n), 20.0, 0.5, 1.0, 60.0, 0.0, 0.0)
    problem = DispatchProblem(
        np.array(load), {"noor-i": salt}, {"koudia": np.array(wind or [0.0] * n)}, np.full(n, 600.0), np.full(n, 100.0),
        import_mw_max, export_mw_max, 0.0, n_import_blocks=1, n_draw_blocks=1, **more,
    )  # fmt: skip
    starts_s = START_S + 3600.0 * np.arange(n)
    supply = Supply(PARK, {}, {})
    return SolvedYear(supply, problem, dispatch(problem), starts_s, local_hours(PARK.timezone, starts_s))


def told(*args: Any, **more: Any) -> YearResult:
    return year_result(day(*args, **more))


def test_what_is_bought_is_not_clean() -> None:
    found = told([10, 10, 10, 10], wind=[10, 5, 0, 20])
    assert found.cfe_frac == pytest.approx(25 / 40)
    assert found.hours_fully_clean_frac == 0.5
    assert (found.load_gwh, found.import_gwh, found.curtailed_gwh) == pytest.approx((0.040, 0.015, 0.010))
    assert found.gwh_by_source == pytest.approx({"noor-i": 0, "koudia": 0.025, "grid": 0.015})
    assert found.gco2_per_kwh == pytest.approx((25 * 11 + 15 * 551) / 40)
    assert found.import_peak_mw == pytest.approx(10)


def test_salt_is_told_apart_from_the_sun_of_the_hour() -> None:
    found = told([10, 10], heat=[40, 0])
    assert found.gwh_by_source["noor-i"] == pytest.approx(0.020)
    assert found.salt_gwh_by_source == pytest.approx({"noor-i": 0.010})
    assert found.cfe_frac == pytest.approx(1.0)


def test_the_three_accounts_are_three_numbers() -> None:
    found = told([10, 10], wind=[10, 0])
    assert found.cfe_frac == pytest.approx(0.5)
    assert found.with_grid_clean_frac == pytest.approx(0.5 + 0.26 * 0.5)
    assert found.physical_grid_frac == pytest.approx(0.26)  # its wind is sold to the public grid
    assert found.contracted_frac == 0.0


def test_volume_counts_what_is_sold_at_another_hour() -> None:
    found = told([10, 10], wind=[20, 0], export_mw_max=50)
    assert (found.cfe_frac, found.volume_frac) == pytest.approx((0.5, 1.0))
    assert found.export_gwh_by_source["koudia"] == pytest.approx(0.010)


def test_without_a_grid_the_load_goes_unserved() -> None:
    found = told([10, 10], wind=[10, 4], import_mw_max=0.0)
    assert (found.unserved_gwh, found.cfe_frac) == pytest.approx((0.006, 0.7))
    assert sum(found.gwh_by_source.values()) + found.unserved_gwh == pytest.approx(found.load_gwh)


def test_a_battery_gives_what_filled_it_less_its_loss() -> None:
    battery = Battery(power_mw=20.0, energy_mwh=100.0, charge_frac=1.0, discharge_frac=0.8)
    found = told([10, 10], wind=[30, 0], batteries={"store": battery}, is_cyclic=True)
    assert found.battery_gwh_by_source == pytest.approx({"koudia": 0.010}, abs=1e-9)
    assert found.cfe_frac == pytest.approx(1.0)
    assert found.gco2_per_kwh == pytest.approx(11 * (10 + 12.5) / 20)


def test_a_battery_of_two_origins_is_mixed() -> None:
    battery = Battery(power_mw=20.0, energy_mwh=100.0, charge_frac=1.0, discharge_frac=1.0)
    year = day([0, 0, 20], heat=[20, 0, 0], wind=[0, 10, 0], batteries={"store": battery}, is_cyclic=True)
    found = flows_of(year.problem, year.answer)
    total = sum(float(found.to_load_mw(name).sum()) for name in found.origins)
    assert total == pytest.approx(20.0)
    assert found.to_load_mw("koudia").sum() == pytest.approx(10.0)


def test_local_months_and_hours_hold_the_whole_year() -> None:
    found = told([float(hour) for hour in range(48)], wind=[5.0] * 48)
    for parts in (found.by_month, found.by_hour):
        assert sum(part["load_gwh"] for part in parts) == pytest.approx(found.load_gwh)
        assert sum(part["gwh_by_source"]["koudia"] for part in parts) == pytest.approx(found.gwh_by_source["koudia"])
    assert [part["month"] for part in found.by_month] == list(range(1, 13))
    assert [part["hour"] for part in found.by_hour] == list(range(24))
    assert found.by_hour[1]["load_gwh"] == pytest.approx(0.024)  # hours 0 and 24 of the series: one o'clock there


def test_no_load_at_all_is_a_result() -> None:
    found = told([0, 0], wind=[5, 5])
    assert (found.cfe_frac, found.gco2_per_kwh, found.mad_per_kwh, found.curtailed_gwh) == (1.0, 0.0, 0.0, 0.010)
    assert found.contracted_frac == 0.0


def test_the_load_pays_what_it_draws() -> None:
    found = told([10, 10], heat=[20, 0], wind=[0, 0])
    at_noor = 10 / 0.96 * next(plant.price_mad_per_mwh or 0.0 for plant in PARK.plants if plant.id == "noor-i")
    parts = found.mad_by_part
    assert parts["plants"] == pytest.approx(at_noor) and parts["transport"] == pytest.approx(10 * 63.9)
    assert found.mad_per_kwh == pytest.approx(sum(parts[name] for name in ("bought", "plants", "transport")) / 20_000)


def test_a_plant_beside_the_site_pays_no_transport() -> None:
    parts = told([10, 10], wind=[10, 10]).mad_by_part
    assert parts["plants"] > 0 and parts["bought"] == pytest.approx(0.0) and parts["transport"] == 0.0


@pytest.mark.parametrize(
    ("load", "says"),
    [
        (np.full(100, 1.0), "has 100 hours"),
        (np.full(8760, np.nan), "hour 0 is nan"),
        (np.where(np.arange(8760) == 7, -1.0, 1.0), "hour 7 is -1"),
    ],
)
def test_a_wrong_load_is_refused(load: Any, says: str) -> None:
    supply = supply_of(PARK, 1)
    with pytest.raises(BadInput, match=says):
        year_problem(supply, load)
    with pytest.raises(BadInput, match="flex_frac"):
        year_problem(supply, np.full(8760, 1.0), flex_frac=1.5)


@pytest.mark.parametrize("load_mw", [0.0, 1e-6, 386.0, 1e6])
def test_a_year_of_any_load_is_a_result(load_mw: float) -> None:
    year = solve_year(supply_of(PARK, 1), np.full(8760, load_mw))
    found = year_result(year)
    assert 0.0 <= found.cfe_frac <= found.volume_frac + 1e-12 and found.volume_frac <= 1.0
    assert np.abs(year.answer.residual_mw).max() < max(1e-3, 1e-6 * load_mw)
    assert sum(found.gwh_by_source.values()) + found.unserved_gwh == pytest.approx(found.load_gwh, abs=1e-6)
    assert found.import_gwh <= PARK.grid.import_mw_max * 8.76 + 1e-6
    if load_mw > 0:
        assert found.to_json()["by_month"][0]["cfe_frac"] <= 1.0


def test_the_reference_year_has_its_hours() -> None:
    starts_s = year_starts_s()
    local = local_hours("Africa/Casablanca", starts_s)
    assert len(starts_s) == 8760 and set(np.unique(local.day, return_counts=True)[1]) <= {1, 23, 24, 25}
    assert local.month[-1] == 1 and local.hour[0] == 1
