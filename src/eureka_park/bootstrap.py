"""The only place that builds adapters and wires the rooms together."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from eureka_park import __version__
from eureka_park.accounts.service import AccountsService, Principal
from eureka_park.accounts.sign_in.service import SignIn
from eureka_park.adapters.accounts_file import AccountsFile
from eureka_park.adapters.biller import ParkBiller
from eureka_park.adapters.data_wiring import make_data, tend_store
from eureka_park.adapters.database import SqlDatabase
from eureka_park.adapters.home import Home, HomeFacts
from eureka_park.adapters.home_database import check_not_emptied, home_id, inbox_wake, url_of, wait_until_there
from eureka_park.adapters.home_key import key_of as key_of
from eureka_park.adapters.home_policy import home_site
from eureka_park.adapters.job_secrets import JobSecrets
from eureka_park.adapters.maintenance import read_maintenance
from eureka_park.adapters.money_settings import MoneySettings
from eureka_park.adapters.notice_wiring import Telling
from eureka_park.adapters.oidc_http import OidcLine
from eureka_park.adapters.screening import screener
from eureka_park.adapters.system_clock import SystemClock
from eureka_park.compute.board_facts import FILE as BOARD_FILE
from eureka_park.compute.board_facts import BoardFacts
from eureka_park.compute.core.job import JobSpec
from eureka_park.compute.core.job_check import TIME_MAX_S
from eureka_park.compute.neighbours import DeadlineCheck, Quoter
from eureka_park.compute.nodes_service import Machine, NodesService
from eureka_park.compute.ports import Engine, Meter
from eureka_park.compute.quote_rows import QuoteRows
from eureka_park.compute.service import ComputeService
from eureka_park.control.ceiling import CeilingDesk
from eureka_park.control.feasible import Closed, check_deadline
from eureka_park.control.of_site import flex_default_s, nodes_of, policy_of, room_of
from eureka_park.control.policy import Sky
from eureka_park.control.quoting import Ask, Basis, QuoteDesk, StartEstimator, supply_of
from eureka_park.data.service import DataService
from eureka_park.energy.core.chapters import CHAPTERS, chapter_at
from eureka_park.energy.core.daylight import daylight, place_of
from eureka_park.energy.service import EnergyService
from eureka_park.foundation.clock import Clock, Pace
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.ids import JobId
from eureka_park.foundation.local_day import park_start_s
from eureka_park.foundation.machine import MachineFacts
from eureka_park.foundation.site_file import Site, site_to_json
from eureka_park.foundation.site_layout import placed_nodes
from eureka_park.foundation.site_reading import load_site, site_text
from eureka_park.foundation.units import GIB, parse_duration_s
from eureka_park.ledger.service import LedgerService
from eureka_park.live import store as live_store
from eureka_park.live.metering import Metering
from eureka_park.live.planning import PlanMaker, Planning
from eureka_park.live.sealing import HEAD_FILE, Sealer, read_head
from eureka_park.live.story import Story, StoryTimes, send_script, story_entries

if TYPE_CHECKING:
    from eureka_park.live.estimates import StartForecaster
    from eureka_park.live.loop import Live

STARTS_FILE: Final = "run/starts.json"  # the board from which starts were last estimated
WELCOME_PROJECT: Final = "welcome"
WELCOME_CREDITS: Final = 1000.0
STORY_PACE: Final = 60.0
BEFORE_SUNRISE_S: Final = 1800.0  # a story begins so long before the sun
N_SEEDS: Final = 24  # synthetic years among which the one is sought whose day is seen best
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
    nodes: NodesService
    sign_in: SignIn
    telling: Telling

    def lease(self) -> live_store.Lease | None:
        """Who decides for this park, and until when."""
        with self.db.read() as conn:
            return live_store.heartbeat(conn)

    def story_now(self) -> dict[str, Any] | None:
        """The chapter of the day that a watched home is in, from the sun and the newest plan; None for any other home.

        `chapter` is a stable code, `title` and `text` are English; instants are park time; `progress` goes from 0 to 1.
        """
        if not self.facts.is_watched:
            return None
        now_s, place = self.clock.park_s(), place_of(self.site)
        told = chapter_at(now_s, *place, self.energy.current_plan())
        start_s, end_s = self.facts.pace.park_origin_s, StoryTimes.of(self.facts.pace.park_origin_s, *place).end_s
        return {
            "chapter": told.chapter.code,
            "index": told.index,
            "n_chapters": len(CHAPTERS),
            "title": told.chapter.title,
            "text": told.chapter.text,
            "since_s": told.since_s,
            "next_chapter": told.next.code,
            "next_title": told.next.title,
            "next_s": told.next_s,
            "progress": min(1.0, max(0.0, (now_s - start_s) / (end_s - start_s))),
            "end_s": end_s,
            "is_over": now_s >= end_s,
        }

    def maintenance(self) -> dict[str, Any] | None:
        """The operator's notice (`message`, `since_s`, `until_s`; real time); None while there is no maintenance."""
        return read_maintenance(self.home, self.clock.real_s())

    def close(self) -> None:
        """Close the database's connections, and send no more letters from here."""
        self.telling.close()
        self.db.close()


