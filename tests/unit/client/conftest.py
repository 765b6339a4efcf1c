"""A small park and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.unit.client.small_park import TOKEN, SmallPark, running

from eureka_park.client import Park


@pytest.fixture(autouse=True)
def _own_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PARK_HOME", str(tmp_path / "no-home"))
    for name in ("HOME", "XDG_CONFIG_HOME", "APPDATA"):  # logins are kept below one of them
        monkeypatch.setenv(name, str(tmp_path / "settings"))
    for name in ("PARK_LANG", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (("LANG", "C.UTF-8"), ("LANGUAGE", "en")):
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("PARK_URL", raising=False)
    monkeypatch.delenv("PARK_TOKEN", raising=False)


@pytest.fixture
def small() -> Iterator[SmallPark]:
    with running(SmallPark()) as park:
        yield park


@pytest.fixture
def park(small: SmallPark) -> Iterator[Park]:
    with Park(small.url, TOKEN) as client:
        yield client
