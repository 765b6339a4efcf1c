"""Zones come from the package, and every module that tells local time takes them from there."""

from __future__ import annotations

import zoneinfo
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from eureka_park.foundation.zones import ZoneInfo

ROOT = Path(str(resources.files("eureka_park")))


def test_no_zone_of_the_machine_is_read() -> None:
    assert zoneinfo.TZPATH == ()
    assert datetime(2024, 7, 1, tzinfo=UTC).astimezone(ZoneInfo("Africa/Casablanca")).hour == 1


def test_nobody_else_imports_zones() -> None:
    users = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if "ZoneInfo(" in path.read_text()]
    assert len(users) >= 5
    for name in users:
        assert "from eureka_park.foundation.zones import ZoneInfo" in (ROOT / name).read_text(), name
