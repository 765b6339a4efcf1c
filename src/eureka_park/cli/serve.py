"""The bodies of the two processes of a running park."""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

_PR_SET_PDEATHSIG: Final = 1


def die_with_parent() -> None:
    """Have the kernel send SIGTERM when the parent dies, so that a killed `park up` leaves no orphans but jobs."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == 1:
        sys.exit(1)


def _log_to_stderr() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s: %(message)s")


def run_live(folder: Path, url: str, ready_fd: int | None, creation: dict[str, Any]) -> None:
    """Make or open the home, take the lease, decide until told to stop."""
    die_with_parent()
    _log_to_stderr()
    from eureka_park import bootstrap
    from eureka_park.adapters.engines.local.engine import LocalEngine
    from eureka_park.adapters.home import wake_receiver, wake_sender
    from eureka_park.adapters.meters.machine import find_machine
    from eureka_park.adapters.meters.node_meter import NodeMeter
    from eureka_park.live import process
    from eureka_park.live.planning import ChildPlanMaker

    stopper = process.Stopper()
    bootstrap.make_home(
        folder,
        site_name=creation["site_name"],
        sky=creation["sky"],
        now_real_s=time.time(),
        pace_factor=creation["pace"],
        is_bare=creation["bare"],
    )
    token = bootstrap.prepare(folder)
    park = bootstrap.open_park(folder)
    lease = process.take_lease(park.db, park.clock)
    park.home.write("run/client.json", json.dumps({"url": url, "token": token}))
    receiver = wake_receiver(park.home.run)
    engine = LocalEngine(folder)
    engine_note = {"sandbox_level": engine.sandbox_level, "capabilities": sorted(engine.capabilities())}
    park.home.write("run/engine.json", json.dumps(engine_note))
    if ready_fd is not None:
        person_id, _ = park.accounts.ensure_owner()
        park.home.write("run/sign-in.code", park.accounts.new_sign_in_link(person_id))
        os.write(ready_fd, b"ready\n")
        os.close(ready_fd)
    live = bootstrap.build_live(
        park, engine, NodeMeter(find_machine(), folder / "meter.json"), ChildPlanMaker(wake_sender(park.home.run, b"plan")), lease.token
    )
    bootstrap.submit_welcome_jobs(park)
    live.begin(bootstrap.nodes_of(park.site))
    process.run(live, receiver, stopper)
    live.journal.save_snapshot(park.db, live.state)
    park.home.write("run/stopped.json", json.dumps({"n_running": len(live.state.on_node)}))
    engine.close()
    park.close()


def run_web(folder: Path, sockets: list[socket.socket], ready_fd: int | None) -> None:
    """Serve pages and API on sockets that the parent holds."""
    die_with_parent()
    _log_to_stderr()
    from eureka_park import bootstrap
    from eureka_park.web.serve import serve

    if ready_fd is not None:
        told = os.read(ready_fd, 16)  # returns when the home is prepared, or empty when its maker died
        os.close(ready_fd)
        if not told:
            sys.exit(1)
    serve(bootstrap.open_park(folder), sockets)