def make_home(
    folder: Path,
    *,
    site_name: str = "bench",
    sky: str | None = None,
    now_real_s: float,
    pace_factor: float | None = None,
    is_bare: bool = False,
    is_story: bool = False,
    start: str = "",
    ready_real_s: Callable[[], float] | None = None,
) -> Home:
    """Make a home, or leave an existing one as it is. Raises BadInput for an unusable site or start; nothing is left
    then. Park time begins at `now_real_s`, or when all else is made where `ready_real_s` tells the time then.

    A story's home is paced at 60, bound by its sky and begins just before sunrise, unless something else is asked for.
    """
    home = Home(folder)
    if home.exists():
        return home
    text, _ = site_text(site_name)
    site = load_site(site_name, _machine(is_story))
    _check_nodes(site)
    factor = pace_factor or (STORY_PACE if is_story else 1.0)
    facts = HomeFacts(
        version=__version__,
        site=site.name,
        sky=sky or (str(Sky.BINDING) if is_story else site.policy.sky),
        created_real_s=now_real_s,
        pace=Pace(factor, now_real_s, _start_s(site, start, now_real_s, is_story)),
        is_bare=is_bare,
        is_story=is_story,
        start=start,
    )
    home.make_folders()
    if home.read("keys/secret.key") is None:
        home.write("keys/secret.key", secrets.token_hex(32))
    if facts.story:
        facts = replace(facts, seed=find_seed(site, facts.pace.park_origin_s, facts.seed))
    if ready_real_s is not None:
        facts = replace(facts, pace=_begun_at(facts.pace, ready_real_s(), is_now=not (start or is_story)))
    home.write_facts(facts, text)
    return home


def _begun_at(pace: Pace, real_s: float, *, is_now: bool) -> Pace:
    """The pace as it begins at a later real instant: making the home takes no park time. `is_now`: park time then is
    that of the machine's clock, else what was asked for.
    """
    return replace(pace, real_origin_s=real_s, park_origin_s=real_s if is_now else pace.park_origin_s)


def _start_s(site: Site, start: str, now_real_s: float, is_story: bool) -> float:
    if start:
        return park_start_s(start, now_real_s, site.timezone)
    if is_story:
        return daylight(now_real_s, *place_of(site)).sunrise_s - BEFORE_SUNRISE_S
    return now_real_s


def find_seed(site: Site, start_s: float, otherwise: int) -> int:
    """The synthetic year of weather whose day from `start_s` on is seen best; sought by a process that ends."""
    request = json.dumps({"site": site_to_json(site), "start_s": start_s, "n_seeds": N_SEEDS})
    command = [sys.executable, "-m", "eureka_park.energy.clear_day_child"]
    try:
        done = subprocess.run(command, input=request, capture_output=True, text=True, timeout=60.0, check=True)
        return int(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError):
        return otherwise  # any weather will do


def _check_nodes(site: Site) -> None:
    if not any(node.engine == "local" for node in site.nodes):
        raise BadInput(
            f"The nodes of site '{site.name}' are modelled: no engine here can run jobs on them.",
            fix="Start its scale model on this machine: park up --site bench",
            code="no_engine",
        )


