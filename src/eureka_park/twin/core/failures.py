"""Failures of nodes, drawn by a seed.

Meta's pre-training of Llama 3 405B counted 419 unexpected interruptions in 54 days on 16,384 GPUs, 78 % of them by
hardware, confirmed or suspected (Llama Team 2024, arXiv 2407.21783, section 3.3.4). On 2,048 nodes of eight GPUs that
is one in 264 days of a node, or in 338 days by hardware alone. The repair time is an assumption: a median of 2 h, the
mean 3.9 h, as most are mended by a restart and some wait for a part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.units import DAY_S, HOUR_S

Floats = npt.NDArray[np.float64]

LLAMA_NODES: Final = 16_384 / 8
LLAMA_DAYS: Final = 54.0
LLAMA_INTERRUPTIONS: Final = 419.0
LLAMA_HARDWARE_FRAC: Final = 0.78
NODE_MTBF_S: Final = LLAMA_NODES * LLAMA_DAYS * DAY_S / (LLAMA_INTERRUPTIONS * LLAMA_HARDWARE_FRAC)
REPAIR_MEDIAN_S: Final = 2.0 * HOUR_S
REPAIR_SIGMA: Final = 1.15


@dataclass(frozen=True, slots=True, eq=False)
class Failures:
    """Nodes that fall out, in the order of `at_s` (from the start of the run), each back at `up_again_s`."""

    at_s: Floats
    node: npt.NDArray[np.int32]
    up_again_s: Floats

    @property
    def n_failures(self) -> int:
        """How many there are."""
        return len(self.at_s)


def no_failures() -> Failures:
    """A run in which no node fails."""
    return Failures(np.zeros(0), np.zeros(0, dtype=np.int32), np.zeros(0))


def failures_of(
    n_nodes: int,
    days: float,
    tree: SeedTree,
    mtbf_s: float = NODE_MTBF_S,
    repair_median_s: float = REPAIR_MEDIAN_S,
) -> Failures:
    """Failures of each node as a Poisson process, its repairs log-normal; a node that is down cannot fail.

    Raises BadInput for times that are not above 0 or more failures than a run can hold.
    """
    expected = n_nodes * days * DAY_S / mtbf_s if mtbf_s > 0 else np.inf
    if not (n_nodes >= 1 and days > 0 and repair_median_s > 0 and expected < 1e8):
        raise BadInput(
            f"Failures of {n_nodes} nodes every {mtbf_s:g} s cannot be drawn.",
            fix="Give times above 0 that lie in the order of days.",
            field="mtbf_s",
        )
    draw = tree.child("failures").generator()
    n_drawn = int(draw.poisson(expected))
    at_s = np.sort(draw.random(n_drawn) * days * DAY_S)
    node = draw.integers(0, n_nodes, n_drawn, dtype=np.int32)
    repair_s = repair_median_s * np.exp(REPAIR_SIGMA * draw.standard_normal(n_drawn))
    return _apart(np.round(at_s, 3), node, np.round(at_s + repair_s, 3))


def _apart(at_s: Floats, node: npt.NDArray[np.int32], up_again_s: Floats) -> Failures:
    """Leave out what falls into the repair before it of the same node."""
    is_kept = np.ones(len(at_s), dtype=np.bool_)
    up_s: dict[int, float] = {}
    order = np.argsort(node, kind="stable")
    again = order[np.flatnonzero(np.diff(node[order], prepend=-1) == 0)]  # nodes that fail more than once
    twice = np.isin(node, node[again])
    for row in np.flatnonzero(twice):
        if at_s[row] <= up_s.get(int(node[row]), -1.0):
            is_kept[row] = False
        else:
            up_s[int(node[row])] = float(up_again_s[row])
    return Failures(at_s[is_kept], node[is_kept], up_again_s[is_kept])
