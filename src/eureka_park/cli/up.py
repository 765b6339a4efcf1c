"""`park up` and `park down`: a small parent that holds the door, the lock and the two processes, `live` and `web`."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import click

from eureka_park.adapters.home import Home, HomeFacts
from eureka_park.cli.params import home_option
from eureka_park.cli.processes import S3_PORT_HELP, STOP_WAIT_S, Child, bind, fds_of, is_ready, last_line, url_of
from eureka_park.client.address import default_home
from eureka_park.foundation.errors import Conflict, ParkError, Unavailable
from eureka_park.foundation.local_day import park_start_s
from eureka_park.foundation.units import DAY_S, duration_text, iso_from_s

PORT: Final = 8386
READY_WAIT_S: Final = 120.0
PORT_WAIT_S: Final = 8.0
STORY_S: Final = 27.5 * 3600.0  # about: from before sunrise to the next morning


@click.command()
@home_option
@click.option(
    "--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="Port; 0 takes a free one."
)
@click.option("--host", default="localhost", show_default=True, help="Address to listen on.")
@click.option("--s3-port", type=click.IntRange(0, 65535), default=None, envvar="PARK_S3_PORT", help=S3_PORT_HELP)
@click.option("--behind-proxy", is_flag=True, help="A proxy with TLS stands before --host.")
@click.option("--site", "site_name", default=None, help="Built-in site or site file, for a new home (default: bench).")
@click.option(
    "--sky",
    type=click.Choice(["green", "binding", "observed"]),
    default=None,
    help="What the sky binds, for a new home.",
)
@click.option(
    "--pace", type=click.FloatRange(0.01, 10_000), default=None, help="Park seconds per real second, for a new home."
)
@click.option(
    "--start",
    metavar="WHEN",
    default=None,
    help="Park time at which a new home begins: 05:30 (the site's local time, today) or 2026-06-21T05:00:00Z.",
)
@click.option("--story", is_flag=True, help="A new home with a day's worth of small real jobs, at pace 60.")
@click.option("--bare", is_flag=True, help="Seed no welcome jobs.")
@click.option(
    "--allow-weak-sandbox", is_flag=True, help="Run jobs of people who are not operators even without containers."
)
def up(
    home: Path | None,
    port: int,
    host: str,
    s3_port: int | None,
    behind_proxy: bool,
    bare: bool,
    allow_weak_sandbox: bool,
    **fixed: Any,
) -> None:
    """Start a park on this machine and stay with it; Ctrl-C ends the park and leaves its jobs running.

    \b
    park up                              http://localhost:8386
    park up --port 9000 --home ~/trial   another park beside it
    park up --bare                       without the three welcome jobs
    park up --s3-port 8387               also for S3 clients (aws, boto3, rclone)
    park up --story --home ~/day         watch a day: an hour of the park takes a minute
    park up --pace 60 --start 05:30 --home ~/fast
    """
    _check_parts()
    house = Home((home or default_home()).absolute())
    _check_fixed(house, fixed)
    was_there = house.folder.is_dir()
    is_new = not was_there or house.is_empty()
    house.make_folders()
    try:
        let_go = house.lock()
    except Conflict:
        _offer_link(house)
        raise
    try:
        house.check_space()
        sockets = _bind_when_free(house, host, port, behind_proxy)
        s3_sockets = [] if s3_port is None else _bind_when_free(house, host, s3_port, behind_proxy, "--s3-port")
        weak = ["--allow-weak-sandbox"] if allow_weak_sandbox else []
        _Parent(house, sockets, s3_sockets, [*_creation_flags(bare, fixed), *weak]).run()
    finally:
        if is_new and not house.exists():
            house.unmake(keep_folder=was_there)
        let_go()


def _offer_link(house: Home) -> None:
    """A new way in to the park that runs here already: for another browser, or when the first link has grown old."""
    from eureka_park import bootstrap

    url = json.loads(house.read("run/client.json") or "{}").get("url")
    if url:
        park = bootstrap.open_park(house.folder)
        try:
            person_id, _ = park.accounts.ensure_owner()
            _show_link(url, park.accounts.new_sign_in_link(person_id))
        finally:
            park.close()


def _show_link(url: str, code: str) -> None:
    click.echo(f"Sign in once, within 15 minutes: {url}/sign-in?code={code}")


def _check_parts() -> None:
    """The light client has this command too, but not what it starts."""
    missing = [name for name in ("sqlalchemy", "pydantic", "highspy", "fastapi", "uvicorn") if find_spec(name) is None]
    if missing:
        raise Unavailable(
            f"This is the light client: {', '.join(missing)} are not installed.",
            fix="Install the park itself: pip install 'eureka-park[server]'",
            code="no_server_parts",
        )


def _check_fixed(house: Home, fixed: dict[str, Any]) -> None:
    """What belongs to a home at its creation cannot be changed later. Raises Conflict, or BadInput for a bad start."""
    if fixed["start"] is not None:
        park_start_s(fixed["start"], time.time(), "UTC")
    if not house.exists():
        return
    facts = house.facts()
    if fixed["site_name"] is not None and _same_site(house, fixed["site_name"]):
        fixed = {**fixed, "site_name": facts.site}
    present = {"site_name": facts.site, "sky": facts.sky, "pace": facts.pace.factor, "start": facts.start}
    present["story"] = facts.is_story or None
    for name, value in fixed.items():
        if value not in (None, False) and value != present[name]:
            option = "--" + name.removesuffix("_name")
            shown = f"{present[name]:g}" if name == "pace" else present[name]
            was = f"with {option} {shown}" if present[name] else f"without {option}"
            raise Conflict(
                f"This home was made {was}; that cannot change.",
                fix=f"Leave {option} out, or name a new home with --home.",
                code="home_differs",
            )


def _command() -> str:
    """How this command is called here: in a clone of the repository it is not on the path."""
    return "./park" if not shutil.which("park") and Path("park").is_file() else "park"


def _same_site(house: Home, named: str) -> bool:
    """Whether a site file is, word for word, the one this home was made with."""
    path = Path(named)
    return path.is_file() and path.read_text(errors="replace") == house.read("site.toml")


def _creation_flags(bare: bool, fixed: dict[str, Any]) -> list[str]:
    flags = ["--bare"] if bare else []
    flags += ["--story"] if fixed["story"] else []
    for option, name in (("--site", "site_name"), ("--sky", "sky"), ("--pace", "pace"), ("--start", "start")):
        if fixed[name] is not None:
            flags += [option, str(fixed[name])]
    return flags


def _bind_when_free(
    house: Home, host: str, port: int, behind_proxy: bool, option: str = "--port"
) -> list[socket.socket]:
    """Bind; when this home's last park was killed, give its web process the moments it needs to let the port go."""
    was_killed = any((house.run / name).exists() for name in ("park.pid", "client.json"))
    until_s = time.monotonic() + (PORT_WAIT_S if was_killed else 0.0)
    while True:
        try:
            return bind(host, port, behind_proxy=behind_proxy, option=option)
        except Unavailable:
            if time.monotonic() >= until_s:
                raise
            time.sleep(0.1)


