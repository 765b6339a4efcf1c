"""A park with a past: the real live loop on a stepped clock through a stretch of synthetic work, as a home at rest."""

from __future__ import annotations

import random
from pathlib import Path

from tests.helpers.live_park import LivePark

SITE = """name = "lab"
title = "Lab"

[scale]
of = "eureka-park"

[[nodes]]
id = "box"
engine = "local"
n_nodes = 4
n_cpus = 8
memory_gib = 32.0
rated_kw = 0.4
idle_kw = 0.1

[policy]
sky = "green"
"""
PROJECTS = ("biology", "physics", "welcome")
STEP_S = 20.0


def recorded_park(folder: Path, n_jobs: int = 200, hours: float = 24.0, seed: int = 1, load: float = 1.2) -> LivePark:
    """Let jobs of three projects come in bursts, from `hours` ago until now. Deterministic but for jobs' names."""
    site = folder / "lab.toml"
    site.write_text(SITE)
    park = LivePark(folder, site_name=str(site))
    for name in PROJECTS[:2]:
        park.park.accounts.ensure_project(name, name.title(), False)
        with park.park.db.write() as conn:
            park.park.ledger.grant(conn, name, 1e9, "Grant", at_s=park.clock.park_s())
    with park.park.db.write() as conn:
        park.park.ledger.grant(conn, "welcome", 1e9, "Grant", at_s=park.clock.park_s())
    draw = random.Random(seed)
    work_s = load * 4 * 8 * hours * 3600.0 / n_jobs  # CPU seconds of the mean job
    begin_s = park.clock.park_s()
    comes = sorted(draw.triangular(0.0, hours * 0.8, hours * 0.2) * 3600.0 for _ in range(n_jobs))
    for _ in range(round(hours * 3600.0 / STEP_S)):
        while comes and begin_s + comes[0] <= park.clock.park_s():
            comes.pop(0)
            _submit(park, draw, work_s)
        park.clock.step(STEP_S)
        park.live.cycle()
    park.live.state.validate()
    return park


def _submit(park: LivePark, draw: random.Random, work_s: float) -> None:
    n_cpus = draw.choice((1, 2, 4, 8))
    run_s = max(60.0, work_s / n_cpus * draw.lognormvariate(-0.5, 1.0))
    tier = draw.choices(("firm", "flex", "green"), (0.2, 0.6, 0.2))[0]
    park.submit(
        run_s=run_s, project=draw.choices(PROJECTS, (0.5, 0.3, 0.2))[0], name=f"{tier}-{n_cpus}", cpus=n_cpus,
        memory="2GiB", time=round(run_s * draw.uniform(1.05, 3.0) / 60.0 + 1.0) * 60, tier=tier,
        checkpoint=draw.random() < 0.5,
    )  # fmt: skip
