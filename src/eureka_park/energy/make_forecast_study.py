"""Makes the study of forecasts that the pages show: scores by lead, and weeks of forecasts beside what came.

    python -m eureka_park.energy.make_forecast_study [--out FILE] [--real FILE]...

Scores of synthetic years are over seeds that tuned nothing. `--real` names park weather files of measured or typical
years, each scored with every week held out in its turn; only their scores go into the study, never their values.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from eureka_park import __version__
from eureka_park.energy.core.climate import climate_of
from eureka_park.energy.core.forecast import FORECAST_LABEL, Kind, Outlook, noise_of
from eureka_park.energy.core.forecast_scoring import TRAINING_SEEDS, Row, score_seeds, score_year
from eureka_park.energy.core.sun import Floats
from eureka_park.energy.core.weather import typical_years
from eureka_park.energy.core.weather_summary import MONTH_DAYS
from eureka_park.energy.weather_file import read_weather
from eureka_park.foundation.seeds import SeedTree
from eureka_park.foundation.site_reading import load_site

SCHEMA: Final = 1
SITE: Final = "eureka-park"
SEEDS: Final = (11, 12, 13)
LEADS_H: Final = (3, 24, 48)
WEEK_H: Final = 168
BAND: Final = (("p10", 0.1), ("p50", 0.5), ("p90", 0.9))
SERIES: Final[tuple[tuple[str, str, Kind, float], ...]] = (
    ("ouarzazate", "dni_w_per_m2", "sun", 1.0),
    ("koudia", "wind_m_per_s", "wind", 10.0),
)
DEFAULT_OUT: Final = Path(__file__).parent / "data" / "forecasts.json.gz"


def study(real: Sequence[Path]) -> dict[str, Any]:
    """The whole study as a plain value; series are whole numbers, `scale` of them are a unit."""
    places = {place.id: place for place in load_site(SITE).weather_sites}
    return {
        "schema": SCHEMA,
        "version": __version__,
        "site": SITE,
        "seeds": list(SEEDS),
        "training_seeds": list(TRAINING_SEEDS),
        "forecast": FORECAST_LABEL,
        "leads_h": list(LEADS_H),
        "weeks": [_weeks(places, *one) for one in SERIES],
        "synthetic": {name: _rows(score_seeds(places[name], SEEDS)) for name in places},
        "real": [_real(path) for path in real],
    }


def _weeks(places: Mapping[str, Any], place: str, name: str, kind: Kind, scale: float) -> dict[str, Any]:
    """The first week of each month of one year: what came, and the forecasts of it at each lead."""
    series = getattr(typical_years(places.values(), SEEDS[0])[place], name)
    climate = climate_of(series, is_solar=kind == "sun")
    outlook = Outlook(climate, climate.scores(series), noise_of(SeedTree(SEEDS[0]), place, kind))
    starts = [24 * sum(MONTH_DAYS[:month]) for month in range(12)]
    leads = {}
    for lead in LEADS_H:
        issue = outlook.at_lead(lead)
        leads[str(lead)] = {word: _cut(issue.quantile(level), starts, scale) for word, level in BAND}
    return {
        "place": place, "series": name, "seed": SEEDS[0], "scale": scale, "starts_h": starts,
        "truth": _cut(series, starts, scale), "leads": leads,
    }  # fmt: skip


def _cut(series: Floats, starts: Sequence[int], scale: float) -> list[list[int]]:
    return [np.rint(scale * series[start : start + WEEK_H]).astype(int).tolist() for start in starts]


def _rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    return [row.to_json() for row in rows]


def _real(path: Path) -> dict[str, Any]:
    year = read_weather(path)
    told = year.provenance
    return {
        "place": year.weather_site, "label": told.label, "origin": told.origin, "licence": told.licence,
        "content_id": told.content_id, "rows": _rows(score_year(year)),
    }  # fmt: skip


def main(words: Sequence[str] | None = None) -> int:
    """Write the file."""
    parser = argparse.ArgumentParser(prog="python -m eureka_park.energy.make_forecast_study")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    parser.add_argument("--real", type=Path, action="append", default=[])
    asked = parser.parse_args(words)
    text = json.dumps(study(asked.real), separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    asked.out.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    sys.stderr.write(f"{asked.out}: {asked.out.stat().st_size // 1000} kB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
