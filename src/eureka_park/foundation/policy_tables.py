"""`[policy]`, `[[shares]]` and `[[cap_curve]]`: how a park decides, as site files and policy files write it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from math import fsum
from typing import Annotated, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from eureka_park.foundation.plant_file import Section, entry, problem

DEPTH_MAX: Final = 4
_ROOM: Final = 1e-9  # floors are written with few digits: what is beyond this is no rounding


class Policy(Section):
    """How the park follows the sky, divides power and machines, and how far it looks. `park policy` shows, checks and
    changes it."""

    sky: Literal["green", "binding", "observed"] = entry(
        "green: the plan holds green, and flex at most to its deadline; binding: flex and green; observed: nothing",
        default="green",
    )
    service_reserve_mw: float = entry(
        "Power kept for services (demos), on the scale of the full site", "MW", 0.0, ge=0, le=10_000
    )
    flex_deadline_default_h: float = entry("Deadline of a flex job that names none", "h", 24.0, gt=0, le=8760)
    flex_wait_gain_frac: float = entry(
        "A flex job waits only for an hour that is cheaper by this part", "fraction", 0.1, ge=0, le=1
    )
    cap_steps_frac: tuple[Annotated[float, Field(ge=0.5, le=1)], ...] = entry(
        "Steps by which a job's power is capped, falling", "fraction", (0.62, 0.5), max_length=5
    )
    lead_s: float = entry(
        "So long before clean power falls work gives way: writing checkpoints takes its time", "s", 0.0, ge=0, le=3600
    )
    margin_frac: float = entry(
        "Room that must be left before a cap is lifted or a paused job goes on", "fraction", 0.05, ge=0, le=0.5
    )
    min_run_s: float = entry("A job runs at least so long before it may be paused", "s", 300.0, ge=0, le=86_400)
    pause_rate_max_per_h: float = entry("Most pauses of one job in an hour", "1/h", 2.0, ge=0, le=60)
    grace_s: float = entry("Real seconds from SIGTERM to kill", "s", 30.0, ge=0, le=3600)
    carbon_weight_mad_per_kg: float = entry(
        "Cost the dispatch sees for a kilogram of CO2 of bought power", "MAD/kg", 0.3, ge=0, le=100
    )
    plan_every_s: float = entry("A new plan is made so often", "s", 900.0, ge=60, le=86_400)
    half_life_s: float = entry(
        "After this time a project's past use weighs half as much in its turn; 604800 s is a week", "s", 604_800.0,
        ge=3600, le=31_536_000,
    )  # fmt: skip
    reserve_depth: int = entry(
        "So many waiting jobs, first in order, get machines and a time reserved; those behind fill gaps", "1", 64,
        ge=0, le=4096,
    )  # fmt: skip
    lookahead: int = entry(
        "Jobs of one line that may be refused in a turn before the next line is looked at", "1", 16, ge=1, le=4096
    )
    scan: int = entry(
        "Jobs of one line that do not start in a turn before it is left, those waiting for a better hour included",
        "1", 64, ge=1, le=65_536,
    )  # fmt: skip
    n_considered_max: int = entry("Most waiting jobs worked out in one turn", "1", 4096, ge=1, le=10_000_000)
    patient_s: float = entry(
        "A flex job that has waited so long has clean power kept free for it: no other starts before it then", "s",
        172_800.0, ge=0, le=604_800,
    )  # fmt: skip
    reclaim_after_s: float = entry(
        "A project with work that waits below its floor so long takes back what was lent to others", "s", 1800.0,
        ge=0, le=604_800,
    )  # fmt: skip
    reclaim_pauses_max_per_h: float = entry(
        "Most jobs paused in an hour, over the whole park, to give back what was lent", "1/h", 60.0, ge=0, le=100_000
    )
    tick_s: float = entry("Park time between two turns of a simulated park", "s", 60.0, ge=1, le=3600)

    @model_validator(mode="after")
    def _falling(self) -> Self:
        if any(later >= before for before, later in pairwise(self.cap_steps_frac)):
            raise problem("cap_steps_frac", "each step must be below the one before it")
        return self


class CapPoint(Section):
    """A point of this site's own cap curve, lowest cap first, the last with all three at 1. Without any, a curve that
    was measured elsewhere is assumed (`foundation/cap_curve.py`)."""

    cap_frac: float = entry("Cap over the rated power of a GPU", "fraction", gt=0, le=1)
    power_frac: float = entry("GPU power drawn under the cap, over that without a cap", "fraction", gt=0, le=1)
    speed_frac: float = entry("Work done under the cap, over that without a cap", "fraction", gt=0, le=1)
    source: str = entry("What the point rests on, with a date", default="")


class Share(Section):
    """A share of the park, as a tree: organisation/project/person. Weights are relative among those under the same
    parent that want machines, they need no sum. Floors are absolute and must fit: those under one parent into the
    parent's own, those at the top into 1. A parent that is not listed exists with weight 1 and the floors below it."""

    path: str = entry(
        "Where it stands: a project such as 'vision', or a path of at most 4 names such as 'research/vision/amina'",
        pattern=r"^[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*$",
    )
    weight: float = entry("Weight relative to its siblings", "1", 1.0, gt=0, le=1_000_000)
    floor_frac: float = entry(
        "Part of the power that the forecast gives which is guaranteed to it and all below it while it wants it",
        "fraction", 0.0, ge=0, le=1,
    )  # fmt: skip

    @field_validator("path")
    @classmethod
    def _shallow(cls, path: str) -> str:
        if (n_parts := path.count("/") + 1) > DEPTH_MAX:
            raise problem("", f"'{path}' has {n_parts} names; write at most {DEPTH_MAX}")
        return path


