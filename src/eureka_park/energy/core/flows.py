"""Whose energy went where, hour by hour: from each plant, at once or through salt or a battery, to load or surplus.

The dispatch says how much each plant gave, what was charged, bought and sold. Who got which plant's part is a matter of
accounting; here it goes by these rules, the same for every hour:

- heat of the hour's sun goes to the power block first, the rest of its heat comes from the salt;
- what is sold comes from the plants and the batteries, each in proportion;
- batteries are charged from the plants, in proportion, and from the grid only by what is beyond them;
- a battery gives what is in it, mixed; its losses fall on all that is in it alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from eureka_park.energy.core.dispatch import Dispatch
from eureka_park.energy.core.dispatch_problem import DispatchProblem
from eureka_park.energy.core.sun import Floats
from eureka_park.foundation.site_file import GRID_SOURCE_ID

_TINY_MW: Final = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Flows:
    """Mean powers of each hour at the site meter, MW, by origin (plants, and `grid` where it is one).

    `at_once` reaches the load in the hour of its sun or wind, or is bought in it; `through_salt` was heat of an earlier
    hour; `through_battery` was charged earlier. The three and `unserved` sum to the load. `sold` is surplus.
    """

    at_once_mw: Mapping[str, Floats]
    through_salt_mw: Mapping[str, Floats]
    through_battery_mw: Mapping[str, Floats]
    sold_mw: Mapping[str, Floats]
    charged_mw: Mapping[str, Floats]

    def to_load_mw(self, origin: str) -> Floats:
        """All of an origin's energy that the load drew, whatever way it took."""
        ways = (self.at_once_mw, self.through_salt_mw, self.through_battery_mw)
        return np.asarray(sum(way[origin] for way in ways if origin in way), dtype=np.float64)

    @property
    def origins(self) -> tuple[str, ...]:
        """Plants in their order, then the grid."""
        return tuple(self.at_once_mw)


def flows_of(problem: DispatchProblem, answer: Dispatch) -> Flows:
    """The accounting above. A dispatch without batteries charges and discharges nothing."""
    n_hours = problem.n_hours
    clean = np.sum(list(answer.power_mw.values()), axis=0) if answer.power_mw else np.zeros(n_hours)
    charge = _total(answer.charge_mw, n_hours)
    discharge = _total(answer.discharge_mw, n_hours)
    sold_clean = answer.export_mw * _part(clean, clean + discharge)
    sold_battery = answer.export_mw - sold_clean
    charged_clean = np.minimum(charge, np.maximum(0.0, clean - sold_clean))
    to_load = np.maximum(0.0, clean - sold_clean - charged_clean)
    bought_for_battery = charge - charged_clean
    at_once, through_salt, sold, charged = {}, {}, {}, {}
    for name, power in answer.power_mw.items():
        share = _part(power, clean)
        sun_part = _sun_part(problem, answer, name)
        at_once[name] = to_load * share * sun_part
        if name in problem.salt:
            through_salt[name] = to_load * share * (1.0 - sun_part)
        sold[name], charged[name] = sold_clean * share, charged_clean * share
    at_once[GRID_SOURCE_ID] = np.maximum(0.0, answer.import_mw - bought_for_battery)
    charged[GRID_SOURCE_ID] = bought_for_battery
    through_battery = _through_batteries(answer, charged, _part(sold_battery, discharge))
    for name, series in through_battery[1].items():
        sold[name] = sold.get(name, np.zeros(n_hours)) + series
    return Flows(at_once, through_salt, through_battery[0], sold, charged)


def _sun_part(problem: DispatchProblem, answer: Dispatch, name: str) -> Floats:
    """The part of a plant's power that is of the hour's own sun or wind; 1 where it has no tank."""
    plant = problem.salt.get(name)
    if plant is None:
        return np.ones(problem.n_hours)
    drawn = answer.power_mw[name] / max(plant.eta_frac * plant.delivered_frac, _TINY_MW)
    fresh = np.maximum(0.0, plant.heat_mw_th - answer.spill_mw_th[name])
    return _part(np.minimum(drawn, fresh), drawn)


def _through_batteries(
    answer: Dispatch, charged: Mapping[str, Floats], sold_part: Floats
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Discharge by origin, to the load and sold; every battery mixes what it holds."""
    origins = list(charged)
    total_charge = np.sum(list(charged.values()), axis=0)
    to_load = {name: np.zeros(len(sold_part)) for name in origins}
    sold = {name: np.zeros(len(sold_part)) for name in origins}
    if not answer.charge_mw or total_charge.max(initial=0.0) <= _TINY_MW:
        return {}, {}
    inflow = np.stack([_part(charged[name], total_charge) for name in origins], axis=1)
    for battery, charge in answer.charge_mw.items():
        mixed = _mixture(inflow, charge, answer.battery_mwh[battery])
        for index, name in enumerate(origins):
            given = answer.discharge_mw[battery] * mixed[:, index]
            to_load[name] += given * (1.0 - sold_part)
            sold[name] += given * sold_part
    used = [name for name in origins if to_load[name].any() or sold[name].any()]
    return {name: to_load[name] for name in used}, {name: sold[name] for name in used}


def _mixture(inflow: Floats, charge_mw: Floats, level_mwh: Floats) -> Floats:
    """Shares of the origins in a battery, for each hour; a year is a ring, so it begins as it ends."""
    n_hours, n_origins = inflow.shape
    before = np.roll(level_mwh, 1)
    weight = _part(charge_mw, charge_mw + before)
    shares = np.zeros((n_hours, n_origins))
    state = inflow[int(np.argmax(charge_mw))].copy()
    for _ in range(2):
        for hour in range(n_hours):
            if weight[hour] > 0.0:
                state = state + weight[hour] * (inflow[hour] - state)
            shares[hour] = state
    return shares


def _total(series: Mapping[str, Floats], n_hours: int) -> Floats:
    return np.sum(list(series.values()), axis=0) if series else np.zeros(n_hours)


def _part(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > _TINY_MW)
