"""What the meter teaches of power: one rule for jobs that run and for those of their name that come, live and twin.

All are parts of a job's dynamic power at nameplate, as it would draw without a cap. What is promised to firm work
rests on the nameplate alone, whatever is learned (docs/operate/policy-rules.md, 2 and 7).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from eureka_park.foundation.kernels import kernel

CORRECT_FROM = 0.05  # a prediction that is off by more is corrected by the meter
NEW_WEIGHT = 0.2  # of a job that ended in what is remembered of its name: what it began from counts as four jobs
LEARN_STEP = 1e-6  # what moves by less is not written down
FRAC_MIN: Final = 0.1  # a job that hardly draws may yet wake up
DIGITS: Final = 2  # of what a meter tells: it is not better than a hundredth

SETTLE_S: Final = 30.0  # real seconds after a start, a cap, a thaw or a shrink of which nothing is learned
SURE_S: Final = 30.0  # real seconds that must have been seen before anything is said
FAST_S: Final = 60.0  # what is drawn lately: the mean of the last minute or of the last ten, whichever is more
SLOW_S: Final = 600.0


@kernel
def remembered(before: float, seen: float) -> float:
    """What is remembered of a name after one more of its jobs has ended, which drew `seen`."""
    change = NEW_WEIGHT * (seen - before)
    return before + change if abs(change) > LEARN_STEP else before


@kernel
def is_off(predicted: float, seen: float) -> bool:
    """Whether the meter corrects what was predicted of a job that runs."""
    return abs(seen - predicted) > CORRECT_FROM


def frac_of(seen_j: float, rated_j: float) -> float | None:
    """The part of its rated dynamic energy that a job has drawn, as well as a meter knows it; None where none is."""
    return min(1.0, max(FRAC_MIN, round(seen_j / rated_j, DIGITS))) if rated_j > 0.0 else None


@dataclass(slots=True)
class Lately:
    """What one job has drawn of late. Older energy weighs less, by a minute and by ten."""

    seen_s: float = 0.0
    fast_j: float = 0.0
    fast_rated_j: float = 0.0
    slow_j: float = 0.0
    slow_rated_j: float = 0.0

    def note(self, seen_j: float, rated_j: float, span_s: float) -> None:
        """Take in what was drawn in `span_s` real seconds, and what would have been at nameplate under its cap."""
        fast, slow = math.exp(-span_s / FAST_S), math.exp(-span_s / SLOW_S)
        self.seen_s += span_s
        self.fast_j, self.fast_rated_j = self.fast_j * fast + seen_j, self.fast_rated_j * fast + rated_j
        self.slow_j, self.slow_rated_j = self.slow_j * slow + seen_j, self.slow_rated_j * slow + rated_j

    def frac(self, sure_s: float = SURE_S) -> float | None:
        """The part of its rated dynamic power: up by the last minute, down by ten; None while too little is seen."""
        fast, slow = frac_of(self.fast_j, self.fast_rated_j), frac_of(self.slow_j, self.slow_rated_j)
        if fast is None or slow is None or self.seen_s < sure_s:
            return None
        return max(fast, slow)
