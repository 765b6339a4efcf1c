"""The study of forecasts that comes with the park (made by `energy.make_forecast_study`), read once."""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib import resources
from typing import Any, Final

NAME: Final = "forecasts.json.gz"


@cache
def shipped_forecasts() -> dict[str, Any]:
    """Scores by lead, and weeks of forecasts beside what came."""
    found = resources.files("eureka_park.energy") / "data" / NAME
    value: dict[str, Any] = json.loads(gzip.decompress(found.read_bytes()))
    return value
