"""The jobs of a watched day: submitted at their park time, each once, whatever is stopped and started meanwhile."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final

from eureka_park.accounts.service import Principal
from eureka_park.compute.service import ComputeService
from eureka_park.data.core.snapshot import SnapshotFile
from eureka_park.data.service import DataService
from eureka_park.energy.core.daylight import daylight
from eureka_park.foundation.clock import Pace
from eureka_park.foundation.errors import BadInput, ParkError
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.units import DAY_S, HOUR_S, parse_duration_s

MEMORY: Final = "128MiB"
TIME_MARGIN_FRAC: Final = 0.3  # declared run time beyond the work, for a job that was paused and started anew
START_REAL_S: Final = 15.0  # and real seconds for starting, which no pace makes shorter
CPUS_MIN: Final = 0.05
RETRY_S: Final = 10.0  # real seconds after a submission that could not be written
AFTER_DAWN_S: Final = 3.0 * HOUR_S  # the story ends when the new day has begun its work
_AT: Final = re.compile(r"(start|sunrise|noon|sunset|dawn)(?:([+-])([0-9hms.]+))?")

_log = logging.getLogger("eureka_park.live")


@dataclass(frozen=True, slots=True)
class Entry:
    """One job of the story: when it is submitted, what it declares, and a caption for people."""

    key: str
    name: str
    at: str
    script: str
    tier: str
    share: float
    run_s: float
    job_class: str = "batch"
    checkpoint: bool = False
    by: str = ""
    array: int = 1
    after: str = ""
    caption: str = ""

    def request(self, n_cpus: float, pace: float, after_id: str | None) -> dict[str, Any]:
        """Its declaration on a machine with `n_cpus`, at a pace: the work in real seconds, the time in park seconds."""
        return {
            "name": self.name,
            "script": self.script,
            "args": [self.name, f"{self.run_s / pace:.1f}"],
            "tier": self.tier,
            "class": self.job_class,
            "cpus": max(CPUS_MIN, round(self.share * n_cpus, 2)),
            "memory": MEMORY,
            "time": self.run_s * (1.0 + TIME_MARGIN_FRAC) + START_REAL_S * pace,
            "checkpoint": self.checkpoint,
            **({"by": self.by} if self.by else {}),
            **({"array": self.array} if self.array > 1 else {}),
            **({"after": [after_id]} if after_id else {}),
        }


@dataclass(frozen=True, slots=True)
class StoryTimes:
    """The instants that a story hangs on; park time."""

    start_s: float
    sunrise_s: float
    noon_s: float
    sunset_s: float
    dawn_s: float

    @classmethod
    def of(cls, start_s: float, latitude_deg: float, longitude_deg: float) -> StoryTimes:
        """Those of the day that is light at the start or after it."""
        day = daylight(start_s, latitude_deg, longitude_deg)
        if start_s >= day.sunset_s:
            day = daylight(day.noon_s + DAY_S, latitude_deg, longitude_deg)
        dawn_s = daylight(day.noon_s + DAY_S, latitude_deg, longitude_deg).sunrise_s
        return cls(start_s, day.sunrise_s, day.noon_s, day.sunset_s, dawn_s)

    @property
    def end_s(self) -> float:
        """When the story is over."""
        return self.dawn_s + AFTER_DAWN_S

    def at_s(self, text: str) -> float:
        """The instant of `sunset-1h` and its like. Raises BadInput."""
        match = _AT.fullmatch(text)
        if match is None:
            raise BadInput(f"'{text}' is no time of a story.", fix="Write start, sunrise+30m, noon, sunset-1h, dawn.")
        anchor_s: float = getattr(self, f"{match[1]}_s")
        shift_s = parse_duration_s(match[3]) if match[3] else 0.0
        return anchor_s - shift_s if match[2] == "-" else anchor_s + shift_s


def story_entries(name: str) -> tuple[Entry, ...]:
    """The jobs of a story file of the package (`story` or `day`)."""
    text = (resources.files("eureka_park") / "welcome" / "story" / f"{name}.toml").read_text("utf-8")
    return tuple(_entry(item) for item in tomllib.loads(text)["jobs"])


def _entry(item: Mapping[str, Any]) -> Entry:
    data = dict(item)
    data["job_class"] = data.pop("class", "batch")
    data["run_s"] = parse_duration_s(data.pop("run"))
    return Entry(**data)


def send_script(data: DataService, folder: str, script: str) -> str:
    """Put one script of the package into the store of blobs; the id of the snapshot that holds it alone."""
    place = resources.files("eureka_park") / "welcome"
    text = (place / folder / script if folder else place / script).read_bytes()
    sha256 = hashlib.sha256(text).hexdigest()
    data.put_blob(sha256, [text])
    done = data.commit_snapshot([SnapshotFile(script, sha256, len(text), 0o644)])
    return str(done.snapshot_id)


@dataclass(slots=True)
class Story:
    """Submits what is due. `note` and `keep` hold which keys are done; an idempotency key covers a crash between."""

    entries: tuple[Entry, ...]
    times: StoryTimes
    pace: Pace
    n_cpus: float
    who: Principal
    project: str
    compute: ComputeService
    data: DataService
    note: Callable[[], str | None]
    keep: Callable[[str], None]
    _done: dict[str, str] | None = None
    _waits_s: float = field(default=-1e18)  # no look before this real second
    _snapshots: dict[str, str] = field(default_factory=dict)

    def step(self, now_s: float, real_s: float) -> list[JobId]:
        """Submit what is due by `now_s` (park time) and was not submitted before."""
        if self._done is None:
            self._done = dict(json.loads(self.note() or "{}"))
        if real_s < self._waits_s:
            return []
        jobs = []
        try:
            for entry in self._due(now_s):
                jobs.append(self._submit(entry))
                self.keep(json.dumps(self._done, indent=1))
        except ParkError as error:
            self._waits_s = real_s + RETRY_S
            _log.warning("the story waits: %s", error.line())
        return [job_id for job_id in jobs if job_id]

    def _due(self, now_s: float) -> list[Entry]:
        assert self._done is not None
        found = [(self.times.at_s(entry.at), entry) for entry in self.entries if entry.key not in self._done]
        return [entry for at_s, entry in sorted(found, key=lambda item: item[0]) if at_s <= now_s]

    def _submit(self, entry: Entry) -> JobId:
        assert self._done is not None
        request = entry.request(self.n_cpus, self.pace.factor, self._done.get(entry.after))
        try:
            if entry.script not in self._snapshots:
                self._snapshots[entry.script] = send_script(self.data, "story", entry.script)
            request |= {"project": self.project, "snapshot_id": self._snapshots[entry.script]}
            job_id = self.compute.submit(self.who, request, f"story:{entry.key}")
        except BadInput as error:  # what it was to run after has failed, say: the story goes on without it
            _log.warning("the story leaves '%s' out: %s", entry.key, error.line())
            job_id = JobId("")
        self._done[entry.key] = job_id
        return job_id