def open_park(folder: Path, clock: Clock | None = None, *, patience_s: float = 0.0) -> Park:
    """Open an existing home. The database must be at its newest revision (see `prepare`); a server that does not answer
    is waited for so long.
    """
    home = Home(folder)
    facts = home.facts()
    site = home_site(home, _machine(facts.is_story))
    url = url_of(home)
    wait_until_there(url, patience_s)
    db = SqlDatabase(url)
    clock = clock or SystemClock(facts.pace, facts.pace.park_from_real_s(_last_seen_real_s(db)))
    wake = inbox_wake(home, db)
    settings = AccountsFile(home).settings
    accounts = AccountsService(
        db, clock, os.urandom, key=key_of(home), audit_head=lambda: read_head(home.read(HEAD_FILE)),
        lasting=lambda: settings().lasting,
    )  # fmt: skip
    data = make_data(db, folder, clock, accounts)
    ledger = LedgerService(db, site.timezone, clock=clock)
    ledger.connect(accounts, settings, MoneySettings(lambda: settings().money).rules)
    energy = EnergyService(db)
    biller = ParkBiller(ledger, CeilingDesk(site, nodes_of(site), facts.pace.factor), energy.current_plan)
    compute = ComputeService(
        db,
        clock,
        folder,
        accounts,
        data,
        ledger,
        room=room_of(site),
        flex_deadline_default_s=flex_default_s(site),
        entropy=os.urandom,
        wake=wake,
        mark=_mark_of(db),
        has_plan=lambda: energy.current_plan() is not None,
        sky=energy,
        quoter=biller.quoting(_quoter(site, facts, energy, home, clock)),
        biller=biller,
        seal=JobSecrets(home).sealed,
        check_deadline=_deadline_check(site, energy, lambda: BoardFacts.from_text(home.read(BOARD_FILE))),
        pace_factor=facts.pace.factor,
        board_facts=lambda: BoardFacts.from_text(home.read(BOARD_FILE)),
    )
    accounts.people.on_export("jobs", compute.jobs_of_person)
    nodes = NodesService(
        db,
        clock,
        accounts,
        machines_of(site),
        on_nodes=compute.on_nodes,
        board_facts=lambda: BoardFacts.from_text(home.read(BOARD_FILE)),
        entropy=os.urandom,
        wake=wake,
    )
    telling = Telling(accounts, AccountsFile(home), key_of(home))
    tend_store(data, settings, telling.notices)
    sign_in, sky = _sign_in(home, accounts, telling), site.policy.sky
    return Park(home, facts, site, sky, clock, db, accounts, data, ledger, energy, compute, nodes, sign_in, telling)


def _sign_in(home: Home, accounts: AccountsService, telling: Telling) -> SignIn:
    """The entrance, by the operator's accounts.toml."""
    file = AccountsFile(home)
    accounts.people.screen = screener(lambda: file.settings().screening)
    return SignIn(
        accounts,
        key=key_of(home),
        settings=file.settings,
        post=telling.post,
        line=OidcLine(),
        provider_secret=file.provider_secret,
    )


def _quoter(site: Site, facts: HomeFacts, energy: EnergyService, home: Home, clock: Clock) -> Quoter:
    """What a job would cost here: the rules that start jobs and the prices of receipts, over rows of jobs."""
    nodes = nodes_of(site)

    def starts() -> StartEstimator:
        from eureka_park.twin.asked_starts import AskedStarts  # whoever never asks needs no compiled kernels

        return AskedStarts(home.folder / STARTS_FILE, nodes, site.policy.tick_s, facts.seed, clock.real_s)

    desk = QuoteDesk(site, nodes, policy_of(site, frozenset()), facts.pace.factor, starts, threading.Lock())

    def quote(
        specs: Mapping[str, JobSpec],
        deadlines_s: Mapping[str, float | None],
        chosen: str,
        now_s: float,
        rows: QuoteRows,
        is_visitor: bool,
    ) -> dict[str, Any]:
        asks = {
            tier: Ask(spec, deadlines_s[tier], rows.ahead[tier], rows.n_ahead[tier], rows.is_first)
            for tier, spec in specs.items()
        }
        return desk.answer(energy.current_plan(), asks, chosen, now_s, rows.running, is_visitor=is_visitor)

    return quote


def _deadline_check(site: Site, energy: EnergyService, facts: Callable[[], BoardFacts]) -> DeadlineCheck:
    """Whether a declared deadline can be met under the newest plan and with machines that are closed for a while;
    without a plan nothing is known of power.
    """
    nodes, policy = nodes_of(site), policy_of(site, frozenset())

    def check(spec: JobSpec, now_s: float, is_first: Callable[[], bool]) -> None:
        plan = energy.current_plan()
        supply = supply_of(Basis(site, nodes, policy, plan), now_s)
        closed = [
            Closed(window.node_ids, window.from_s, window.to_s)
            for window in facts().windows
            if window.to_s > now_s and (not window.project or window.project != spec.project)
        ]
        is_free = plan is None or is_first()
        check_deadline(spec, nodes, supply, policy.sky, now_s, is_first=is_free, closings=closed)

    return check


def _last_seen_real_s(db: SqlDatabase) -> float:
    """A real instant at which somebody decided here, the newest that is known; long ago for a new home."""
    with db.read() as conn:
        lease = live_store.heartbeat(conn)
    return float("-inf") if lease is None else lease.until_real_s - live_store.LEASE_TTL_S


def _mark_of(db: SqlDatabase) -> Callable[[], int]:
    def mark() -> int:
        with db.read() as conn:
            return live_store.journal_head(conn)

    return mark


def prepare(folder: Path, *, patience_s: float = 0.0) -> str:
    """Bring a home's database to the newest revision, and make its owner, welcome project and grant; the owner's
    token. Raises Conflict for a database that belongs to another home.
    """
    from eureka_park.migrations import migrate

    home = Home(folder)
    url = url_of(home)
    wait_until_there(url, patience_s)
    check_not_emptied(home, url)
    migrate(url, home.zone())
    _claim(home, url)
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


