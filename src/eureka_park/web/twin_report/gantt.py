"""Which of a run's sampled jobs are shown over which of its hours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from eureka_park.twin.run_record import RunRecord
from eureka_park.web.charts.sample_gantt import Job, Scene, sample_gantt
from eureka_park.web.pages.words import Words, isolated
from eureka_park.web.twin_report.hours import Power
from eureka_park.web.twin_report.measures import TIERS
from eureka_park.web.twin_report.pictures import TIER_TITLES, both

HOURS_MAX: Final = 96
PER_TIER: Final = 12
_NAMED: Final = ("submit_s", "first_start_s", "end_s", "deadline_s", "n_pauses", "n_gpus", "run_s")


def gantt_of(record: RunRecord, power: Power, words: Words) -> dict[str, Any] | None:
    """The picture; none without a sample. Of a long run four days are shown, around its least clean one."""
    if not record.n_sampled or not set(_NAMED) | {"tier", "leaf"} <= set(record.sample):
        return None
    first = window(power)
    hours = slice(first, min(power.n, first + HOURS_MAX))
    begin_s = float(power.hour_s[hours.start])
    end_s = float(power.hour_s[hours.stop - 1]) + 3600.0
    tiers = []
    for tier in TIERS:
        rows = chosen(record, tier, begin_s - float(power.hour_s[0]), end_s - float(power.hour_s[0]))
        jobs = [_job(record, row, float(power.hour_s[0]), words) for row in rows]
        if jobs:
            tiers.append((tier, words.say(TIER_TITLES[tier]), jobs))
    if not tiers:
        return None
    scene = Scene(begin_s, end_s, tiers, power.shares[hours].tolist(), words.say("clean share of the hour"))
    label = words.say("Some jobs of the run: waiting, running, deadlines")
    return {
        "picture": both(lambda is_narrow: sample_gantt(scene, words, label, is_narrow=is_narrow)),
        "n_shown": words.number(sum(len(jobs) for _, _, jobs in tiers)),
        "n_sampled": words.number(record.n_sampled),
        "from": words.when(begin_s),
        "to": words.when(end_s),
        "is_part": power.n > HOURS_MAX,
        "heads": [words.say("Job"), words.say("Sent"), words.say("Waited"), words.say("Held"), words.say("Pauses")],
        "rows": [_row(job, words) for _, _, jobs in tiers for job in jobs],
    }


def window(power: Power) -> int:
    """The first hour that is shown: a day before the run's least clean day."""
    if power.n <= HOURS_MAX:
        return 0
    worst = min(range(0, power.n - 23, 24), key=lambda hour: power.share(slice(hour, hour + 24)))
    return int(max(0, min(worst - 24, power.n - HOURS_MAX)))


def chosen(record: RunRecord, tier: str, from_s: float, to_s: float) -> list[int]:
    """Sampled jobs of a tier that came in a stretch: half of them those that were there longest, half taken evenly."""
    submit = np.asarray(record.sample["submit_s"], dtype=np.float64)
    end = np.nan_to_num(np.asarray(record.sample["end_s"], dtype=np.float64), nan=np.inf)
    is_tier = np.array([one == tier for one in record.sample["tier"]])
    there = np.flatnonzero(is_tier & (submit >= from_s) & (submit < to_s))
    longest = there[np.argsort(-(np.minimum(end, to_s) - submit)[there], kind="stable")][: PER_TIER // 2]
    others = np.setdiff1d(there, longest)
    even = (
        others[np.unique(np.linspace(0, len(others) - 1, PER_TIER - len(longest)).astype(int))] if len(others) else []
    )
    return sorted({*longest.tolist(), *(int(one) for one in even)})


def _job(record: RunRecord, row: int, start_s: float, words: Words) -> Job:
    values = {name: float(record.sample[name][row]) for name in _NAMED}
    at = {name: start_s + values[name] if np.isfinite(values[name]) else None
          for name in ("submit_s", "first_start_s", "end_s", "deadline_s")}  # fmt: skip
    leaf = str(record.sample["leaf"][row]).rpartition("/")[2]
    name = words.say("{leaf} · {n} GPU", leaf=isolated(leaf), n=words.number(values["n_gpus"]))
    told = words.joined((name, words.say("sent {when}", when=words.when(at["submit_s"])),
                         words.say("began {when}", when=words.when(at["first_start_s"]) or "–"),
                         words.say("ended {when}", when=words.when(at["end_s"]) or "–")))  # fmt: skip
    n_pauses = int(np.nan_to_num(values["n_pauses"]))
    return Job(name, told, at["submit_s"] or 0.0, at["first_start_s"], at["end_s"], at["deadline_s"], n_pauses)


def _row(job: Job, words: Words) -> Sequence[str]:
    waited = None if job.start_s is None else job.start_s - job.submit_s
    held = None if job.start_s is None or job.end_s is None else job.end_s - job.start_s
    return [
        job.name,
        words.when(job.submit_s),
        words.duration(waited),
        words.duration(held),
        words.number(job.n_pauses),
    ]