@dataclass
class _Parent:
    """Holds the listening sockets, so that a restarted web process misses no caller."""

    house: Home
    sockets: list[socket.socket]
    s3_sockets: list[socket.socket]
    flags: list[str]
    _stop: bool = False
    _children: list[Child] = field(default_factory=list)

    def run(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._hear)
        began_s = time.monotonic()
        try:
            self._start()
            self._greet(time.monotonic() - began_s)
            while not self._stop:
                for child in self._children:
                    child.restart_if_dead()
                time.sleep(0.2)
        finally:
            self._end()

    def _hear(self, _number: int, _frame: object) -> None:
        self._stop = True

    @property
    def url(self) -> str:
        return url_of(self.sockets)

    def _start(self) -> None:
        reader, writer = os.pipe()
        ready: list[int] = [reader, writer]
        (self.house.run / "stopped.json").unlink(missing_ok=True)

        def live_command() -> list[str]:
            first = ["--ready-fd", str(ready[1])] if ready else []
            return [*self._base("eureka_park.cli", "serve-live"), "--url", self.url, *first, *self.flags]

        def web_command() -> list[str]:
            first = ["--ready-fd", str(ready[0])] if ready else []
            return [
                *self._base("eureka_park.web"),
                "--fds",
                fds_of(self.sockets),
                "--s3-fds",
                fds_of(self.s3_sockets),
                *first,
            ]

        listening = tuple(item.fileno() for item in (*self.sockets, *self.s3_sockets))
        logs = self.house.logs
        live = Child("live", live_command, lambda: tuple(ready[1:]), logs / "live.log")
        web = Child("web", web_command, lambda: (*listening, *ready[:1]), logs / "web.log")
        self._children = [web, live]
        live.start()
        web.start()
        os.close(reader)
        os.close(writer)
        ready.clear()
        self._wait_ready([live, web])
        note = {"pid": os.getpid(), "start": _start_of(os.getpid())}
        self.house.write("run/park.pid", json.dumps(note))

    def _base(self, module: str, *words: str) -> list[str]:
        return [sys.executable, "-m", module, *words, "--home", str(self.house.folder)]

    def _wait_ready(self, children: list[Child]) -> None:
        until_s = time.monotonic() + READY_WAIT_S
        while not self._stop and time.monotonic() < until_s:
            for child in children:
                if child.process is not None and child.process.poll() is not None:
                    raise ParkErrorText(last_line(child.log))
            if is_ready(self.sockets[0]):
                return
            time.sleep(0.05)
        if not self._stop:
            raise Unavailable("The park did not become ready.", fix=f"See {self.house.logs}.")

    def _greet(self, took_s: float) -> None:
        if self._stop:
            return
        facts = self.house.facts()
        code = (self.house.read("run/sign-in.code") or "").strip()
        (self.house.run / "sign-in.code").unlink(missing_ok=True)
        model = " (a scale model of Eureka Park on this machine)" if facts.site == "bench" else ""
        click.echo(f"Park '{facts.site}'{model} serves {self.url}   [{took_s:.1f} s]")
        if self.s3_sockets:
            click.echo(f"S3 clients: {url_of(self.s3_sockets)}   (a key: park files key new --project PROJECT)")
        if code:
            _show_link(self.url, code)
        if self.house.read("accounts.toml") is None and not facts.story:
            click.echo(f"Open it to others, step by step: {self.url}/set-up")
        for line in _about_time(facts):
            click.echo(line)
        park = _command()
        click.echo(f"Try in another terminal:  {park} submit -- echo hello      {park} jobs      {park} top")
        click.echo("Ctrl-C ends the park.")

    def _end(self) -> None:
        for child in self._children:
            child.stop()
        for name in ("client.json", "park.pid", "sign-in.code"):
            (self.house.run / name).unlink(missing_ok=True)
        left = json.loads(self.house.read("run/stopped.json") or "{}").get("n_running", 0)
        if self._stop:
            click.echo(f"\n{_last_words(left)}")