def _claim(home: Home, url: str) -> None:
    """Tie a PostgreSQL database to its home: two parks in one would take each other's jobs."""
    if (made_id := home_id(home)) is None:
        return
    db = SqlDatabase(url)
    try:
        with db.write() as conn:
            live_store.claim_for_home(conn, made_id)
    finally:
        db.close()


def machines_of(site: Site) -> tuple[Machine, ...]:
    """The machines of a site that an engine here runs, as their operators see them."""
    local = (kind for kind in site.nodes if kind.engine == "local")
    return tuple(
        Machine(node_id, kind.id, kind.n_gpus, float(kind.n_cpus), int(kind.memory_gib * GIB))
        for kind, node_id, _rack, _pod in placed_nodes(local)
    )


def _machine(is_story: bool = False) -> MachineFacts:
    return machine_of(is_story)


def machine_of(is_story: bool) -> MachineFacts:
    """This machine; for a story without its GPUs, as none of the story's jobs asks for one."""
    from eureka_park.adapters.meters.machine import find_machine

    machine = find_machine()
    return replace(machine, gpus=()) if is_story else machine


def build_live(
    park: Park,
    engine: Engine,
    meter: Meter,
    maker: PlanMaker,
    token: int,
    forecaster: StartForecaster | None = None,
) -> Live:
    """The deciding loop over a park, its state rebuilt from snapshot and journal."""
    from eureka_park.live.actions import Actions
    from eureka_park.live.estimates import Estimates
    from eureka_park.live.journal import open_state
    from eureka_park.live.loop import Live, Parts

    state, journal = open_state(park.db, token)
    refused: list[Callable[[JobId, str], None]] = []
    parts = Parts(
        db=park.db,
        clock=park.clock,
        pace=park.facts.pace,
        site=park.site,
        policy=policy_of(park.site, engine.capabilities(), park.facts.pace.factor),
        engine=engine,
        energy=park.energy,
        ledger=park.ledger,
        actions=Actions(engine, park.data, park.site.policy.grace_s, lambda job_id, text: refused[0](job_id, text)),
        metering=Metering(engine, meter, park.site, park.facts.pace.park_from_real_s),
        planning=Planning(park.site, maker, park.energy.salt_at, park.facts.seed, park.energy.current_plan()),
        estimates=Estimates(forecaster, park.site.policy.tick_s, park.facts.seed),
        tell_facts=partial(park.home.write, BOARD_FILE),
        seal=Sealer(park.db, park.accounts.audit, partial(park.home.write, HEAD_FILE)).step,
        notices=park.telling.notices,
    )
    live = Live(parts, state, journal)
    refused.append(live.refuse)
    return live


def submit_welcome_jobs(park: Park) -> list[JobId]:
    """Put the three welcome jobs, one per tier, into the queue of a new home; nothing for a bare, a greeted or a
    watched one.

    Their declared time is park time, their work is not: on a paced home they declare as much more.
    """
    if park.facts.is_bare or park.facts.story or park.home.read("welcome.done") is not None:
        return []
    jobs = []
    for script, request in WELCOME_JOBS:
        request = {**request, "project": WELCOME_PROJECT, "script": script}
        time_s = min(TIME_MAX_S, parse_duration_s(request["time"]) * max(1.0, park.facts.pace.factor))
        request["time"] = time_s
        if "by" in request:
            request["by"] = f"{max(parse_duration_s(request['by']), 2 * time_s):.0f}s"
        request["snapshot_id"] = send_script(park.data, "", script)
        jobs.append(park.compute.submit(_owner_of(park), request, f"welcome:{script}"))
    park.home.write("welcome.done", "\n".join(jobs))
    return jobs


def _owner_of(park: Park) -> Principal:
    person_id, _ = park.accounts.ensure_owner()
    return Principal(person_id, "owner", True, frozenset({WELCOME_PROJECT}))


def story_of(park: Park) -> Story | None:
    """The jobs of a watched home that are still to be submitted; None where nobody asked for a day to be shown."""
    if not park.facts.story:
        return None
    return Story(
        entries=story_entries(park.facts.story),
        times=StoryTimes.of(park.facts.pace.park_origin_s, *place_of(park.site)),
        pace=park.facts.pace,
        n_cpus=max(node.n_cpus for node in nodes_of(park.site)),
        who=_owner_of(park),
        project=WELCOME_PROJECT,
        compute=park.compute,
        data=park.data,
        note=partial(park.home.read, "story.json"),
        keep=partial(park.home.write, "story.json"),
    )
