"""Memory is foreseen: what a run needs grows with its size, and what this machine leaves is read, not guessed."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from eureka_park.foundation.errors import TooLarge
from eureka_park.foundation.site_reading import load_site
from eureka_park.foundation.units import GIB, MIB
from eureka_park.twin import foresight
from eureka_park.twin.foresight import check_memory, check_rows, foreseen_mib, memory_free_bytes, run_bytes

SITE = load_site("eureka-park")


def test_each_part_grows_with_its_size() -> None:
    one, two = run_bytes(1_000_000, 1000, 100, 10.0), run_bytes(2_000_000, 2000, 200, 10.0)
    assert two["jobs"] == 2 * one["jobs"]
    assert two["nodes"] == 2 * one["nodes"]
    assert two["tenants"] == 2 * one["tenants"]
    assert foreseen_mib(SITE, 0, 0, 1.0) < foreseen_mib(SITE, 1_000_000, 0, 1.0)


@pytest.mark.parametrize(
    ("n_jobs", "n_tenants", "days", "what", "fix"),
    [
        (10**8, 100, 365.0, "most of it for 100,000,000 jobs", "Give fewer jobs or days"),
        (1, 1_000_000, 365.0, "most of it for 1,000,000 tenants over 365 days", "Give fewer days"),
    ],
)
def test_a_run_is_refused_with_its_figures(n_jobs: int, n_tenants: int, days: float, what: str, fix: str) -> None:
    with pytest.raises(TooLarge) as caught:
        check_memory(SITE, n_jobs, n_tenants, days, free_bytes=4.0 * GIB)
    assert what in caught.value.message
    assert caught.value.message.endswith("4.0 GiB are free.")
    assert fix in caught.value.fix
    assert "\n" not in caught.value.line()


def test_a_run_that_fits_goes_on() -> None:
    check_memory(SITE, 10_000, 100, 2.0, free_bytes=1.0 * GIB)


def test_what_the_process_holds_already_is_not_needed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    statm = tmp_path / "statm"
    statm.write_text(f"900000 {250 * MIB // resource.getpagesize()} 1 1 0 1 0\n")
    monkeypatch.setattr(foresight, "STATM", statm)
    monkeypatch.setattr(foresight, "memory_free_bytes", lambda: 100.0 * MIB)
    check_memory(SITE, 10, 1, 1.0)  # as a second run in one process
    monkeypatch.setattr(foresight, "STATM", tmp_path / "none")
    with pytest.raises(TooLarge, match="most of it for the program alone"):
        check_memory(SITE, 10, 1, 1.0)


def test_many_machines_are_named() -> None:
    kind = SITE.nodes[0].model_copy(update={"n_nodes": 5_000_000})
    with pytest.raises(TooLarge, match="most of it for 5,000,000 machines"):
        check_memory(SITE.model_copy(update={"nodes": (kind,)}), 1, 1, 1.0, free_bytes=1.0 * GIB)


def test_a_trace_is_refused_by_its_rows() -> None:
    with pytest.raises(TooLarge, match=r"big\.csv holds about 100,000,000 jobs, which need .* GiB of memory; 8\.0 GiB"):
        check_rows("big.csv", 10**8, 3, free_bytes=8.0 * GIB)
    check_rows("small.csv", 10**5, 3, free_bytes=1.0 * GIB)


def test_the_tightest_bound_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meminfo, groups, root = tmp_path / "meminfo", tmp_path / "cgroup", tmp_path / "fs"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:  4194304 kB\n")
    inner = root / "memory" / "a" / "b"
    inner.mkdir(parents=True)
    groups.write_text("3:cpu:/a\n4:memory:/a/b\n")
    for name, path in (("MEMINFO", meminfo), ("GROUPS", groups), ("CGROUP", root)):
        monkeypatch.setattr(foresight, name, path)
    monkeypatch.setattr(foresight, "_of_limits", lambda: ())
    kept = 1.0 - foresight.KEPT_FREE_FRAC
    assert memory_free_bytes() == pytest.approx(4.0 * GIB * kept)
    outer = root / "memory" / "a"
    (outer / "memory.limit_in_bytes").write_text(f"{1 * GIB}\n")
    (outer / "memory.usage_in_bytes").write_text(f"{800 * MIB}\n")
    (outer / "memory.stat").write_text(f"cache 5\ntotal_inactive_file {100 * MIB}\n")
    assert memory_free_bytes() == pytest.approx((1024 - 800 + 100) * MIB * kept)
    groups.write_text("0::/a\n")
    (root / "a").mkdir()
    (root / "a" / "memory.max").write_text("max\n")
    (root / "a" / "memory.current").write_text("5\n")
    assert memory_free_bytes() == pytest.approx(4.0 * GIB * kept)
    (root / "a" / "memory.max").write_text(f"{500 * MIB}\n")
    (root / "a" / "memory.current").write_text(f"{600 * MIB}\n")
    assert memory_free_bytes() == 0.0
