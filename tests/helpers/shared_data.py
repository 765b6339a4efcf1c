"""Where real weather and traces lie for tests that read them: beside the repository, or where PARK_TEST_DATA says.

They are not part of the repository, for their licences; a test without its file is skipped with that reason.
"""

from __future__ import annotations

import os
from pathlib import Path

DATA = Path(os.environ.get("PARK_TEST_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
WEATHER = DATA / "weather"
DAGGETT = WEATHER / "daggett-ca-nsrdb-psm3-tmy.csv"
TETOUAN = WEATHER / "tetouan-2017-10min-uci849.csv"
TRACES = DATA / "traces"
PHILLY = TRACES / "philly_jobs.parquet"
PAI = TRACES / "alibaba_pai_100k_jobs.parquet"
VENUS = TRACES / "helios_venus_10min_counts.parquet"
