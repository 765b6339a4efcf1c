"""RAPL: the processor's own energy counters under /sys/class/powercap, which wrap round and start anew at boot.

Packages and their memory (dram) are added; `core` and `uncore` are parts of a package and `psys` holds packages again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/class/powercap")


@dataclass(frozen=True, slots=True)
class Domain:
    """One counter: its folder's name, joules now, and the joules at which it wraps round."""

    name: str
    energy_j: float
    range_j: float


def read_domains(root: Path = ROOT) -> tuple[Domain, ...]:
    """Every package and dram counter that this user may read; empty where there are none."""
    found = []
    for folder in sorted(root.glob("intel-rapl:*")):
        try:
            kind = (folder / "name").read_text().strip()
            if kind == "dram" or kind.startswith("package"):
                energy_j = int((folder / "energy_uj").read_text()) / 1e6
                found.append(Domain(folder.name, energy_j, int((folder / "max_energy_range_uj").read_text()) / 1e6))
        except (OSError, ValueError):
            continue
    return tuple(found)


def unwrapped_j(before_j: float, now_j: float, range_j: float, expected_j: float) -> float:
    """Joules between two looks at a counter that may have wrapped round, several times when nobody looked for long.

    The number of rounds is the one whose result comes closest to `expected_j` (the model's estimate), and never
    negative.
    """
    step_j = now_j - before_j
    if range_j <= 0:
        return max(0.0, step_j)
    rounds = round((expected_j - step_j) / range_j)
    least = 1 if step_j < 0 else 0
    return step_j + max(least, rounds) * range_j
