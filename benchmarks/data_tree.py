"""How fast are versions of a million files: a commit, one more file, a page of the tree, a difference?

    .venv/bin/python benchmarks/data_tree.py [--files 1000000] [--json]

One small content under a million paths in 97 folders, on SQLite, committed 50,000 at a time. Then pages of 1,000
entries with nothing in memory, as a web process begins: below the root, in a folder, and the folders themselves.
Milliseconds of wall clock, median and highest. Limits: 50 ms for a page, 20 s for 10,000 files.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from tests.helpers.data_park import DataPark

from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.core.repository import Put
from eureka_park.data.repositories.versions import Draft
from eureka_park.migrations import migrate

PER_COMMIT, N_FOLDERS, PAGE, N_PAGES = 50_000, 97, 1_000, 30


def pages_ms(open_at: Callable[[str], Iterator[str]]) -> dict[str, float]:
    """Page after page, each begun anew where the one before ended."""
    taken_ms, start = [], ""
    while len(taken_ms) < N_PAGES:
        begun_s = time.perf_counter()
        found = list(islice(open_at(start), PAGE + 1))
        taken_ms.append((time.perf_counter() - begun_s) * 1e3)
        if len(found) <= PAGE:
            break
        start = found[PAGE]
    return {"median_ms": round(statistics.median(taken_ms), 1), "max_ms": round(max(taken_ms), 1)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--files", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        url = f"sqlite:///{Path(name) / 'park.sqlite3'}"
        migrate(url)
        found = measured(DataPark(SqlDatabase(url), Path(name) / "blobs"), options.files)
    if options.json:
        print(json.dumps(found))
    else:
        for key, value in found.items():
            print(f"{key:32} {value}")


def measured(park: DataPark, n_files: int) -> dict[str, object]:
    """The figures."""
    made, row, other = park.repository(), park.objects.put("lab", [b"x"]), park.objects.put("lab", [b"y"])
    begun_s = time.perf_counter()
    version = park.versions.at(made, "main")
    for first in range(0, n_files, PER_COMMIT):
        numbers = range(first, min(n_files, first + PER_COMMIT))
        puts = [Put(f"shard-{n % N_FOLDERS:02}/{n:07}.bin", row.sha256, 1) for n in numbers]
        version = park.versions.commit(made, park.ada, Draft("main", "Add", puts))
    per_10k_s = (time.perf_counter() - begun_s) / n_files * 10_000
    begun_s = time.perf_counter()
    one = Draft("main", "One", [Put("shard-03/new.bin", other.sha256, 1)])
    later = park.versions.commit(made, park.ada, one)
    one_ms = (time.perf_counter() - begun_s) * 1e3
    tree, forget = park.versions.tree(later), park.versions.forget_nodes
    figures: dict[str, object] = {"10,000 files_s": round(per_10k_s, 2), "one more file_ms": round(one_ms, 1)}
    forget()
    figures["page below the root"] = pages_ms(lambda start: (entry.path for entry in tree.in_folder("", start)))
    forget()
    figures["page of a folder"] = pages_ms(lambda start: (item.path for item in tree.listed("shard-03", start)))
    forget()
    figures["all folders, first time"] = pages_ms(lambda start: (item.path for item in tree.listed("", start)))
    figures["all folders, again"] = pages_ms(lambda start: (item.path for item in tree.listed("", start)))
    forget()
    begun_s = time.perf_counter()
    assert len(list(park.versions.differences(version, later))) == 1
    figures["difference of one_ms"] = round((time.perf_counter() - begun_s) * 1e3, 1)
    return figures


if __name__ == "__main__":
    main()
