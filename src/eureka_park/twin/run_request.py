"""What a run of the twin is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from eureka_park.energy.core.scenarios import SCENARIOS, scenario_of
from eureka_park.foundation.errors import BadInput
from eureka_park.twin.core.arrivals import JOBS_MAX

START_S: Final = 1_772_409_600.0  # 2026-03-02T00:00:00Z, a Monday near the equinox
DAYS: Final = 2.0
DAYS_MAX: Final = 366.0
LOAD_FRAC: Final = 0.8
LOAD_FRAC_MAX: Final = 10.0
STREAM_FROM: Final = 500_000  # jobs of a seed: more are drawn as they come, and no table of them is kept
MINUTE_DAYS: Final = 31.0
ACCOUNT_S: Final = 300.0  # power is accounted in means of five minutes
GPU_H_PER_JOB: Final = 11.9  # Philly's; what `--jobs` follows from where nobody gives it
PolicyName = Literal["park", "fcfs-easy", "hard-cut", "wait-awhile", "lowest-window", "edf-surplus"]


@dataclass(frozen=True, slots=True)
class TwinRequest:
    """What to run. None: as many jobs as fill the site; two days, or the length of the trace.

    `load_frac`: GPU time asked for over the site's; None: `LOAD_FRAC`, and a trace as it is. `demand_of_supply`: plants
    are scaled until the mean power asked for is so many times what they give. `weather`: park weather files by place.
    `faults`: words (see `core.faults`), or a TOML file. `columns`: the trace's own names, by the park's.
    `tick_s`: between two turns of the policy; None: a minute, in runs of more than `MINUTE_DAYS` five.
    `bound`: whether the clairvoyant bound of clean power is solved.
    """

    n_jobs: int | None = None
    days: float | None = None
    seed: int = 1
    trace: Path | None = None
    policy: PolicyName = "park"
    load_frac: float | None = None
    start_s: float = START_S
    plan_every_h: int = 6
    bound: bool = True
    demand_of_supply: float | None = None
    weather: Mapping[str, Path] = field(default_factory=dict, hash=False)
    scenario: str = SCENARIOS[0].name
    faults: str | Path = ""
    columns: Mapping[str, str] = field(default_factory=dict, hash=False)
    tick_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value; files by their names."""
        found = {name: getattr(self, name) for name in self.__slots__}
        found["trace"] = self.trace.name if self.trace else None
        found["weather"] = {place: path.name for place, path in self.weather.items()}
        found["faults"] = self.faults.name if isinstance(self.faults, Path) else self.faults
        return found | {"columns": dict(self.columns)}


def check_request(request: TwinRequest) -> None:
    """Raise BadInput where no run can be what is asked."""
    scenario_of(request.scenario)
    if request.days is not None and not 0.0 < request.days <= DAYS_MAX:
        raise BadInput(f"{request.days:g} days cannot be run.", fix=f"Give 0.1 to {DAYS_MAX:g} days.", field="days")
    if request.n_jobs is not None and request.n_jobs < 1:
        raise BadInput(f"{request.n_jobs} jobs cannot be run.", fix="Give at least 1.", field="jobs")
    if request.n_jobs is not None and request.n_jobs > JOBS_MAX:
        told = f"{request.n_jobs:,} jobs are more than {JOBS_MAX:,}."
        raise BadInput(told, fix="Give fewer jobs: a year of the largest park has 100 to 150 million.", field="jobs")
    if request.columns and request.trace is None:
        raise BadInput("There is no trace whose columns could be named.", fix="Give --trace FILE.", field="map")
    for name, value in (("load_frac", request.load_frac), ("demand_of_supply", request.demand_of_supply)):
        if value is not None and not 0.0 < value <= LOAD_FRAC_MAX:
            told = f"{name} = {value:g} is outside 0 to {LOAD_FRAC_MAX:g}."
            raise BadInput(told, fix="Give a number such as 0.8.", field=name)


def tick_s_of(request: TwinRequest, days: float) -> float:
    """Park time between two turns."""
    if request.tick_s is not None:
        return request.tick_s
    return 60.0 if days <= MINUTE_DAYS else ACCOUNT_S
