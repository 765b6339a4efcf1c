"""The only place that builds adapters and wires the rooms together."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from eureka_park import __version__
from eureka_park.accounts.service import AccountsService, Principal
from eureka_park.adapters.database import SqlDatabase
from eureka_park.adapters.home import Home, HomeFacts, wake_sender
from eureka_park.adapters.system_clock import SystemClock
from eureka_park.compute.core.event import Node
from eureka_park.compute.core.job_check import Largest
from eureka_park.compute.ports import Engine, Meter
from eureka_park.compute.service import ComputeService
from eureka_park.control.policy import Policy, Sky
from eureka_park.data.core.snapshot import SnapshotFile
from eureka_park.data.service import DataService
from eureka_park.energy.service import EnergyService
from eureka_park.foundation.clock import Clock, Pace
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.machine import MachineFacts
from eureka_park.foundation.site_file import Site
from eureka_park.foundation.site_reading import load_site, parse_site, site_text
from eureka_park.foundation.units import GIB
from eureka_park.foundation.wire.engine import Capability
from eureka_park.ledger.service import LedgerService
from eureka_park.live import store as live_store
from eureka_park.live.actions import Actions
from eureka_park.live.journal import open_state
from eureka_park.live.loop import Live, Parts
from eureka_park.live.metering import Metering
from eureka_park.live.planning import PlanMaker, Planning

WELCOME_PROJECT: Final = "welcome"
WELCOME_CREDITS: Final = 1000.0
WELCOME_JOBS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("spirals.py", {"tier": "firm", "time": "10m"}),
    ("sieve.py", {"tier": "flex", "time": "10m", "by": "12h", "checkpoint": True}),
    ("salt.py", {"tier": "green", "time": "10m"}),
)


@dataclass(frozen=True, slots=True)
class Park:
    """One park with its services, as web, live and tests use it."""

    home: Home
    facts: HomeFacts
    site: Site
    sky: str
    clock: Clock
    db: SqlDatabase
    accounts: AccountsService
    data: DataService
    ledger: LedgerService
    energy: EnergyService
    compute: ComputeService

    def lease(self) -> live_store.Lease | None:
        """Who decides for this park, and until when."""
        with self.db.read() as conn:
            return live_store.heartbeat(conn)

    def close(self) -> None:
        """Close the database's connections."""
        self.db.close()


def make_home(
    folder: Path,
    *,
    site_name: str = "bench",
    sky: str | None = None,
    now_real_s: float,
    pace_factor: float = 1.0,
    is_bare: bool = False,
) -> Home:
    """Make a home, or leave an existing one as it is. Raises BadInput for an unusable site; nothing is left then."""
    home = Home(folder)
    if home.exists():
        return home
    text, _ = site_text(site_name)
    site = load_site(site_name, _machine())
    _check_nodes(site)
    home.make_folders()
    if home.read("keys/secret.key") is None:
        home.write("keys/secret.key", secrets.token_hex(32))
    facts = HomeFacts(
        version=__version__,
        site=site.name,
        sky=sky or site.policy.sky,
        created_real_s=now_real_s,
        pace=Pace(pace_factor, now_real_s, now_real_s),
        is_bare=is_bare,
    )
    home.write_facts(facts, text)
    return home


def _check_nodes(site: Site) -> None:
    if not any(node.engine == "local" for node in site.nodes):
        raise BadInput(
            f"The nodes of site '{site.name}' are modelled: no engine here can run jobs on them.",
            fix="Start its scale model on this machine: park up --site bench",
            code="no_engine",
        )


def open_park(folder: Path, clock: Clock | None = None) -> Park:
    """Open an existing home. The database must be at its newest revision (see `prepare`)."""
    home = Home(folder)
    facts = home.facts()
    site = parse_site(home.read("site.toml") or "", str(folder / "site.toml"), _machine())
    site = site.model_copy(update={"policy": site.policy.model_copy(update={"sky": facts.sky})})
    clock = clock or SystemClock(facts.pace)
    db = SqlDatabase(home.database_url)
    accounts = AccountsService(db, clock, os.urandom)
    data = DataService(db, folder / "blobs", clock)
    ledger = LedgerService(db, site.timezone)
    energy = EnergyService(db)
    compute = ComputeService(
        db,
        clock,
        folder,
        accounts,
        data,
        ledger,
        largest=largest_of(site),
        flex_deadline_default_s=flex_default_s(site),
        entropy=os.urandom,
        wake=wake_sender(home.run, b"inbox"),
        mark=_mark_of(db),
        has_plan=lambda: energy.current_plan() is not None,
        sky=energy,
        pace_factor=facts.pace.factor,
    )
    return Park(home, facts, site, facts.sky, clock, db, accounts, data, ledger, energy, compute)


def _mark_of(db: SqlDatabase) -> Callable[[], int]:
    def mark() -> int:
        with db.read() as conn:
            return live_store.journal_head(conn)

    return mark


