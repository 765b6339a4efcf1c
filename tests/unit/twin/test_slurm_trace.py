"""A record of sacct as a trace of the twin."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from tests.helpers.sacct_text import TEXT, row

from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.seeds import SeedTree
from eureka_park.twin.core.sacct import FIELDS
from eureka_park.twin.core.traces import Filling, workload_from
from eureka_park.twin.core.workload import NodeShape
from eureka_park.twin.trace_files import read_trace

SHAPES = (NodeShape(4, 2, 32_000, 262_144),)


def test_a_record_becomes_a_workload(tmp_path: Path) -> None:
    (tmp_path / "day.sacct").write_text(TEXT)
    work = workload_from(read_trace(tmp_path / "day.sacct"), Filling(SHAPES, SeedTree(1)))
    assert work.n_jobs == 15
    assert set(work.leaves) == {"physics/amal", "biology/badr"}
    assert work.filled["left_out"] == 7
    assert read_trace(tmp_path / "day.sacct").lines[1] == 4  # a step stands between them
    eight = int(np.flatnonzero(work.n_gpus == 8)[0])
    assert (work.n_nodes[eight], work.gpus[eight], work.submit_s[eight]) == (4, 2, 500 * 60.0)
    alone = int(np.flatnonzero(work.gpus == 0)[0])
    assert (work.mcpu[alone], work.mem_mib[alone], work.time_s[alone]) == (8000, 16 * 1024, 4 * 3600.0)
    assert "tier" in work.filled
    assert np.bincount(work.ending).tolist() == [11, 1, 3]


def test_a_packed_record_is_the_same(tmp_path: Path) -> None:
    (tmp_path / "day.sacct").write_text(TEXT)
    (tmp_path / "day.sacct.gz").write_bytes(gzip.compress(TEXT.encode()))
    plain, packed = (read_trace(tmp_path / name) for name in ("day.sacct", "day.sacct.gz"))
    assert all((plain.columns[name] == packed.columns[name]).all() for name in ("submit_s", "run_s", "gpus", "leaf"))


def test_records_that_cannot_be_a_trace(tmp_path: Path) -> None:
    (tmp_path / "local.sacct").write_text(
        "\n".join(("|".join(FIELDS), row("1", 0, 0, 9, 1, Submit="2026-11-25T01:00:00")))
    )
    with pytest.raises(BadInput, match="local time"):
        read_trace(tmp_path / "local.sacct")
    (tmp_path / "none.sacct").write_text("|".join(FIELDS) + "\n")
    with pytest.raises(BadInput, match="holds no jobs"):
        workload_from(read_trace(tmp_path / "none.sacct"), Filling(SHAPES, SeedTree(1)))
