"""Exact years for the pages: one is computed at a time, in a process of its own; the last few answers are kept.

A question waits while another is computed; a newer one takes its place in the queue of one, since people move sliders
faster than years are solved. Nothing here costs the park's own process more than adding up hours.
"""

from __future__ import annotations

import contextlib
import threading
import time
from array import array
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal

from eureka_park.energy.core.lattice import figures_of, quantities_of
from eureka_park.energy.crew import Progress, run_all
from eureka_park.foundation.canonical import content_id
from eureka_park.foundation.errors import BadInput, ParkError, Unavailable
from eureka_park.foundation.site_file import GRID_SOURCE_ID, Site, site_to_json

SEEDS: Final = (1, 2, 3)  # the first is the one that the lattice was made with
KEPT: Final = 6
DIGITS: Final = 6
LONGEST_S: Final = 180.0
USUAL_S: Final = 4.0  # of one year, before any was timed
FLEX_MOST_FRAC: Final = 0.5
NEW_MOST_MW: Final = 2000.0
LOAD_LEAST_FRAC: Final = 0.01  # of the site
KINDS: Final = ("wind", "pv", "csp", "salt", "battery", "grid")

State = Literal["waiting", "running", "done", "failed", "dropped"]
RunAll = Callable[[Sequence[Mapping[str, Any]], int | None, Progress | None], list[Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """A scenario, a constant load at the full site's scale, its flexible share, and new supply; MW."""

    scenario: str
    load_mw: float
    flex_frac: float = 0.0
    wind_mw: float = 0.0
    pv_mw: float = 0.0
    battery_mw: float = 0.0

    @property
    def question_id(self) -> str:
        """The same for the same question."""
        return content_id(asdict(self))[:20]

    @property
    def rounded(self) -> Question:
        """The question as sliders, addresses and programs all say it."""
        return Question(self.scenario, *(round(value, DIGITS) + 0.0 for value in self.wish.values()))

    @property
    def wish(self) -> dict[str, float]:
        """The question without its scenario."""
        return {name: value for name, value in asdict(self).items() if name != "scenario"}


@dataclass(frozen=True, slots=True)
class Hours:
    """A year hour by hour (UTC, from 1 January): what served the load by kind of source, and the load; MW."""

    seed: int
    load_mw: array[float]
    by_kind_mw: Mapping[str, array[float]]
    export_mw: array[float]

    def clean_fracs(self) -> list[float]:
        """Share of the load that is not from the grid, hour by hour."""
        grid = self.by_kind_mw["grid"]
        return [
            1.0 if load <= 0 else min(1.0, max(0.0, 1.0 - bought / load))
            for load, bought in zip(self.load_mw, grid, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Answer:
    """The exact years of a question: figures of the first, lowest and highest over all, its hours, what is new."""

    question: Question
    figures: Mapping[str, float]
    low: Mapping[str, float]
    high: Mapping[str, float]
    n_years: int
    additions: tuple[Mapping[str, Any], ...]
    hours: Hours


@dataclass(frozen=True, slots=True)
class Status:
    """Where a question stands. `done` of `of` years; `left_s` is a guess from the years before."""

    question: Question
    state: State
    done: int = 0
    of: int = len(SEEDS)
    left_s: float = 0.0
    error: str = ""
    fix: str = ""
    answer: Answer | None = field(default=None, repr=False)


class YearDesk:
    """Asks for exact years on behalf of the pages of one park."""

    def __init__(self, site: Site, ask: RunAll = run_all, clock: Callable[[], float] = time.monotonic) -> None:
        self._site, self._ask, self._clock = site, ask, clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Status] = OrderedDict()
        self._running: str | None = None
        self._waiting: str | None = None
        self._usual_s = USUAL_S
        self._begun_s = 0.0
        self._is_closed = False

    def checked(self, question: Question, scenarios: Sequence[str]) -> Question:
        """The question, rounded. Raises BadInput for what this site cannot be asked."""
        most = self._site.site_mw_max
        limits = {
            "load_mw": (LOAD_LEAST_FRAC * most, most), "flex_frac": (0.0, FLEX_MOST_FRAC),
            "wind_mw": (0.0, NEW_MOST_MW), "pv_mw": (0.0, NEW_MOST_MW), "battery_mw": (0.0, NEW_MOST_MW),
        }  # fmt: skip
        if question.scenario not in scenarios:
            raise BadInput(
                f"There is no scenario '{question.scenario[:60]}'.", fix=f"Scenarios: {', '.join(scenarios)}.",
                field="scenario",
            )  # fmt: skip
        for name, (low, high) in limits.items():
            value = getattr(question, name)
            if not low <= value <= high:
                raise BadInput(f"{name} = {value:g} is outside {low:g} to {high:g}.", fix="Stay inside.", field=name)
        return question.rounded

    def ask(self, question: Question) -> Status:
        """Have a question computed, unless it is known, running or waiting. A failed one is tried again."""
        name = question.question_id
        with self._lock:
            known = self._known.get(name)
            if known is not None and known.state in ("done", "running", "waiting"):
                return self._told(known)
            self._keep(name, Status(question, "waiting"))
            if self._waiting is not None:
                self._keep(self._waiting, replace(self._known[self._waiting], state="dropped"))
            self._waiting = name
            if self._running is None:
                self._running = ""
                threading.Thread(target=self._work, name="exact years", daemon=True).start()
            return self._told(self._known[name])

    def status(self, question_id: str) -> Status | None:
        """Where a question stands; None for one that nobody asked, or whose answer is no longer kept."""
        with self._lock:
            known = self._known.get(question_id)
            if known is None:
                return None
            self._known.move_to_end(question_id)
            return self._told(known)

    def close(self) -> None:
        """Let a running computation end at once; its question fails."""
        self._is_closed = True

    def _told(self, status: Status) -> Status:
        if status.state not in ("running", "waiting"):
            return status
        gone_s = self._clock() - self._begun_s
        each_s = max(self._usual_s, gone_s / status.done) if status.done else self._usual_s
        left = max(1.0, each_s * status.of - gone_s)
        return replace(status, left_s=left if status.state == "running" else left + self._usual_s * status.of)

    def _keep(self, name: str, status: Status) -> None:
        self._known[name] = status
        self._known.move_to_end(name)
        kept = (self._running, self._waiting, name)
        while len(self._known) > KEPT:
            oldest = next((key for key in self._known if key not in kept), None)
            if oldest is None:
                return
            del self._known[oldest]

    def _work(self) -> None:
        """Compute what waits until nothing does; then the thread ends."""
        while True:
            with self._lock:
                name, self._waiting = self._waiting, None
                self._running = name
                if name is None or self._is_closed:
                    return
                self._begun_s = self._clock()
                question = self._known[name].question
                self._keep(name, Status(question, "running"))
            status = self._computed(name, question)
            with self._lock:
                self._keep(name, status)

    def _computed(self, name: str, question: Question) -> Status:
        try:
            begun_s = self._clock()
            answers = self._ask(requests_of(self._site, question), 1, lambda done, of: self._progress(name, done, of))
            self._usual_s = max(0.2, (self._clock() - begun_s) / len(answers))
            answer = answer_of(self._site, question, answers)
            return Status(question, "done", len(answers), len(answers), answer=answer)
        except ParkError as error:
            return Status(question, "failed", error=error.message, fix=error.fix)
        except Exception as error:  # a defect must not end the desk; it is told as one
            told = f"The computation failed ({type(error).__name__})."
            return Status(question, "failed", error=told, fix="Look at the park's log.")

    def _progress(self, name: str, done: int, of: int) -> None:
        if self._is_closed or self._clock() - self._begun_s > LONGEST_S:
            raise Unavailable("The computation took too long.", fix="Ask again when the machine is less busy.")
        with self._lock, contextlib.suppress(KeyError):
            if done != self._known[name].done:
                self._known[name] = replace(self._known[name], done=done, of=of)


def requests_of(site: Site, question: Question) -> list[dict[str, Any]]:
    """One request for each year of weather; the first tells its hours."""
    told = site_to_json(site)
    return [
        {
            "task": "what-if", "site": told, "seed": seed, "scenario": question.scenario, "without": [],
            "wish": question.wish, "hourly": seed == SEEDS[0],
        }
        for seed in SEEDS
    ]  # fmt: skip


def answer_of(site: Site, question: Question, answers: Sequence[Mapping[str, Any]]) -> Answer:
    """What the years say together."""
    years = [figures_of(quantities_of(answer["result"]), question.load_mw) for answer in answers]
    names = years[0]
    return Answer(
        question,
        years[0],
        {name: min(year[name] for year in years) for name in names},
        {name: max(year[name] for year in years) for name in names},
        len(years),
        tuple(answers[0]["additions"]),
        hours_of(site, answers[0]["hourly"], SEEDS[0]),
    )


def hours_of(site: Site, hourly: Mapping[str, Sequence[float]], seed: int) -> Hours:
    """The hourly table of a year (`core.hourly`) by kind of source."""
    kinds = {plant.id: "csp" if plant.type.startswith("csp") else plant.type for plant in site.plants}
    sums = {kind: [0.0] * len(hourly["load_mw"]) for kind in KINDS}
    for column, series in hourly.items():
        kind = _kind_of(column, kinds)
        if kind is not None:
            sums[kind] = [total + mw for total, mw in zip(sums[kind], series, strict=True)]
    return Hours(
        seed,
        array("f", hourly["load_mw"]),
        {kind: array("f", series) for kind, series in sums.items()},
        array("f", hourly["export_mw"]),
    )


def _kind_of(column: str, kinds: Mapping[str, str]) -> str | None:
    """The kind that a column of the hourly table belongs to; None for one that serves no load."""
    if not column.endswith("_mw"):
        return None
    name = column.removesuffix("_mw")
    if name == GRID_SOURCE_ID or name == "unserved":
        return "grid"
    for ending, kind in (("_salt", "salt"), ("_battery", "battery")):
        if name.endswith(ending) and _plant_kind(name.removesuffix(ending), kinds):
            return kind
    return _plant_kind(name, kinds)


def _plant_kind(name: str, kinds: Mapping[str, str]) -> str | None:
    new = {"new-wind": "wind", "new-pv": "pv"}
    return kinds.get(name) or next((kind for start, kind in new.items() if name.startswith(start)), None)
