"""Writes phoenix.md and phoenix.svg, a real demand-response event replayed: `.venv/bin/python docs/results/phoenix.py`.

In May 2025 a cluster of 256 GPUs in Phoenix drew a quarter less for three hours when the grid asked (arXiv 2507.00909,
Emerald AI; data Apache-2.0). Here the live park's own tick (`control.tick`, which calls the kernels of the policy) has
the same six jobs on as many machines, is given the grid's limit as its budget, and nothing else. What each job then
really draws and does follows its own curve of the trial's cap sweep, which the park does not know: it plans by the mean
curve of all, and learns by its meter as the live park does (`control.learn`).
tests/unit/twin/test_phoenix.py holds a short form to the tolerances of `CLAIMS`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from phoenix_trial import (  # noqa: E402
    GPU_W_MAX,
    HAS_DATA,
    PUBLISHED,
    TIERS,
    Floats,
    Measured,
    Trial,
    best_work,
    by_flexibility,
    by_gpus,
    measured,
    their_kw,
    trials,
)
from tests.helpers.shared_data import TRACES  # noqa: E402

from eureka_park.compute.core import event as ev  # noqa: E402
from eureka_park.compute.core.job import Job, JobClass, JobSpec, JobState  # noqa: E402
from eureka_park.compute.core.state import ParkState  # noqa: E402
from eureka_park.control.learn import SETTLE_S, Lately, is_off  # noqa: E402
from eureka_park.control.policy import Policy, Sky  # noqa: E402
from eureka_park.control.supply import Interval, Step, Supply  # noqa: E402
from eureka_park.control.tick import policy_used, tick  # noqa: E402
from eureka_park.foundation.cap_curve import power_frac  # noqa: E402
from eureka_park.foundation.ids import JobId  # noqa: E402

GPUS_PER_NODE: Final = 8
TICK_S: Final = 2.0  # as the live park's
ACCOUNT_S: Final = 300.0
ASKED_FRAC: Final = 0.75
EVENT_H: Final = 3.0
BEFORE_S: Final = 1800.0
AFTER_S: Final = 1800.0
HOUR: Final = 3600.0


# The park under the same limit --------------------------------------------------------------------


@dataclass(slots=True)
class Ran:
    """What came of a replay: by tick the instant (s from the call), limit and power (kW); by job the work done in the
    event over that without a cap; what the park did.
    """

    at_s: list[float] = field(default_factory=list)
    limit_kw: list[float] = field(default_factory=list)
    kw: list[float] = field(default_factory=list)
    work: dict[str, float] = field(default_factory=dict)
    events: list[ev.Event] = field(default_factory=list)

    def of(self, from_s: float, until_s: float) -> Floats:
        """Power between two instants; kW."""
        at = np.array(self.at_s)
        return np.array(self.kw)[(at >= from_s) & (at < until_s)]


@dataclass(slots=True)
class Replay:
    """The live tick over the six jobs. `told_s`: how long before the call the plan knows of it."""

    jobs: Sequence[Trial]
    limit_kw: float
    event_s: float
    told_s: float = 0.0
    tick_s: float = TICK_S
    policy: Policy = field(default_factory=lambda: Policy(sky=Sky.BINDING, lead_s=120.0))
    state: ParkState = field(default_factory=ParkState)
    lately: dict[JobId, Lately] = field(default_factory=dict)
    changed_s: dict[JobId, float] = field(default_factory=dict)

    def run(self, before_s: float = BEFORE_S, after_s: float = AFTER_S) -> Ran:
        """Play it, from `before_s` before the call to `after_s` after its end."""
        ran, by_id = Ran(), {JobId(one.name): one for one in self.jobs}
        self._begin(-before_s)
        done = dict.fromkeys(by_id, 0.0)
        self.event_s = round(self.event_s / self.tick_s) * self.tick_s
        for step in range(1, round((before_s + self.event_s + after_s) / self.tick_s) + 1):
            now_s = step * self.tick_s - before_s
            self._truth(by_id, now_s)
            on = dict(self.state.on_node)  # what is decided now acts from the next tick on
            ran.at_s.append(now_s)
            ran.limit_kw.append(self._limit(now_s))
            ran.kw.append(sum(self._drawn(by_id[job_id], job) for job_id, job in on.items()))
            if 0.0 <= now_s < self.event_s:
                for job_id, job in on.items():
                    if job.state is JobState.RUNNING:
                        done[job_id] += by_id[job_id].curve.speed(job.cap_frac) * self.tick_s
            decision = tick(self.state, self._supply(now_s), self.policy, now_s)
            self.state.just_ended.clear()
            ran.events += decision.events
            for event in decision.events:
                if isinstance(event, ev.JobCapped | ev.JobStarting | ev.JobThawed | ev.JobFrozen):
                    self.changed_s[event.job_id] = now_s
        ran.work = {job_id: done_s / self.event_s for job_id, done_s in done.items()}
        return ran

    def _begin(self, at_s: float) -> None:
        n_nodes = sum(one.curve.n_gpus for one in self.jobs) // GPUS_PER_NODE
        rated_kw = GPUS_PER_NODE * GPU_W_MAX / 1000.0
        nodes = tuple(
            ev.Node(f"n{index}", "local", 64.0, 1 << 40, GPUS_PER_NODE, "a100", rated_kw, 0.0, GPU_W_MAX / 1000.0)
            for index in range(n_nodes)
        )
        self.state.apply(ev.NodesDeclared(at_s, nodes))
        self.state.apply(policy_used(self.policy, at_s))
        self.state.known_projects.add("trial")
        for one in self.jobs:
            is_service = one.name.startswith("infer")
            spec = JobSpec(
                "trial", one.name, ("true",), tier=TIERS[one.flexibility],
                job_class=JobClass.SERVICE if is_service else JobClass.BATCH, checkpoint=not is_service,
                n_gpus=GPUS_PER_NODE, n_cpus=64.0, memory_bytes=1 << 40, time_s=240.0 * HOUR,
                n_nodes=one.curve.n_gpus // GPUS_PER_NODE,
            )  # fmt: skip
            self.state.apply(ev.JobSubmitted(JobId(one.name), at_s, spec))

    def _limit(self, now_s: float) -> float:
        """Power that the grid leaves; beyond the event half as much again as the machines can draw."""
        most_kw = 1.5 * sum(one.curve.n_gpus for one in self.jobs) * GPU_W_MAX / 1000.0
        return self.limit_kw if 0.0 <= now_s < self.event_s else most_kw

    def _supply(self, now_s: float) -> Supply:
        """The budget as the plan tells it: this hour's, and the call once it is known."""
        edges = [now_s, now_s + 48.0 * HOUR]
        if now_s + self.told_s >= 0.0:
            edges += [at_s for at_s in (0.0, self.event_s) if at_s > now_s]
        edges.sort()
        return Supply(tuple(
            Interval(from_s, to_s, self._limit(from_s), self._limit(from_s), 0.0,
                     (Step(self._limit(from_s), 0.0, "grid"),))
            for from_s, to_s in pairwise(edges)
        ))  # fmt: skip

    def _truth(self, by_id: Mapping[JobId, Trial], now_s: float) -> None:
        """Engines and meters: what was decided has come about; what is drawn teaches the park."""
        for job_id, job in list(self.state.on_node.items()):
            if job.state is JobState.STARTING:
                self.state.apply(ev.JobStarted(job_id, now_s))
            elif job.state is JobState.PAUSING:
                self.state.apply(ev.JobPaused(job_id, now_s))
            elif job.state is JobState.RUNNING and now_s - self.changed_s.get(job_id, now_s) >= SETTLE_S:
                curve, lately = by_id[job_id].curve, self.lately.setdefault(job_id, Lately())
                rated_kw = curve.n_gpus * GPU_W_MAX / 1000.0 * power_frac(job.cap_frac, self.policy.cap_curve)
                lately.note(curve.kw(job.cap_frac) * self.tick_s, rated_kw * self.tick_s, self.tick_s)
                frac = lately.frac()
                if frac is not None and is_off(self.state.side.predicted_frac(job_id), frac):
                    self.state.apply(ev.JobMetered(job_id, now_s, frac))

    def _drawn(self, one: Trial, job: Job) -> float:
        return one.curve.kw(job.cap_frac) if job.state in (JobState.RUNNING, JobState.STARTING) else 0.0