class PolicyTables(Section):
    """All that a policy file may hold."""

    policy: Policy = Policy()
    shares: tuple[Share, ...] = ()


def share_faults(shares: Sequence[Share]) -> Iterator[tuple[int, str, str]]:
    """All that keeps good shares from being one tree: index of the share, its field, and why with what to do."""
    first: dict[str, int] = {}
    for index, share in enumerate(shares):
        if share.path in first:
            yield index, "path", f"'{share.path}' is there twice, first as shares[{first[share.path]}]; leave one out"
        first.setdefault(share.path, index)
    listed = {path: shares[index].floor_frac for path, index in first.items()}
    families = _families(listed)
    for parent, children in families.items():
        if parent and parent not in listed:
            continue  # the sum is its own floor
        most = listed.get(parent, 1.0)
        total = fsum(_floor(child, listed, families) for child in children)
        if total <= most + _ROOM:
            continue
        index = first.get(parent, next(index for index, share in enumerate(shares) if share.floor_frac > 0))
        names = ", ".join(children[:3]) + (", ..." if len(children) > 3 else "")
        limit = f"the floor {most:g} of '{parent}'" if parent else "1"
        fix = f"raise that to {total:.6g} or lower these" if parent else "lower them"
        yield index, "floor_frac", f"the floors of {names} sum to {total:.6g}, above {limit}; {fix}"


def _families(listed: Mapping[str, float]) -> dict[str, list[str]]:
    """The children of every parent, unlisted ones included, parents first; the top is ''."""
    paths = {"/".join(path.split("/")[:n]) for path in listed for n in range(1, path.count("/") + 2)}
    families: dict[str, list[str]] = {}
    for path in sorted(paths, key=lambda path: path.split("/")):
        families.setdefault(path.rpartition("/")[0], []).append(path)
    return families


def _floor(path: str, listed: Mapping[str, float], families: Mapping[str, list[str]]) -> float:
    """The floor of a path: its own where it is listed, else the sum of those below it."""
    if path in listed:
        return listed[path]
    return fsum(_floor(child, listed, families) for child in families[path])
