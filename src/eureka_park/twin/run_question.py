"""What the pages ask of a run of the twin: how much of the machines, which days, plants, load, policy and seed.

A run is of a model: one node in so many of the full site's, under its whole sky in proportion. What a question costs is
told before it is asked, from the figures below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from eureka_park.foundation.canonical import content_id
from eureka_park.foundation.errors import BadInput, TooLarge
from eureka_park.foundation.site_file import Scale, Site
from eureka_park.foundation.site_reading import load_site
from eureka_park.foundation.units import MIB
from eureka_park.twin.foresight import WAIT_DAYS, run_bytes
from eureka_park.twin.run_request import DAYS_MAX as RUN_DAYS_MAX
from eureka_park.twin.run_request import GPU_H_PER_JOB, STREAM_FROM

POLICIES: Final = ("park", "fcfs-easy", "hard-cut", "wait-awhile", "lowest-window", "edf-surplus")
ONE_IN: Final = (1, 8, 32, 128, 512)
NODES_MIN: Final = 8  # a smaller model says little of a park
DAYS_MAX: Final = int(RUN_DAYS_MAX)
LOAD_FRACS: Final = (0.1, 1.2)
DEMANDS: Final = (0.2, 3.0)
NEW_MOST_MW: Final = 2000.0
SEED_MAX: Final = 2**31 - 1
YEAR: Final = 2026  # whose Mondays runs begin on; the sky is that of a synthetic year
DAY_H: Final = 24

N_TENANTS: Final = 1_000  # of generated work
MEMORY_MIB_MAX: Final = 1536.0
CPU_S_MAX: Final = 600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """What runs cost on one core, CPU seconds, and the day on which that was measured."""

    s_per_job: float
    s_per_day: float
    s_before: float
    measured_on: str


# Measured with runs of 14 to 365 days, told on the high side; only told and bounded by, never counted with.
PACE: Final = Pace(s_per_job=1e-5, s_per_day=0.06, s_before=3.0, measured_on="2026-11-26")


@dataclass(frozen=True, slots=True)
class Question:
    """A run to be made. `one_in`: one node in so many is played; `month`: the run begins on its first Monday.

    `demand_of_supply`: plants are scaled until the jobs ask for so many times what they give; 0: plants as they are.
    """

    one_in: int = 128
    days: int = 14
    month: int = 12
    load_frac: float = 0.8
    demand_of_supply: float = 0.0
    scenario: str = "all-plants"
    wind_mw: float = 0.0
    pv_mw: float = 0.0
    policy: str = "park"
    seed: int = 1

    @property
    def run_id(self) -> str:
        """The same for the same question."""
        return content_id(asdict(self))[:20]

    @property
    def work_id(self) -> str:
        """The same for questions that differ in their policy alone: the same jobs come under the same sky."""
        return content_id({**asdict(self), "policy": ""})[:20]

    @property
    def start_s(self) -> float:
        """When the run begins: the first Monday of its month, 00:00 UTC; epoch seconds."""
        first = datetime(YEAR, self.month, 1, tzinfo=UTC)
        return (first + timedelta(days=-first.weekday() % 7)).timestamp()

    def to_json(self) -> dict[str, Any]:
        """A plain JSON value."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Question:
        """Read what `to_json` wrote. Raises BadInput for another form."""
        try:
            return cls(**value)
        except TypeError:
            raise BadInput("The question has the form of another version.", fix="Ask it anew.") from None