# What is told of it -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Told:
    """A replay in figures. Work is by GPUs, over that without a cap; `best_frac`: the most that any caps could do by
    the sweep on the power that was drawn.
    """

    name: str
    limit_kw: float
    before_kw: float
    event_kw: float
    reached_s: float
    overrun_kwh: float
    back_s: float
    work: Mapping[str, float]
    work_frac: float
    best_frac: float
    n_paused: int


def told_of(name: str, replay: Replay, ran: Ran) -> Told:
    """The figures of a replay."""
    at, kw, limit = np.array(ran.at_s), np.array(ran.kw), np.array(ran.limit_kw)
    inside = (at >= 0.0) & (at < replay.event_s)
    above = inside & (kw > limit + 1e-9)
    before_kw, until_s = float(np.median(kw[at < -replay.told_s - 300.0])), replay.event_s
    full = (at >= until_s) & (kw >= 0.99 * before_kw)
    event_kw = float(kw[inside].mean())
    stopped = (ev.JobPausing, ev.JobFrozen)
    return Told(
        name, replay.limit_kw, before_kw, event_kw,
        reached_s=float(at[above][-1]) + replay.tick_s if above.any() else 0.0,
        overrun_kwh=overrun_kwh(kw[inside], limit[inside], replay.tick_s),
        back_s=float(at[full][0]) - until_s if full.any() else float("inf"),
        work=ran.work, work_frac=by_gpus(replay.jobs, ran.work), best_frac=best_work(replay.jobs, event_kw),
        n_paused=sum(isinstance(event, stopped) for event in ran.events),
    )  # fmt: skip


