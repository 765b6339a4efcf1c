"""Hours of a run as pages draw them: sources from the ground up, at the full site's scale."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.control.policy import Policy
from eureka_park.energy.core.supply import supply_of
from eureka_park.foundation.site_reading import load_site
from eureka_park.twin.run import TwinRequest, run_recorded
from eureka_park.twin.run_hours import hours_of
from eureka_park.twin.run_kinds import add_kinds
from eureka_park.twin.run_question import EXAMPLE, model_of
from eureka_park.twin.run_record import RunRecord

KWH = st.lists(st.floats(0.0, 5000.0), min_size=24, max_size=24)


def record_of(load: list[float], clean: list[float], **columns: list[float]) -> RunRecord:
    n = len(load)
    hours = {"hour_s": 3600.0 * np.arange(n), "load_kwh": np.array(load), "clean_kwh": np.array(clean)}
    hours |= {name: np.array(values) for name, values in columns.items()}
    return RunRecord({"days": n / 24.0, "factor": 0.1}, hours)


@given(KWH, KWH, KWH, KWH, KWH)
def test_sources_add_up_to_the_load(
    load: list[float], wind: list[float], pv: list[float], csp: list[float], salt: list[float]
) -> None:
    clean = [sum(parts) for parts in zip(wind, pv, csp, salt, strict=True)]
    found = hours_of(record_of(load, clean, wind_kwh=wind, pv_kwh=pv, csp_kwh=csp))
    total = sum(found.by_kind_mw.values())
    assert np.allclose(total, found.load_mw) and all((mw >= -1e-9).all() for mw in found.by_kind_mw.values())
    assert np.allclose(
        found.load_mw - found.by_kind_mw["grid"] + found.unused_mw, np.maximum(0.01 * np.array(clean), 0)
    )
    assert all(-1e-9 <= share <= 1 + 1e-9 for share in found.clean_fracs())


def test_powers_are_of_the_full_site_and_clean_ones_first() -> None:
    found = hours_of(
        record_of([100.0, 100.0], [150.0, 40.0], wind_kwh=[30.0, 30.0], pv_kwh=[50.0, 0.0], csp_kwh=[0.0, 0.0])
    )
    told = found.to_json()
    assert told["load_mw"] == [1.0, 1.0] and told["wind_mw"] == [0.3, 0.3] and told["pv_mw"] == [0.5, 0.0]
    assert told["salt_mw"] == [0.2, 0.1] and told["grid_mw"] == [0.0, 0.6] and told["unused_mw"] == [0.5, 0.0]


def test_hours_beyond_the_last_day_are_left_out() -> None:
    record = record_of([1.0] * 48, [1.0] * 48)
    record.figures["days_played"] = 1.5
    assert hours_of(record).n == 36


def test_kinds_are_those_of_the_same_weather() -> None:
    site = model_of(load_site("eureka-park"), 128)
    n = 7 * 24
    told = {"load_kwh": 900.0, "clean_kwh": 1500.0, "direct_kwh": 600.0, "salt_kwh": 900.0}
    hours = {name: np.full(n, value) for name, value in told.items()}
    hours["hour_s"] = EXAMPLE.start_s + 3600.0 * np.arange(n)
    record = RunRecord({"days": 7.0, "factor": site.factor, "per_it": 1.0975}, hours)
    add_kinds(record, supply_of(site, 1, "all-plants"))
    both = hours["wind_kwh"] + hours["pv_kwh"]
    assert np.allclose(both[both > 0.0], 600.0) and (both > 0.0).mean() > 0.9
    night = np.arange(n) % 24 < 4
    assert hours["pv_kwh"][night].max() == 0.0 and hours["csp_kwh"][night].max() == 0.0
    assert (hours["csp_kwh"] <= 900.0).all() and hours["csp_kwh"].max() > 0.0


def test_a_record_without_salt_is_left_as_it_is() -> None:
    record = record_of([1.0], [1.0])
    add_kinds(record, supply_of(load_site("eureka-park"), 1, "all-plants"))
    assert "wind_kwh" not in record.hours


def test_a_run_tells_its_plants_apart_as_they_stood() -> None:
    site = model_of(load_site("eureka-park"), 512)
    asked = TwinRequest(50, 1.0, bound=False, faults="plant:koudia@0d+6h", demand_of_supply=2.0)
    record = run_recorded(site, asked, Policy(lead_s=120.0))
    hours = record.hours
    assert record.figures["factor"] == site.factor
    assert np.allclose(hours["wind_kwh"] + hours["pv_kwh"], hours["direct_kwh"])
    assert not hours["wind_kwh"][:6].any() and hours["wind_kwh"][6:].any()
