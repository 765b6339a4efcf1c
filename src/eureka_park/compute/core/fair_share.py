"""Fair share with a memory: decayed use over weight decides which project is served next.

Use is counted in *dominant-share hours*: the largest fraction of the park that a job holds (CPUs, memory or GPUs)
times hours,
as in dominant resource fairness (Ghodsi et al., NSDI 2011), with the exponential decay of multifactor schedulers. A
start is
charged at once for its declared time and corrected when it ends, so that a burst cannot outrun the accounts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

HALF_LIFE_S: Final = (
    7 * 86400.0
)  # a week: long enough to remember yesterday's burst, short enough to forgive last month's


@dataclass(slots=True)
class FairShare:
    """Decayed use by project; weights come from the site file's shares (1 where none is given)."""

    weights: dict[str, float] = field(default_factory=dict)
    _used_h: dict[str, float] = field(default_factory=dict)  # at `_at_s`
    _at_s: float = 0.0

    def charge(self, project: str, share_h: float, now_s: float) -> None:
        """Add dominant-share hours to a project; negative to give back what was not used, never below zero."""
        self._settle(now_s)
        self._used_h[project] = max(0.0, self._used_h.get(project, 0.0) + share_h)

    def rank(self, project: str) -> float:
        """Use over weight: the smaller, the sooner. Comparable between projects at any one time, as all decay alike."""
        return self._used_h.get(project, 0.0) / self.weight(project)

    def weight(self, project: str) -> float:
        """The project's weight, 1 unless the site says otherwise."""
        return self.weights.get(project, 1.0)

    def share_frac(self, project: str) -> float:
        """The project's part of all remembered use, 0 to 1."""
        total = sum(self._used_h.values())
        return self._used_h.get(project, 0.0) / total if total > 0 else 0.0

    def due_frac(self, project: str) -> float:
        """The part that is due to it among the projects with remembered use, by weight."""
        names = set(self._used_h) | {project}
        return self.weight(project) / sum(self.weight(name) for name in names)

    def _settle(self, now_s: float) -> None:
        if now_s > self._at_s:
            factor = 0.5 ** ((now_s - self._at_s) / HALF_LIFE_S)
            self._used_h = {name: value * factor for name, value in self._used_h.items() if value * factor > 1e-9}
            self._at_s = now_s

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value for the snapshot."""
        return {"weights": dict(self.weights), "used_h": dict(self._used_h), "at_s": self._at_s}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> FairShare:
        """Read what `to_json` wrote."""
        return cls(dict(value["weights"]), dict(value["used_h"]), value["at_s"])