def overrun_kwh(kw: Floats, limit_kw: Floats, tick_s: float) -> float:
    """Energy above the limit in means of five minutes; kWh."""
    each = round(ACCOUNT_S / tick_s)
    n = len(kw) // each * each
    over = kw[:n].reshape(-1, each).mean(axis=1) - limit_kw[:n].reshape(-1, each).mean(axis=1)
    return float(np.maximum(0.0, over).sum()) * ACCOUNT_S / HOUR


def replays(tick_s: float = TICK_S, event_s: float = EVENT_H * HOUR) -> list[tuple[Told, Ran]]:
    """The replays of the page: the call of the trial, the same told before, and their own depth."""
    jobs, meter = trials(), measured()
    base_kw = sum(one.curve.kw(1.0) for one in jobs)
    asked_kw, deep_kw = ASKED_FRAC * base_kw, meter.plateau_kw / meter.base_kw * base_kw
    found = []
    for name, limit_kw, told_s in (("call", asked_kw, 0.0), ("told", asked_kw, 900.0), ("deep", deep_kw, 0.0)):
        replay = Replay(jobs, limit_kw, event_s, told_s, tick_s)
        ran = replay.run()
        found.append((told_of(name, replay, ran), ran))
    return found


# What a test holds it to: each claim and whether the figures of a replay meet it
CLAIMS: Final[tuple[tuple[str, Callable[[Told], bool]], ...]] = (
    ("no energy above the limit in five-minute means", lambda one: one.overrun_kwh <= 1e-9),
    ("below the limit within 30 s of the call", lambda one: one.reached_s <= 30.0),
    ("back at full power within a minute of its end", lambda one: one.back_s <= 60.0),
    ("not deeper below it than 6 % of all power", lambda one: one.limit_kw - one.event_kw <= 0.06 * one.before_kw),
    ("nobody paused", lambda one: one.n_paused == 0),
    ("work within 3 points of what caps could do at best", lambda one: one.work_frac >= one.best_frac - 0.03),
)  # fmt: skip


# The page -----------------------------------------------------------------------------------------

