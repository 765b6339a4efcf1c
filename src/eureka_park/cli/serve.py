"""The body of the deciding process."""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eureka_park.foundation.errors import Conflict, ParkError
from eureka_park.foundation.units import iso_from_s

if TYPE_CHECKING:
    from eureka_park.adapters.engines.local.engine import LocalEngine
    from eureka_park.adapters.home import Home
    from eureka_park.bootstrap import Park
    from eureka_park.live.loop import Live
    from eureka_park.live.metering import Metering
    from eureka_park.live.story import Story


def run_live(folder: Path, url: str, ready_fd: int | None, creation: dict[str, Any]) -> None:
    """Make or open the home, take the lease, decide until told to stop."""
    from eureka_park import bootstrap
    from eureka_park.adapters.committer import Committer
    from eureka_park.adapters.engines.local.engine import LocalEngine
    from eureka_park.adapters.home import wake_receiver, wake_sender
    from eureka_park.adapters.home_database import INBOX_CHANNEL
    from eureka_park.adapters.home_policy import note_running
    from eureka_park.adapters.machine_code import MachineCode
    from eureka_park.adapters.meters.node_meter import NodeMeter
    from eureka_park.adapters.process import log_to_stderr
    from eureka_park.control.of_site import nodes_of
    from eureka_park.live import process
    from eureka_park.live.estimates import ChildStartForecaster
    from eureka_park.live.planning import ChildPlanMaker
    from eureka_park.live.storage import StorageKeeper

    log_to_stderr()
    machine_code = MachineCode([sys.executable, "-m", "eureka_park.cli.warm"])
    stopper = process.Stopper()
    park = _open(folder, url, ready_fd, creation)
    lease = process.wait_for_lease(park.db, park.clock, stopper)
    if lease is None:
        park.close()
        return
    _sweep(park)
    sender = park.telling.sender()
    sender.start()
    committer = Committer(park.compute.materials.commit_due)
    committer.start()
    note_running(park.home, park.site)
    wakers: list[process.Waker] = [process.Datagrams(wake_receiver(park.home.run))]
    listener = park.db.listen(INBOX_CHANNEL)
    if listener is not None:
        wakers.append(listener)
    engine = LocalEngine(folder, allow_weak=creation["allow_weak_sandbox"])
    _note_engine(park.home, engine)
    live = bootstrap.build_live(
        park,
        engine,
        NodeMeter(bootstrap.machine_of(park.facts.is_story), folder / "meter.json"),
        ChildPlanMaker(wake_sender(park.home.run, b"plan")),
        lease.token,
        ChildStartForecaster(wake_sender(park.home.run, b"starts"), partial(park.home.write, bootstrap.STARTS_FILE)),
    )
    bootstrap.submit_welcome_jobs(park)
    live.begin(nodes_of(park.site))
    machine_code.compile()
    keeper = StorageKeeper(park.data.upkeep.turn, lease.token)
    keeper.start()
    process.run(live, wakers, stopper, partial(_after_cycle, park, live, bootstrap.story_of(park), {}))
    keeper.stop()
    with suppress(Conflict):  # who stood by has taken the lease already
        live.journal.save_snapshot(park.db, live.state)
    park.home.write("run/stopped.json", json.dumps({"n_running": len(live.state.on_node)}))
    machine_code.close()
    engine.close()
    sender.stop()
    committer.stop()
    park.close()


def _open(folder: Path, url: str, ready_fd: int | None, creation: dict[str, Any]) -> Park:
    """The park of a home, made where there was none; pages can be read from here on."""
    from eureka_park import bootstrap
    from eureka_park.adapters.home_database import PATIENCE_S
    from eureka_park.adapters.machine_code import keep_in

    bootstrap.make_home(
        folder,
        site_name=creation["site_name"],
        sky=creation["sky"],
        now_real_s=time.time(),
        pace_factor=creation["pace"],
        is_bare=creation["bare"],
        is_story=creation["story"],
        start=creation["start"],
        ready_real_s=time.time,
    )
    keep_in(folder / "kernels")
    token = bootstrap.prepare(folder, patience_s=PATIENCE_S)
    park = bootstrap.open_park(folder)
    if url:  # who stands by serves no pages
        park.home.write("run/client.json", json.dumps({"url": url, "token": token}))
    if ready_fd is not None:
        _tell_ready(park, ready_fd)
    return park


def _note_engine(home: Home, engine: LocalEngine) -> None:
    """Leave what the engine can do where pages find it."""
    note = {
        "sandbox_level": engine.sandbox_level,
        "why_not": dict(engine.sandbox.why_not),
        "capabilities": sorted(engine.capabilities()),
    }
    home.write("run/engine.json", json.dumps(note))


def _sweep(park: Park) -> None:
    """Clear away what a process before left half done or said of its own state."""
    park.data.sweep_parts()
    for name in ("power.json", "plan-fault.json"):
        (park.home.run / name).unlink(missing_ok=True)


def _tell_ready(park: Park, ready_fd: int) -> None:
    """Leave the owner a way in, and let the web process begin: pages are read whoever decides."""
    person_id, _ = park.accounts.ensure_owner()
    park.home.write("run/sign-in.code", park.accounts.new_sign_in_link(person_id))
    with suppress(BrokenPipeError):  # the web process has died: the parent sees to that
        os.write(ready_fd, b"ready\n")
    os.close(ready_fd)


def _after_cycle(park: Park, live: Live, story: Story | None, told: dict[str, Any]) -> None:
    _note_power(park.home, live.parts.metering, told)
    _note_plan_fault(park, live.parts.planning.error, told)
    if story is not None:
        story.step(park.clock.park_s(), park.clock.real_s())


def _note_power(home: Home, metering: Metering, told: dict[str, Any]) -> None:
    """Leave the power of the last reading where pages find it; a full disk costs only that."""
    now = {"it_mw": metering.power_it_mw, "site_mw": metering.power_it_mw * metering.pue}
    if now["it_mw"] > 0 and now != told.get("power"):
        told["power"] = now
        with suppress(ParkError):
            home.write("run/power.json", json.dumps(now))


def _note_plan_fault(park: Park, error: str, told: dict[str, Any]) -> None:
    """Leave why no new plan is followed where pages find it; nothing while all is well."""
    if error == told.get("plan_fault", ""):
        return
    told["plan_fault"] = error
    note = {"text": error, "since_at": iso_from_s(park.clock.park_s())} if error else {}
    with suppress(ParkError):
        park.home.write("run/plan-fault.json", json.dumps(note))
