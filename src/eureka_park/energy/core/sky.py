"""What the sky does to the work at one moment, in one sentence: a code for translations, English words beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from eureka_park.foundation.power_plan import PowerPlan

_MOST_FRAC: Final = 0.5  # of the load: who "carries most of the work"
_LITTLE_FRAC: Final = 0.05  # of the largest PV output in the plan: the sun is down

SENTENCES: Final[Mapping[str, str]] = {
    "salt_takes_over": "The salt takes over from the sun.",
    "salt_by_night": "Molten salt carries the work through the dark.",
    "sun_rises": "The sun comes up and begins to fill the salt.",
    "sun_carries": "The sun carries most of the work.",
    "wind_carries": "The wind carries most of the work.",
    "wind_and_salt": "Wind and salt share the work.",
    "battery_carries": "Stored power carries most of the work.",
    "mixed": "Sun, salt and wind share the work.",
    "grid_carries": "The sky gives little now; the grid carries most of the work.",
}


@dataclass(frozen=True, slots=True)
class SkyNow:
    """One moment's sentence and the clean power behind it by kind (wind, pv, csp, battery); MW."""

    code: str
    text: str
    mw_by_kind: Mapping[str, float]


def sky_now(plan: PowerPlan, now_s: float, kind_of: Mapping[str, str]) -> SkyNow:
    """The sentence for the interval that holds `now_s`. `kind_of`: source id to wind, pv, csp or battery."""
    index = min(max(0, int((now_s - plan.start_s) // plan.step_s)), plan.n_intervals - 1)
    kinds = {"wind": 0.0, "pv": 0.0, "csp": 0.0, "battery": 0.0}
    for source, series in plan.available_by_source_mw.items():
        if source in kind_of:
            kinds[kind_of[source]] += series[index]
    code = _code(plan, index, kinds, _pv(plan, kind_of))
    return SkyNow(code, SENTENCES[code], kinds)


def _pv(plan: PowerPlan, kind_of: Mapping[str, str]) -> list[float]:
    sources = [series for name, series in plan.available_by_source_mw.items() if kind_of.get(name) == "pv"]
    return [sum(values) for values in zip(*sources, strict=True)] if sources else [0.0] * plan.n_intervals


def _code(plan: PowerPlan, index: int, kinds: Mapping[str, float], pv_mw: list[float]) -> str:
    clean, most = sum(kinds.values()), _MOST_FRAC * plan.load_mw[index]
    top = max(pv_mw, default=0.0)
    is_dark = pv_mw[index] <= _LITTLE_FRAC * top
    later = pv_mw[min(index + 2, len(pv_mw) - 1)]
    if clean <= 0 or clean < most:
        return "grid_carries"
    if kinds["battery"] > 0.5 * clean:
        return "battery_carries"
    if is_dark:
        was_sunny = index > 0 and pv_mw[index - 1] > _LITTLE_FRAC * top
        if kinds["csp"] >= kinds["wind"]:
            return "salt_takes_over" if was_sunny else "salt_by_night"
        return "wind_carries" if kinds["wind"] >= most else "wind_and_salt"
    if later <= _LITTLE_FRAC * top and kinds["csp"] > kinds["pv"]:
        return "salt_takes_over"
    if pv_mw[index] < 0.3 * top < later:
        return "sun_rises"
    if kinds["wind"] > 0.5 * clean and kinds["wind"] >= most:
        return "wind_carries"
    sun = kinds["pv"] + kinds["csp"]
    return "sun_carries" if sun > 0.66 * clean and sun >= most else "mixed"
