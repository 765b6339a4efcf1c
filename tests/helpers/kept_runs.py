"""Runs of the twin without playing any: records of days and nights, and desks whose children write them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from eureka_park.twin.run_desk import Child
from eureka_park.twin.run_files import write_run
from eureka_park.twin.run_question import Question
from eureka_park.twin.run_record import RunRecord

FIGURES = {
    "cfe_frac": 0.8, "cfe_bound_frac": 0.93, "jobs": 1234, "jobs_finished": 1200, "gpu_h_finished_frac": 0.99,
    "firm_disturbed": 0, "n_pauses": 17, "utilisation_frac": 0.71, "bought_mwh": 12.0, "curtailed_mwh": 3.0,
    "gco2_per_kwh": 101.4, "jain_index": 0.94, "factor": 1 / 128, "per_it": 1.0975, "fixed_kw": 137.0,
    "wait_s": {tier: {"mean": 60.0, "p50": 30.0, "p95": 3600.0, "p99": 7200.0} for tier in ("firm", "flex", "green")},
    "deadline_hit_frac": {"firm": 1.0, "flex": 0.98, "green": 1.0},
}  # fmt: skip


def record_of(question: Question, days: float | None = None, **figures: Any) -> RunRecord:
    """A run: sun by day, salt in the evening, wind always, the rest bought; IT kWh of the model."""
    days = float(question.days) if days is None else days
    n = max(1, round(24 * min(days, float(question.days))))
    hour = np.arange(n) % 24
    sun, evening = np.where((hour >= 7) & (hour < 18), 1.0, 0.0), np.where((hour >= 18) & (hour < 23), 1.0, 0.0)
    load = 900.0 + 100.0 * np.sin(hour / 24.0 * 2 * np.pi)
    wind, pv, csp = np.full(n, 200.0), 300.0 * sun, 700.0 * sun
    salt = 600.0 * evening + csp
    clean = wind + pv + salt
    hours = {
        "hour_s": question.start_s + 3600.0 * np.arange(n), "load_kwh": load, "clean_kwh": clean,
        "direct_kwh": wind + pv, "salt_kwh": salt, "bought_kwh": np.maximum(0.0, load - clean),
        "planned_clean_kwh": clean * 1.1, "waiting_jobs": 10.0 * evening, "running_jobs": np.full(n, 80.0),
        "wind_kwh": wind, "pv_kwh": pv, "csp_kwh": csp,
    }  # fmt: skip
    told = {**FIGURES, "days": float(question.days), "days_played": days, "is_whole": days >= question.days, **figures}
    asked = {name: value for name, value in question.to_json().items() if name != "policy"}
    return RunRecord(told, hours, {}, {"question": asked, "policy": question.policy})


class Scripted(Child):
    """A child that waits at its gate and then does what a test tells it."""

    def __init__(self, request: Mapping[str, Any], *, is_open: bool = False) -> None:
        self.request, self.question = request, Question.from_json(dict(request["question"]))
        self.gate, self.is_stopped, self.is_killed = threading.Event(), False, False
        self.answer: dict[str, Any] = {}
        self.exit_status = 0
        if is_open:
            self.gate.set()

    def events(self, hear: Callable[[Mapping[str, Any]], None]) -> int:
        """Play half of the days, wait, and write the run."""
        for event in ({"part": "sky"}, {"part": "play"}, {"frac": 0.5}):
            hear(event)
        assert self.gate.wait(20)
        if self.is_killed:
            return -9
        if self.answer or self.exit_status:
            hear(self.answer)
            return self.exit_status
        days = self.question.days / 2 if self.is_stopped else float(self.question.days)
        write_run(Path(self.request["folder"]), record_of(self.question, days))
        hear({"done": True})
        return 0

    def stop(self) -> None:
        """End with half of the days."""
        self.is_stopped = True
        self.gate.set()

    def kill(self) -> None:
        """End without an answer."""
        self.is_killed = True
        self.gate.set()
