"""What a run leaves for others: figures, hours, a sample of jobs, and what was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

HOURS: Final = (
    "hour_s", "load_kwh", "clean_kwh", "direct_kwh", "salt_kwh", "bought_kwh", "planned_clean_kwh",
    "held_gpu_h", "waiting_jobs", "running_jobs", "paused_jobs",
)  # fmt: skip
SAMPLE: Final = (
    "leaf", "tier", "n_gpus", "submit_s", "first_start_s", "end_s", "n_pauses", "run_s", "deadline_s",
)  # fmt: skip
TEXTS: Final = frozenset({"leaf", "tier"})  # columns of the sample that are no numbers
SAMPLE_MAX: Final = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class RunRecord:
    """A run, as its files keep it.

    `figures`: what `run_twin` answers. `hours`: a value for each hour of the run, by the names of `HOURS`, of which
    any may be absent: `hour_s` is the UTC epoch second at which the hour begins; energies are those of the machines
    (IT), which `figures["per_it"]` and `figures["fixed_kw"]` take to the site meter; `clean_kwh` is what was
    available. `sample`: up to `SAMPLE_MAX` jobs by the names of `SAMPLE`, instants in seconds from the start of the
    run, nan for what did not come to pass; `leaf` and `tier` (its name) are lists of texts. `request`: what was asked
    for, as JSON has it.
    """

    figures: dict[str, Any]
    hours: dict[str, Floats] = field(default_factory=dict)
    sample: dict[str, npt.NDArray[Any] | list[str]] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)

    @property
    def n_hours(self) -> int:
        """Hours that were counted."""
        return _length(self.hours)

    @property
    def n_sampled(self) -> int:
        """Jobs in the sample."""
        return _length(self.sample)


def _length(columns: Mapping[str, Sequence[Any] | npt.NDArray[Any]]) -> int:
    return len(next(iter(columns.values()), ()))