HEAD = """\
# A grid's call, replayed

Made by `docs/results/phoenix.py`; a test holds a short form to the claims below. In May 2025 a cluster of 256 GPUs in
Phoenix drew a quarter less for three hours when the grid asked (arXiv 2507.00909; data of ai-emerald, Apache-2.0). Here
the tick of the live park, every 2 s, has the same six jobs on 32 machines of 8 GPUs: Flex 1 as firm, Flex 2 as flex,
Flex 3 as green, training with checkpoints, inference as services. It is given the grid's limit as the only power there
is. It plans by the mean cap curve of all workloads; what a job then draws and does is read from its own curve of the
trial's cap sweep. A decision acts one tick later. Machines are their GPUs alone, as at the trial's meter.

![Power before, during and after the call](phoenix.svg)
"""
FOOT = """
"The most that caps could do" is the best choice of caps by their sweep for the power that was drawn, Flex 1 left alone.

## What does not compare

- When the grid called is not in the files. Theirs counts from the first minute of the way down to the first one below
  76 %; they came down on purpose over minutes.
- Their depth is what their meter saw; their work is what they report for each job. By their own sweep caps that leave
  such work need {their_kw:.1f} kW, not {plateau_kw:.1f}: part of their saving came otherwise (inference that had less
  to do, most likely). So their work can be above what caps could do at best on their power, and is.
- Their own weighted figure is {published:.2f}; how it is weighted is not said. By GPUs it is {by_gpus:.3f}.
- Flex 2 loses more here than there. The park shares a shortage by whole jobs in the order of its ladder: green by one
  step, flex by one step, then green by the next; it has two steps, where the trial chose a cap for each job.
"""


def _their_row(jobs: Sequence[Trial], meter: Measured) -> str:
    performance = {one.name: one.performance for one in jobs}
    tiers = " | ".join(f"{value:.3f}" for value in by_flexibility(jobs, performance).values())
    frac, seconds = meter.plateau_kw / meter.base_kw, 60 * (meter.down_min - meter.from_min)
    return (
        f"| the trial | 75 % | {100 * frac:.1f} % | {seconds:.0f} s | {by_gpus(jobs, performance):.3f} | | {tiers} | |"
    )


def _row(jobs: Sequence[Trial], name: str, one: Told) -> str:
    tiers = " | ".join(f"{value:.3f}" for value in by_flexibility(jobs, one.work).values())
    limit, depth = 100 * one.limit_kw / one.before_kw, 100 * one.event_kw / one.before_kw
    after = "before" if one.reached_s <= 0.0 else f"{one.reached_s:.0f} s"
    cells = f"{limit:.1f} % | {depth:.1f} % | {after} | {one.work_frac:.3f} | {one.best_frac:.3f} | {tiers}"
    return f"| {name} | {cells} | {one.overrun_kwh:.2f} kWh |"


NAMES: Final = {
    "call": "the park, called",
    "told": "the park, told a quarter of an hour before",
    "deep": "the park, called to the trial's depth",
}


def page(found: Sequence[tuple[Told, Ran]]) -> str:
    """The text of phoenix.md."""
    jobs, meter = trials(), measured()
    head = ("", "limit", "power in the event", "down after", "work, by GPUs", "the most that caps could do",
            "Flex 1", "Flex 2", "Flex 3", "above the limit")  # fmt: skip
    rows = [f"| {' | '.join(head)} |", "| --- " * len(head) + "|", _their_row(jobs, meter)]
    rows += [_row(jobs, NAMES[one.name], one) for one, _ran in found]
    each = ["| job | class | GPUs | the trial | " + " | ".join(NAMES[one.name] for one, _ in found) + " |"]
    each.append("| --- " * (4 + len(found)) + "|")
    for job in jobs:
        work = " | ".join(f"{one.work[job.name]:.3f}" for one, _ in found)
        each.append(f"| {job.name} | {job.flexibility} | {job.curve.n_gpus} | {job.performance:.3f} | {work} |")
    claims = ["| claim | " + " | ".join(NAMES[one.name] for one, _ in found) + " |", "| --- " * (1 + len(found)) + "|"]
    for text, is_met in CLAIMS:
        claims.append(f"| {text} | " + " | ".join("yes" if is_met(one) else "no" for one, _ in found) + " |")
    performance = {one.name: one.performance for one in jobs}
    foot = FOOT.format(
        their_kw=their_kw(jobs), plateau_kw=meter.plateau_kw, published=PUBLISHED, by_gpus=by_gpus(jobs, performance)
    )
    base_kw = found[0][0].before_kw
    power = f"\nFull power is {base_kw:.1f} kW by the sweep, {meter.base_kw:.1f} kW at the trial's meter.\n"
    parts = [HEAD, "\n".join(rows), power + foot, "## By job\n", "\n".join(each), "\n## Claims\n", "\n".join(claims)]
    return "\n".join(parts) + "\n"


