"""Makes the database of a small lived-in park as this version writes it: a fixture for the migrations of later ones.

    .venv/bin/python tests/golden/homes/make.py

Engine, meter and clock are doubles, so the same rows come out wherever it runs; ids and tokens differ.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from pathlib import Path

from tests.helpers.live_park import LivePark

from eureka_park import __version__

HERE = Path(__file__).parent


def main() -> None:
    """Write park-VERSION.sqlite3 beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        park = LivePark(Path(folder))
        done = park.submit(run_s=30, tier="firm", name="done")
        bad = park.submit(run_s=10, tier="flex", name="bad")
        park.engine.codes[bad] = 3
        park.submit(array=3, cpus=0.5, tier="firm", name="tasks")
        park.submit(after=[done], name="later")
        park.step(times=20)
        park.submit(run_s=9000, tier="firm", name="still running")
        park.submit(run_s=9000, cpus=2, name="waiting")
        park.step(times=3)
        park.live.journal.save_snapshot(park.park.db, park.live.state)
        park.submit(run_s=9000, name="after the snapshot")
        park.step(times=2)
        park.park.close()
        source = sqlite3.connect(park.folder / "park.sqlite3")
        target_path = HERE / f"park-{__version__}.sqlite3"
        target_path.unlink(missing_ok=True)
        target = sqlite3.connect(target_path)
        source.backup(target)
        target.execute("PRAGMA journal_mode = DELETE")
        target.execute("VACUUM")
        target.close()
        source.close()
        shutil.copy(park.folder / "home.json", HERE / f"home-{__version__}.json")


if __name__ == "__main__":
    main()
