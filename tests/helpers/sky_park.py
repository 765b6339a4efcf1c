"""A park in one process with the real engine, the real meter and the real clock, under a sky that the test turns."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from eureka_park import bootstrap
from eureka_park.accounts.service import Principal
from eureka_park.adapters.engines.local.engine import LocalEngine
from eureka_park.adapters.meters.machine import find_machine
from eureka_park.adapters.meters.node_meter import NodeMeter
from eureka_park.client.views import ENDED
from eureka_park.control.of_site import nodes_of
from eureka_park.data.core.snapshot import SnapshotFile
from eureka_park.foundation.ids import JobId, folder_name
from eureka_park.foundation.power_plan import CurveStep, PowerPlan
from eureka_park.foundation.site_file import Site
from eureka_park.live import process

FULL_MW, GRID_MW = 0.05, 0.05  # far more than any machine that runs tests can draw
N_HOURS = 48


class TurnedSky:
    """A plan maker that never makes a plan: it hands out what the test decides."""

    is_busy = True

    def __init__(self) -> None:
        self._next: PowerPlan | None = None

    def start(self, request: dict[str, Any]) -> None:
        raise AssertionError("nobody asks a maker that is busy")

    def take(self) -> tuple[PowerPlan | None, str | None]:
        plan, self._next = self._next, None
        return plan, None

    def turn(self, now_s: float, clean_mw: float, site: Site) -> None:
        """From now on every hour has this much clean power, as far as the site's plants and tie go."""
        clean_mw = min(clean_mw, sum(plant.gross_mw for plant in site.plants) * site.factor)
        grid_mw = min(GRID_MW, site.grid.import_mw_max * site.factor)
        flat, none = (clean_mw,) * N_HOURS, (0.0,) * N_HOURS
        steps = [CurveStep(clean_mw, 100.0, 20.0, "noor-iii")] if clean_mw else []
        steps.append(CurveStep(clean_mw + grid_mw, 900.0, 551.0, "grid"))
        self._next = PowerPlan(
            plan_id=f"plan-test-{now_s:.3f}",
            site=site.name,
            issued_at_s=now_s,
            start_s=now_s // 3600.0 * 3600.0,
            step_s=3600.0,
            load_mw=(0.0,) * N_HOURS,
            clean_available_mw_p10=flat,
            clean_available_mw_p50=flat,
            clean_available_mw_p90=flat,
            grid_limit_mw=(grid_mw,) * N_HOURS,
            available_by_source_mw={"noor-iii": flat},
            by_source_mw={"noor-iii": none, "grid": none},
            export_mw=none,
            curtailed_mw=flat,
            unserved_mw=none,
            tes_mwh_th={},
            tes_mwh_th_max={},
            curve=(tuple(steps),) * N_HOURS,
            labels={"weather": "turned by a test"},
        )


class SkyPark:
    """Use `submit`, `sky`, `until`; everything is real but the weather."""

    def __init__(self, folder: Path, site_name: str = "bench", **policy: Any) -> None:
        self.folder = folder / "home"
        bootstrap.make_home(self.folder, site_name=site_name, now_real_s=time.time(), is_bare=True, sky="green")
        bootstrap.prepare(self.folder)
        self.park = bootstrap.open_park(self.folder)
        self.engine = LocalEngine(self.folder)
        self.maker = TurnedSky()
        lease = process.take_lease(self.park.db, self.park.clock)
        meter = NodeMeter(find_machine(), self.folder / "meter.json")
        self.live = bootstrap.build_live(self.park, self.engine, meter, self.maker, lease.token)
        settings = {"min_run_s": 0.0, "pause_rate_max_per_h": 1e9, "can_cap": False, **policy}
        self.live.parts.policy = replace(self.live.parts.policy, **settings)
        self.live.begin(nodes_of(self.park.site))
        self.sky(FULL_MW)
        self.end(self.submit(["true"]))  # the first job of a project is never held by the sky

    def sky(self, clean_mw: float) -> None:
        """Turn the sky."""
        self.maker.turn(self.park.clock.park_s(), clean_mw, self.park.site)

    @property
    def owner(self) -> Principal:
        person_id, _ = self.park.accounts.ensure_owner()
        return Principal(person_id, "owner", True, frozenset())

    def submit(self, command: list[str] | None = None, *, script: Path | None = None, **request: Any) -> JobId:
        """Submit a command, or one script that travels alone."""
        what: dict[str, Any] = {"command": command}
        if script is not None:
            text = script.read_bytes()
            sha256 = hashlib.sha256(text).hexdigest()
            self.park.data.put_blob(sha256, [text])
            done = self.park.data.commit_snapshot([SnapshotFile(script.name, sha256, len(text), 0o644)])
            what = {"script": script.name, "snapshot_id": done.snapshot_id}
        return self.park.compute.submit(
            self.owner, {**what, "tier": "green", "time": 600, "memory": "512MiB", **request}
        )

    def until(self, condition: Callable[[], Any], what: str, wait_s: float = 40.0) -> Any:
        """Let live work until something is so."""
        end_s = time.monotonic() + wait_s
        while True:
            self.live.cycle()
            self.live.state.validate()
            if found := condition():
                return found
            assert time.monotonic() < end_s, f"{what}: not within {wait_s:g} s"
            time.sleep(0.02)

    def state(self, job_id: JobId, *states: str, wait_s: float = 40.0) -> dict[str, Any]:
        """Wait for one of these states; the view."""

        def is_there() -> bool:
            now = self.view(job_id)["state"]
            assert now in states or now not in ENDED, f"{job_id} is {now}, not {states}: {self.log(job_id)[-500:]}"
            return now in states

        self.until(is_there, f"{job_id} becomes {states}", wait_s)
        return self.view(job_id)

    def end(self, job_id: JobId, wait_s: float = 40.0) -> dict[str, Any]:
        """Wait for the end; the view."""
        return self.state(job_id, *ENDED, wait_s=wait_s)

    def says(self, job_id: JobId, word: str, times: int = 1, wait_s: float = 40.0) -> None:
        """Wait until a job has said a word so often."""
        self.until(lambda: self.log(job_id).count(word) >= times, f"{job_id} says {word!r} {times} times", wait_s)

    def view(self, job_id: JobId) -> dict[str, Any]:
        return self.park.compute.job(self.owner, job_id)

    def timeline(self, job_id: JobId) -> list[str]:
        return [row["what"] for row in self.park.compute.timeline(self.owner, job_id)]

    def log(self, job_id: JobId) -> str:
        path = self.engine.log_path(job_id)
        return path.read_text() if path.exists() else ""

    def output_path(self, job_id: JobId, name: str) -> Path:
        return self.folder / "jobs" / folder_name(job_id) / "out" / name

    def output(self, job_id: JobId, name: str) -> bytes:
        return self.output_path(job_id, name).read_bytes()

    def clear(self) -> None:
        """End every job that is still open."""
        actions = self.live.parts.actions
        self.live.parts.actions = replace(actions, grace_s=0.5)
        for job in list(self.live.state.jobs):
            self.park.compute.cancel(self.owner, job)
        self.until(lambda: not self.live.state.jobs, "all jobs have ended")
        self.live.parts.actions = actions

    def close(self) -> None:
        """End what still runs, then the engine."""
        self.clear()
        self.engine.close()
        self.park.close()
