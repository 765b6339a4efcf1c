"""`pytest --database postgres`: every home that a test makes has its rows in a PostgreSQL database of its own.

The same suite, once more; homes that bring a SQLite file along, and tests that name a database themselves, are left as
they are.
"""

from __future__ import annotations

import atexit
import os
from collections import OrderedDict
from contextlib import ExitStack, suppress
from pathlib import Path

from eureka_park import bootstrap
from eureka_park.adapters.home import Home
from tests.helpers import live_park, postgres

N_KEPT = 40  # databases of homes that are long over are dropped


class Homes:
    """The database of each home, made when it is first asked for."""

    def __init__(self) -> None:
        self._server = postgres.Server()
        self._urls: OrderedDict[Path, tuple[str, ExitStack]] = OrderedDict()
        self._url_of, self._id_of = bootstrap.url_of, bootstrap.home_id

    def url_of(self, home: Home) -> str:
        """In place of `bootstrap.url_of`."""
        if os.environ.get("PARK_DATABASE_URL") or (home.folder / "park.sqlite3").exists():
            return self._url_of(home)
        if home.folder not in self._urls:
            stack = ExitStack()
            self._urls[home.folder] = (stack.enter_context(self._server.fresh()), stack)
            while len(self._urls) > N_KEPT:
                _, (_, oldest) = self._urls.popitem(last=False)
                oldest.close()
        return self._urls[home.folder][0]

    def home_id(self, home: Home) -> str | None:
        """In place of `bootstrap.home_id`."""
        return str(home.folder) if home.folder in self._urls else self._id_of(home)

    def close(self) -> None:
        """Drop all databases; the server may have ended already."""
        for _, stack in self._urls.values():
            with suppress(Exception):
                stack.close()
        self._urls.clear()


def install() -> None:
    """From here on, homes of this process are on PostgreSQL."""
    homes = Homes()
    bootstrap.url_of = homes.url_of
    bootstrap.home_id = homes.home_id
    live_park.ARE_ROWS_ELSEWHERE = True
    atexit.register(homes.close)
