"""The sentence of the moment, over a day of a plan made of plain numbers."""

from __future__ import annotations

from dataclasses import replace

from eureka_park.energy.core.sky import SENTENCES, sky_now
from eureka_park.foundation.power_plan import PowerPlan

KINDS = {"noor-iv": "pv", "noor-i": "csp", "koudia": "wind"}


def plan_of(pv: list[float], csp: list[float], wind: list[float], load: float = 60.0) -> PowerPlan:
    n = len(pv)
    zero = (0.0,) * n
    clean = tuple(a + b + c for a, b, c in zip(pv, csp, wind, strict=True))
    return PowerPlan(
        "p", "s", 0.0, 0.0, 3600.0, (load,) * n, clean, clean, clean, (100.0,) * n,
        {"noor-iv": tuple(pv), "noor-i": tuple(csp), "koudia": tuple(wind)}, {}, zero, zero, zero, {}, {}, ((),) * n,
    )  # fmt: skip


DAY = plan_of(
    [0, 0, 10, 50, 60, 50, 10, 0, 0, 0], [0, 0, 0, 40, 50, 40, 60, 60, 60, 0], [30, 30, 30, 5, 5, 5, 5, 5, 5, 5]
)


def code(hour: int, plan: PowerPlan = DAY) -> str:
    return sky_now(plan, hour * 3600.0 + 60, KINDS).code


def test_a_day_is_told_in_order() -> None:
    assert [code(hour) for hour in range(10)] == [
        "wind_carries", "wind_carries", "sun_rises", "sun_carries", "sun_carries", "sun_carries",
        "salt_takes_over", "salt_takes_over", "salt_by_night", "grid_carries",
    ]  # fmt: skip


def test_scarcity_is_told_against_the_load() -> None:
    assert code(1, replace(DAY, load_mw=(400.0,) * 10)) == "grid_carries"
    assert code(1, replace(DAY, load_mw=(61.0,) * 10)) == "grid_carries", "less than half is not most of the work"
    assert code(9, plan_of([0, 60, *[0] * 8], [20] * 10, [25] * 10)) == "wind_and_salt"
    assert code(5, plan_of([10.0] * 10, [0.0] * 10, [29.0] * 10)) == "mixed", "wind leads, but carries no half"
    assert sky_now(DAY, 1e9, KINDS).text in SENTENCES.values()