def prepare(folder: Path) -> str:
    """Bring a home's database to the newest revision, and make its owner, welcome project and grant; the owner's
    token.
    """
    from eureka_park.migrations import migrate

    home = Home(folder)
    migrate(home.database_url)
    park = open_park(folder)
    token = home.read("keys/owner.token")
    person_id, fresh = park.accounts.ensure_owner()
    if fresh is not None or token is None:
        token = fresh or park.accounts.new_token(person_id, "owner")
        home.write("keys/owner.token", token)
    park.accounts.ensure_project(WELCOME_PROJECT, "Welcome", True)
    with park.db.write() as conn:
        park.ledger.grant(conn, WELCOME_PROJECT, WELCOME_CREDITS, "Welcome grant", at_s=park.clock.park_s())
    park.close()
    return token


def flex_default_s(site: Site) -> float | None:
    """The deadline of a flex job that names none: only where the sky binds flex; elsewhere it has not offered to
    wait.
    """
    return site.policy.flex_deadline_default_h * 3600.0 if site.policy.sky == "binding" else None


def largest_of(site: Site) -> Largest:
    """What one job can ask for at most."""
    nodes = nodes_of(site)
    return Largest(
        max(node.n_cpus for node in nodes), max(node.memory_bytes for node in nodes), max(node.n_gpus for node in nodes)
    )


def nodes_of(site: Site) -> tuple[Node, ...]:
    """The machines of a site that an engine here runs."""
    return tuple(
        Node(
            node_id=kind.id if kind.n_nodes == 1 else f"{kind.id}-{index}",
            engine=kind.engine,
            n_cpus=float(kind.n_cpus),
            memory_bytes=int(kind.memory_gib * GIB),
            n_gpus=kind.n_gpus,
            gpu_type=kind.gpu_type,
            rated_kw=kind.rated_kw,
            idle_kw=kind.idle_kw,
            gpu_kw_max=kind.gpu_w_max / 1000.0,
        )
        for kind in site.nodes
        if kind.engine == "local"
        for index in range(kind.n_nodes)
    )


def policy_of(site: Site, capabilities: frozenset[Capability]) -> Policy:
    """The tick's policy from the site's; powers of a scale model are those of the machine."""
    return Policy(
        sky=Sky(site.policy.sky),
        service_reserve_kw=site.policy.service_reserve_mw * site.factor * 1000.0,
        cap_steps_frac=site.policy.cap_steps_frac,
        min_run_s=site.policy.min_run_s,
        pause_rate_max_per_h=site.policy.pause_rate_max_per_h,
        carbon_mad_per_kg=site.policy.carbon_weight_mad_per_kg,
        can_cap=Capability.CAP in capabilities,
        can_freeze=Capability.FREEZE in capabilities,
    )


def _machine() -> MachineFacts:
    from eureka_park.adapters.meters.machine import find_machine

    return find_machine()


def build_live(park: Park, engine: Engine, meter: Meter, maker: PlanMaker, token: int) -> Live:
    """The deciding loop over a park, its state rebuilt from snapshot and journal."""
    state, journal = open_state(park.db, token)
    state.fair.weights = {share.path.rsplit("/", 1)[-1]: share.weight for share in park.site.shares}
    refused: list[Callable[[JobId, str], None]] = []
    parts = Parts(
        db=park.db,
        clock=park.clock,
        pace=park.facts.pace,
        site=park.site,
        policy=policy_of(park.site, engine.capabilities()),
        engine=engine,
        energy=park.energy,
        ledger=park.ledger,
        actions=Actions(engine, park.data, park.site.policy.grace_s, lambda job_id, text: refused[0](job_id, text)),
        metering=Metering(engine, meter, park.site, park.facts.pace.park_from_real_s),
        planning=Planning(park.site, maker, park.energy.salt_at, park.facts.seed, park.energy.current_plan()),
    )
    live = Live(parts, state, journal)
    refused.append(live.refuse)
    return live


def submit_welcome_jobs(park: Park) -> list[JobId]:
    """Put the three welcome jobs, one per tier, into the queue of a new home; nothing for a bare or a greeted one."""
    if park.facts.is_bare or park.home.read("welcome.done") is not None:
        return []
    person_id, _ = park.accounts.ensure_owner()
    who = Principal(person_id, "owner", True, frozenset({WELCOME_PROJECT}))
    jobs = []
    for script, request in WELCOME_JOBS:
        text = (resources.files("eureka_park") / "welcome" / script).read_bytes()
        sha256 = hashlib.sha256(text).hexdigest()
        park.data.put_blob(sha256, [text])
        done = park.data.commit_snapshot([SnapshotFile(script, sha256, len(text), 0o644)])
        request = {**request, "project": WELCOME_PROJECT, "script": script, "snapshot_id": done.snapshot_id}
        jobs.append(park.compute.submit(who, request, f"welcome:{script}"))
    park.home.write("welcome.done", "\n".join(jobs))
    return jobs
