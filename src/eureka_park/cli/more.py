"""`park web` and `park standby`: more processes of a park that runs, here or on machines that share its home."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from eureka_park.adapters.home import Home
from eureka_park.cli.params import home_option
from eureka_park.cli.processes import S3_PORT_HELP, Child, bind, fds_of, is_ready, last_line, url_of
from eureka_park.cli.words import _
from eureka_park.client.address import default_home
from eureka_park.foundation.errors import NotFound, Unavailable

READY_WAIT_S = 120.0


@click.command()
@home_option
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port; 0, as without it, takes a free one.")
@click.option("--host", default="localhost", show_default=True, help="Address to listen on.")
@click.option("--s3-port", type=click.IntRange(0, 65535), default=None, envvar="PARK_S3_PORT", help=S3_PORT_HELP)
@click.option("--behind-proxy", is_flag=True, help="A proxy with TLS stands before --host.")
def web(home: Path | None, port: int, host: str, s3_port: int | None, behind_proxy: bool) -> None:
    """Serve the pages and the API of a park once more, and stay; Ctrl-C ends this process alone.

    The park itself is started with `park up`, before or after. On another machine the home must be shared, and
    PARK_DATABASE_URL name the same database.

    \b
    park web --port 8387
    PARK_DATABASE_URL=postgresql://park@db/park park web --home /srv/park --port 8387
    """
    house = _house(home)
    sockets = bind(host, port, behind_proxy=behind_proxy)
    s3 = [] if s3_port is None else bind(host, s3_port, behind_proxy=behind_proxy, option="--s3-port")
    at, handles = sockets[0].getsockname()[1], tuple(one.fileno() for one in (*sockets, *s3))
    words = [sys.executable, "-m", "eureka_park.web", "--home", str(house.folder)]
    words += ["--fds", fds_of(sockets), "--s3-fds", fds_of(s3)]
    child = Child("web", lambda: words, lambda: handles, house.logs / f"web-{socket.gethostname()}-{at}.log")
    urls = ", ".join(url_of(one) for one in (sockets, s3) if one)
    _Keeper(child).run(lambda: is_ready(sockets[0]), _("Serves {url}. Ctrl-C ends it.", url=urls))


@click.command()
@home_option
@click.option(
    "--allow-weak-sandbox", is_flag=True, help="Run jobs of people who are not operators even without containers."
)
def standby(home: Path | None, allow_weak_sandbox: bool) -> None:
    """Stand by, and decide for a park when its deciding process is gone; Ctrl-C ends this process alone.

    One process decides at a time; who comes too late writes nothing. Jobs that the gone one ran are taken over where
    they run on this machine.

    \b
    park standby
    PARK_DATABASE_URL=postgresql://park@db/park park standby --home /srv/park
    """
    house = _house(home)
    words = [sys.executable, "-m", "eureka_park.cli", "serve-live", "--home", str(house.folder), "--url", ""]
    words += ["--allow-weak-sandbox"] if allow_weak_sandbox else []
    log = house.logs / f"standby-{socket.gethostname()}-{os.getpid()}.log"
    _Keeper(Child("standby", lambda: words, tuple, log)).run(
        lambda: True, _("Stands by for {home}; its words: {log}. Ctrl-C ends it.", home=house.folder, log=log)
    )


class _Keeper:
    """Stays with one process until it is told to stop."""

    def __init__(self, child: Child) -> None:
        self._child, self._must_stop = child, False

    def run(self, is_up: Callable[[], bool], greeting: str) -> None:
        """Start it, greet when it is up, start it again when it dies. Raises Unavailable when it never comes up."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._hear)
        try:
            self._child.start()
            self._wait(is_up)
            if not self._must_stop:
                click.echo(greeting)
            while not self._must_stop:
                self._child.restart_if_dead()
                time.sleep(0.2)
        finally:
            self._child.stop()

    def _hear(self, _number: int, _frame: object) -> None:
        self._must_stop = True

    def _wait(self, is_up: Callable[[], bool]) -> None:
        until_s = time.monotonic() + READY_WAIT_S
        while not self._must_stop and not is_up():
            process = self._child.process
            if (process is not None and process.poll() is not None) or time.monotonic() > until_s:
                raise Unavailable(
                    _("The process did not become ready: {why}", why=last_line(self._child.log)),
                    fix=_("See {log}.", log=self._child.log),
                )
            time.sleep(0.05)


def _house(home: Path | None) -> Home:
    """The home of a park that was started once with this version. Raises NotFound, or Conflict for another version."""
    house = Home((home or default_home()).absolute())
    if not house.exists():
        raise NotFound(f"There is no park in {house.folder}.", fix=_("Make one: park up"), code="no_home")
    from eureka_park.adapters.home_database import url_of as database_of
    from eureka_park.migrations import check_present

    check_present(database_of(house))
    return house