def _about_time(facts: HomeFacts) -> Iterator[str]:
    """What a paced home tells about its clock."""
    pace = facts.pace.factor
    if pace == 1.0:
        return
    day_s = DAY_S / pace
    park_at = iso_from_s(facts.pace.park_from_real_s(time.time())) or ""
    yield f"Park time runs at pace {pace:g}: a day takes {duration_text(day_s)}. It is {park_at[:16]} UTC in the park."
    if facts.is_story:
        yield f"The story: {duration_text(STORY_S / pace)} with a day's work, from before sunrise to the next morning."


def _last_words(n_running: int) -> str:
    left = {0: "", 1: "; 1 job still runs: `park up` finds it again"}
    more = f"; {n_running} jobs still run: `park up` finds them again"
    return f"The park has ended{left.get(n_running, more)}."


class ParkErrorText(ParkError):
    """An error that a child has already put into words."""

    default_code = "start_failed"


def _start_of(pid: int) -> str:
    """When a process began, in ticks since boot; empty when it is gone, or dead and only not yet buried."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return "" if words[0] in "ZX" else words[19]
    return ""


@click.command()
@home_option
@click.option("--jobs", "end_jobs", is_flag=True, help="End its jobs first.")
def down(home: Path | None, end_jobs: bool) -> None:
    """Stop the park of this machine; its jobs run on unless --jobs is given."""
    house = Home((home or default_home()).absolute())
    note = json.loads(house.read("run/park.pid") or "{}")
    pid = note.get("pid", 0)
    if not pid or _start_of(pid) != note.get("start"):
        raise Unavailable(f"No park runs in {house.folder}.", fix="Nothing is to be stopped.", code="no_park")
    if end_jobs:
        n_ended = _cancel_all(house)
        click.echo(f"{n_ended} job{'s' if n_ended != 1 else ''} ended.")
    os.kill(pid, signal.SIGTERM)
    until_s = time.monotonic() + 2 * STOP_WAIT_S
    while _start_of(pid) == note["start"] and time.monotonic() < until_s:
        time.sleep(0.05)
    left = json.loads(house.read("run/stopped.json") or "{}").get("n_running", 0)
    click.echo(_last_words(left))


def _cancel_all(house: Home) -> int:
    from eureka_park.client import Park

    note = json.loads(house.read("run/client.json") or "{}")
    with Park(note.get("url"), note.get("token")) as park:
        names: set[str] = set()
        until_s = time.monotonic() + 90.0
        while (left := {job["job_id"] for job in _open_jobs(park)}) and time.monotonic() < until_s:
            for name in left - names:  # a story may have submitted more meanwhile
                with suppress(ParkError):
                    park.cancel(name)
            names |= left
            time.sleep(0.2)
    return len(names)


def _open_jobs(park: Any) -> Iterator[Any]:
    for state in ("running", "starting", "pausing", "frozen", "paused", "queued"):
        yield from park.jobs(state=state)


@click.command(hidden=True)
@click.option("--home", type=click.Path(path_type=Path), required=True)
@click.option("--url", required=True)
@click.option("--ready-fd", type=int, default=None)
@click.option("--site", "site_name", default="bench")
@click.option("--sky", default=None)
@click.option("--pace", type=float, default=None)
@click.option("--start", default="")
@click.option("--story", is_flag=True)
@click.option("--bare", is_flag=True)
@click.option("--allow-weak-sandbox", is_flag=True)
def serve_live(home: Path, url: str, ready_fd: int | None, **creation: Any) -> None:
    """The deciding process."""
    from eureka_park.cli.serve import run_live

    run_live(home, url, ready_fd, creation)
