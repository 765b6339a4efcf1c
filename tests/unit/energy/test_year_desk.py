"""The desk of exact years: one at a time, the newest waits, answers kept, failures told; nothing left running."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

from eureka_park.energy.what_if_tasks import what_if
from eureka_park.energy.year_desk import KEPT, KINDS, Question, Status, YearDesk, hours_of, requests_of
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_reading import load_site

PARK = load_site("eureka-park")
SCENARIOS = ("all-plants", "noor-iii-out")


def year(share: float = 0.9) -> dict[str, Any]:
    """An answer as a child gives it, with flat hours."""
    hours = {name: [value] * 8760 for name, value in
             (("load_mw", 100.0), ("koudia_mw", 60.0), ("noor-i_salt_mw", 30.0), ("grid_mw", 10.0), ("import_mw", 10.0),
              ("export_mw", 5.0), ("curtailed_mw", 0.0), ("unserved_mw", 0.0), ("gco2_per_kwh", 60.0))}  # fmt: skip
    result = {
        "load_gwh": 876.0, "cfe_frac": share, "import_gwh": 87.6, "export_gwh": 43.8, "curtailed_gwh": 0.0,
        "hours_fully_clean_frac": 0.0, "gco2_per_kwh": 60.0, "mad_per_kwh": 0.9, "import_peak_mw": 10.0,
    }  # fmt: skip
    return {"result": result, "additions": [], "hourly": {**hours, "time_utc": [""] * 8760}}


class Gate:
    """An `ask` that waits to be let through."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.open = threading.Event()

    def __call__(
        self, requests: Sequence[Mapping[str, Any]], _n: int | None, progress: Callable[[int, int], None] | None
    ) -> list[Any]:
        self.asked.append(requests[0]["wish"]["load_mw"])
        while not self.open.wait(0.005):
            assert progress is not None
            progress(1, len(requests))
        return [year(0.9 - 0.01 * index) for index in range(len(requests))]


def settled(desk: YearDesk, question: Question) -> Status:
    for _ in range(2000):
        status = desk.status(question.question_id)
        assert status is not None
        if status.state in ("done", "failed", "dropped"):
            return status
        time.sleep(0.005)
    raise AssertionError("the desk does not come to an end")


def asked(load_mw: float) -> Question:
    return Question("all-plants", load_mw)


def test_one_is_computed_and_the_newest_waits() -> None:
    gate = Gate()
    desk = YearDesk(PARK, gate)
    first, second, third = (asked(mw) for mw in (100.0, 110.0, 120.0))
    assert desk.ask(first).state in ("waiting", "running")
    while not gate.asked:
        time.sleep(0.002)
    assert desk.ask(second).state == "waiting" and desk.ask(third).state == "waiting"
    dropped, running = desk.status(second.question_id), desk.status(first.question_id)
    assert dropped is not None and dropped.state == "dropped"
    assert running is not None and running.state == "running" and running.left_s > 0
    gate.open.set()
    answer = settled(desk, first).answer
    assert settled(desk, third).state == "done" and gate.asked == [100.0, 120.0]
    assert answer is not None and answer.figures["cfe_frac"] == pytest.approx(0.9) and answer.n_years == 3
    assert answer.low["cfe_frac"] == pytest.approx(0.88) and answer.high["cfe_frac"] == pytest.approx(0.9)


def test_what_is_known_is_not_computed_again_and_the_oldest_goes() -> None:
    gate = Gate()
    gate.open.set()
    desk = YearDesk(PARK, gate)
    for mw in range(100, 100 + KEPT + 2):
        desk.ask(asked(float(mw)))
        settled(desk, asked(float(mw)))
    assert desk.ask(asked(107.0)).state == "done" and len(gate.asked) == KEPT + 2
    assert desk.status(asked(100.0).question_id) is None and desk.status("nobody asked") is None


def test_a_failure_is_told_and_may_be_tried_again() -> None:
    calls = []

    def failing(requests: Sequence[Mapping[str, Any]], _n: int | None, _progress: Any) -> list[Any]:
        calls.append(1)
        if len(calls) == 1:
            raise BadInput("The tie is too small.", fix="Widen it.")
        raise ZeroDivisionError

    desk = YearDesk(PARK, failing)
    desk.ask(asked(100.0))
    told = settled(desk, asked(100.0))
    assert (told.state, told.error, told.fix) == ("failed", "The tie is too small.", "Widen it.")
    desk.ask(asked(100.0))
    while len(calls) < 2:
        time.sleep(0.002)
    assert "ZeroDivisionError" in settled(desk, asked(100.0)).error


def test_a_computation_that_never_ends_is_ended() -> None:
    now = [0.0]
    gate = Gate()
    desk = YearDesk(PARK, gate, clock=lambda: now[0])
    desk.ask(asked(100.0))
    while not gate.asked:
        time.sleep(0.002)
    now[0] = 1000.0
    assert "too long" in settled(desk, asked(100.0)).error


def test_closing_ends_what_runs() -> None:
    gate = Gate()
    desk = YearDesk(PARK, gate)
    desk.ask(asked(100.0))
    while not gate.asked:
        time.sleep(0.002)
    desk.close()
    assert settled(desk, asked(100.0)).state == "failed"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"load_mw": 0.0}, "load_mw"), ({"load_mw": 1e4}, "load_mw"), ({"load_mw": float("nan")}, "load_mw"),
        ({"flex_frac": 0.9}, "flex_frac"), ({"wind_mw": -1.0}, "wind_mw"), ({"scenario": "rain"}, "rain"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(change: dict[str, Any], words: str) -> None:
    question = Question(**{"scenario": "all-plants", "load_mw": 100.0, **change})
    with pytest.raises(BadInput, match=words):
        YearDesk(PARK, Gate()).checked(question, SCENARIOS)


def test_a_question_is_known_by_what_it_asks() -> None:
    desk = YearDesk(PARK, Gate())
    near = desk.checked(Question("all-plants", 100.0 + 1e-9), SCENARIOS)
    assert near.question_id == asked(100.0).question_id != asked(101.0).question_id


def test_hours_are_told_by_kind_and_add_up_to_the_load() -> None:
    """With a real year: what is new, through salt and through a battery, belongs to a kind."""
    question = Question("all-plants", 300.0, 0.2, 100.0, 100.0, 50.0)
    answer = what_if(requests_of(PARK, question)[0])
    hours = hours_of(PARK, answer["hourly"], 1)
    assert set(hours.by_kind_mw) == set(KINDS) and all(sum(series) > 0 for series in hours.by_kind_mw.values())
    for hour in range(0, 8760, 97):
        assert sum(series[hour] for series in hours.by_kind_mw.values()) == pytest.approx(hours.load_mw[hour], abs=0.01)
    share = sum(share * load for share, load in zip(hours.clean_fracs(), hours.load_mw, strict=True)) / sum(
        hours.load_mw
    )
    assert share == pytest.approx(answer["result"]["cfe_frac"], abs=1e-4)