WIDE, HIGH, LEFT, TOP, RIGHT, LOW = 760, 300, 52, 16, 12, 40
FROM_MIN, TO_MIN, LEAST, MOST = -25.0, 220.0, 55.0, 105.0
COLOURS: Final = {"trial": "#8a6d3b", "call": "#1b6e5a", "deep": "#4a5fa5"}


def _at(minute: float, percent: float) -> str:
    x = LEFT + (minute - FROM_MIN) / (TO_MIN - FROM_MIN) * (WIDE - LEFT - RIGHT)
    y = TOP + (MOST - percent) / (MOST - LEAST) * (HIGH - TOP - LOW)
    return f"{x:.1f},{y:.1f}"


def _line(colour: str, minutes: Sequence[float], percents: Sequence[float], dashes: str = "") -> str:
    points = " ".join(
        _at(minute, min(MOST, max(LEAST, percent)))
        for minute, percent in zip(minutes, percents, strict=True)
        if FROM_MIN <= minute <= TO_MIN
    )
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline fill="none" stroke="{colour}" stroke-width="1.6"{dash} points="{points}"/>'


def _by_minute(ran: Ran, base_kw: float) -> tuple[list[float], list[float]]:
    """Means of minutes, % of full power."""
    minutes = np.floor(np.array(ran.at_s) / 60.0).astype(int)
    first = minutes[0]
    sums = np.bincount(minutes - first, np.array(ran.kw)) / np.bincount(minutes - first)
    return [float(at + first) for at in range(len(sums))], (100.0 * sums / base_kw).tolist()


def picture(found: Sequence[tuple[Told, Ran]]) -> str:
    """The text of phoenix.svg."""
    meter, rows = measured(), []
    for percent in range(60, 101, 10):
        x, y = _at(FROM_MIN, percent).split(",")
        rows.append(f'<line x1="{x}" x2="{WIDE - RIGHT}" y1="{y}" y2="{y}" stroke="#ddd"/>')
        rows.append(f'<text x="{LEFT - 6}" y="{float(y) + 4:.1f}" text-anchor="end">{percent} %</text>')
    for minute in range(0, int(TO_MIN), 60):
        x, y = _at(minute, LEAST).split(",")
        rows.append(f'<text x="{x}" y="{float(y) + 16:.1f}" text-anchor="middle">{minute} min</text>')
    rows.append(_line("#b00020", [0.0, 0.0, 180.0, 180.0], [100.0, 75.0, 75.0, 100.0], "5 4"))
    theirs = (np.arange(len(meter.kw)) - meter.from_min).astype(float).tolist()
    rows.append(_line(COLOURS["trial"], theirs, (100.0 * meter.kw / meter.base_kw).tolist()))
    names = [(COLOURS["trial"], "the trial's meter"), ("#b00020", "asked")]
    for one, ran in found:
        if one.name in COLOURS:
            rows.append(_line(COLOURS[one.name], *_by_minute(ran, one.before_kw)))
            names.append((COLOURS[one.name], NAMES[one.name]))
    for place, (colour, text) in enumerate(names):
        rows.append(f'<text x="{LEFT + 4 + 150 * place}" y="{HIGH - 6}" fill="{colour}">{text}</text>')
    label = "Power in percent of full power by minutes from the call: the trial and the park"
    size = f'viewBox="0 0 {WIDE} {HIGH}" font-family="sans-serif" font-size="11" role="img" aria-label="{label}"'
    back = f'<rect width="{WIDE}" height="{HIGH}" fill="#fff"/>'
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size}>', back, *rows, "</svg>"]) + "\n"


if __name__ == "__main__":
    if not HAS_DATA:
        sys.exit(f"The trial's files are not in {TRACES}: name their folder in PARK_TEST_DATA.")
    answers = replays()
    (HERE / "phoenix.md").write_text(page(answers), "utf-8")
    (HERE / "phoenix.svg").write_text(picture(answers), "utf-8")
