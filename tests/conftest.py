"""The suite draws the same examples every time; `--hypothesis-profile=explore` draws new ones.

`database` runs a test on SQLite, then on PostgreSQL; `--database postgres` puts all homes that tests make there.
"""

from __future__ import annotations

import gc
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from eureka_park.adapters.database import SqlDatabase
from tests.helpers import postgres

settings.register_profile("repeatable", derandomize=True, database=None)
settings.register_profile("explore", max_examples=400)
settings.load_profile("repeatable")

KINDS = ("sqlite", "postgres")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where homes of tests have their rows."""
    parser.addoption("--database", choices=KINDS, default="sqlite", help="where homes that tests make have their rows")


def pytest_configure(config: pytest.Config) -> None:
    """Before worker processes start: where their PostgreSQL is to lie."""
    postgres.begin_run()
    is_worker_or_alone = hasattr(config, "workerinput") or not config.getoption("numprocesses", None)
    if config.getoption("--database") == "postgres" and is_worker_or_alone:
        from tests.helpers import all_on_postgres

        all_on_postgres.install()


def pytest_unconfigure(config: pytest.Config) -> None:
    """After the last of them."""
    postgres.end_run()


@pytest.fixture(scope="session")
def postgres_server() -> postgres.Server:
    """The PostgreSQL of this run, started for the first test that asks for it."""
    if why := postgres.missing():
        pytest.skip(why)
    return postgres.Server()


@pytest.fixture(scope="session")
def _migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite file at the newest revision."""
    from eureka_park.migrations import migrate

    path = tmp_path_factory.mktemp("migrated") / "park.sqlite3"
    migrate(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def _postgres_for_all(postgres_server: postgres.Server) -> Iterator[postgres.Emptied]:
    """One PostgreSQL database per process, emptied before each test that takes it."""
    with postgres_server.fresh() as url:
        emptied = postgres.Emptied(url)
        yield emptied
        emptied.close()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database at the newest revision: a test runs once with SQLite and once with PostgreSQL."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("_migrated_file"), tmp_path / "park.sqlite3")
        return f"sqlite:///{tmp_path / 'park.sqlite3'}"
    emptied: postgres.Emptied = request.getfixturevalue("_postgres_for_all")
    return emptied.url_of_empty()


@pytest.fixture
def database(database_url: str) -> Iterator[SqlDatabase]:
    """An open, empty database of each kind."""
    made = SqlDatabase(database_url)
    yield made
    made.close()


@pytest.fixture(params=KINDS)
def park_database(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """For homes made in the test: their rows are in a SQLite file, then in an empty PostgreSQL database."""
    monkeypatch.delenv("PARK_DATABASE_URL", raising=False)
    if request.param == "postgres":
        monkeypatch.setenv("PARK_DATABASE_URL", request.getfixturevalue("_postgres_for_all").url_of_empty())
    return str(request.param)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays until the end: looking through it for rubbish again and again takes long."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.collect()
        gc.freeze()
