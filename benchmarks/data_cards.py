"""Searches by cards among very many repositories: pages of a frequent and a rare tag, the last changed first.

Usage: python benchmarks/data_cards.py [REPOSITORIES]
"""

from __future__ import annotations

import math
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import insert
from tests.helpers.data_park import DataPark

from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.cards.store import card_facets
from eureka_park.data.repositories.store import repositories
from eureka_park.migrations import migrate

PAGES = 20


def main(n: int) -> None:
    """Fill, then ask."""
    with TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'park.db'}"
        migrate(url, "UTC")
        db = SqlDatabase(url)
        park = DataPark(db, Path(folder) / "blobs")
        fill(db, n)
        print(f"{n:,} repositories")
        for name, facets in {
            "no condition": [],
            "a tag of half": [("tag", "half")],
            "a tag of ten": [("tag", "rare")],
            "a tag of none": [("tag", "none")],
            "half and French": [("tag", "half"), ("language", "fr")],
            "half and rare": [("tag", "half"), ("tag", "rare")],
        }.items():
            ask(park, name, facets)
        db.close()


def fill(db: SqlDatabase, n: int) -> None:
    """Rows of repositories of the lab, and of what their cards say."""
    ids = [f"repository-{index:012}" for index in range(n)]
    with db.write() as conn:
        rows = [
            {
                "repository_id": one, "kind": "dataset", "project_id": "lab", "name": f"s{index}",
                "visibility": "public", "gate": "", "made_by": "x", "made_at_s": 0.0,
                "changed_at_s": float((index * 7919) % n), "deleted_at_s": None,
            }
            for index, one in enumerate(ids)
        ]  # fmt: skip
        conn.execute(insert(repositories), rows)
        pairs = [("tag", "half", one) for one in ids[::2]] + [("tag", "rare", one) for one in ids[:: max(1, n // 10)]]
        pairs += [("language", "fr", one) for one in ids[::3]]
        conn.execute(
            insert(card_facets), [dict(zip(("facet", "value", "repository_id"), row, strict=True)) for row in pairs]
        )


def ask(park: DataPark, name: str, facets: list[tuple[str, str]]) -> None:
    """Time pages of 100."""
    before, times_ms, n_found = (math.inf, ""), [], 0
    for _ in range(PAGES):
        begun_s = time.perf_counter()
        found = park.repositories.page(None, "dataset", before=before, most=100, facets=facets)
        times_ms.append((time.perf_counter() - begun_s) * 1e3)
        n_found += len(found)
        if len(found) < 100:
            break
        before = (found[-1].changed_at_s, found[-1].repository_id)
    middle_ms, most_ms = statistics.median(times_ms), max(times_ms)
    print(f"{name:<16} {n_found:>6} found, page {middle_ms:.1f} ms at the median, {most_ms:.1f} at most")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