EXAMPLE: Final = Question()  # what visitors may have played: a fortnight of December, when the sun is low


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run takes, roughly: jobs, CPU seconds on one core, memory (MiB)."""

    n_jobs: int
    cpu_s: float
    memory_mib: float


def sizes_of(site: Site) -> tuple[int, ...]:
    """The models that can be made of a full site: all of its nodes, or one in 8, 32, 128, 512."""
    n_nodes = sum(kind.n_nodes for kind in site.nodes)
    return tuple(one_in for one_in in ONE_IN if one_in == 1 or n_nodes / one_in >= NODES_MIN)


def cost_of(site: Site, question: Question) -> Cost:
    """What the run of a question takes; `site` is the full one."""
    slots = [(kind.n_nodes, kind.n_gpus or 8) for kind in site.nodes]
    n_gpus = sum(n_nodes * each for n_nodes, each in slots) / question.one_in
    n_jobs = max(1, round(question.load_frac * n_gpus * question.days * DAY_H / GPU_H_PER_JOB))
    cpu_s = PACE.s_before + PACE.s_per_day * question.days + PACE.s_per_job * n_jobs
    n_nodes = round(sum(kind.n_nodes for kind in site.nodes) / question.one_in)
    n_open = None if n_jobs <= STREAM_FROM else min(float(n_jobs), n_gpus + n_jobs / question.days * WAIT_DAYS)
    held = run_bytes(n_jobs, n_nodes, N_TENANTS, question.days, n_open)
    return Cost(n_jobs, cpu_s, sum(held.values()) / MIB)


def checked(question: Question, site: Site, scenarios: Sequence[str]) -> Question:
    """The question, rounded as addresses say it. Raises BadInput for what cannot be asked, TooLarge for what would
    take more memory or time than a page may.
    """
    question = replace(
        question,
        load_frac=round(question.load_frac, 4),
        demand_of_supply=round(question.demand_of_supply, 4) + 0.0,
        wind_mw=round(question.wind_mw, 3) + 0.0,
        pv_mw=round(question.pv_mw, 3) + 0.0,
    )
    _among("one_in", question.one_in, sizes_of(site))
    _among("policy", question.policy, POLICIES)
    _among("scenario", question.scenario, scenarios)
    _inside("days", question.days, 1, DAYS_MAX)
    _inside("month", question.month, 1, 12)
    _inside("load_frac", question.load_frac, *LOAD_FRACS)
    if question.demand_of_supply:
        _inside("demand_of_supply", question.demand_of_supply, *DEMANDS)
    _inside("seed", question.seed, 0, SEED_MAX)
    for name in ("wind_mw", "pv_mw"):
        _inside(name, getattr(question, name), 0.0, NEW_MOST_MW)
    cost = cost_of(site, question)
    if cost.memory_mib > MEMORY_MIB_MAX or cost.cpu_s > CPU_S_MAX:
        raise TooLarge(
            f"{cost.n_jobs:,} jobs would take about {cost.memory_mib:,.0f} MiB and {cost.cpu_s:,.0f} s.",
            fix="Ask for fewer days or a smaller model; park twin run has no such limit.",
            field="days",
            code="run_too_large",
        )
    return question


def full_site(site: Site) -> Site:
    """The site that a scale model stands for, with this park's own plants and rules; any other site as it is."""
    if site.scale is None:
        return site
    base = load_site(site.scale.of)
    own = {"name": base.name, "title": base.title, "nodes": base.nodes, "pue": base.pue, "shares": base.shares}
    return site.model_copy(update={**own, "scale": None})


def model_of(site: Site, one_in: int) -> Site:
    """One node in so many of a full site, as a scale model of it."""
    if one_in == 1:
        return site
    all_nodes = sum(kind.n_nodes for kind in site.nodes)
    nodes = tuple(kind.model_copy(update={"n_nodes": max(1, round(kind.n_nodes / one_in))}) for kind in site.nodes)
    factor = sum(kind.n_nodes for kind in nodes) / all_nodes
    pue = site.pue.model_copy(update={"it_mw_rated": (site.pue.it_mw_rated or site.it_kw_rated / 1000.0) * factor})
    return site.model_copy(update={"nodes": nodes, "pue": pue, "scale": Scale(of=site.name, factor=factor)})


def _among(name: str, value: object, known: Sequence[object]) -> None:
    if value not in known:
        raise BadInput(f"{name} = {str(value)[:60]} is none of them.", fix=f"Give one of {_listed(known)}.", field=name)


def _listed(known: Sequence[object]) -> str:
    return ", ".join(str(item) for item in known)


def _inside(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise BadInput(f"{name} = {value:g} is outside {low:g} to {high:g}.", fix="Stay inside.", field=name)
