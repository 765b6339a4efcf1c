"""When a job would start that is only asked about, over a park that runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.live_park import LivePark

from eureka_park.bootstrap import STARTS_FILE
from eureka_park.foundation.units import parse_instant_s
from eureka_park.twin import asked_starts
from eureka_park.twin.core.starts import N_DRAWS, one_draw

HOUR_S = 3600.0


@pytest.fixture
def park(tmp_path: Path) -> Iterator[LivePark]:
    """A park whose one machine is taken for three hours."""
    park = LivePark(tmp_path)
    park.submit(run_s=1, tier="firm", cpus=0.1)  # a project's first job starts whatever the sky says
    park.step(times=4)
    park.submit(run_s=1e6, tier="firm", cpus=n_cpus(park), time="3h")
    park.step(times=2)
    yield park
    park.park.close()


def n_cpus(park: LivePark) -> float:
    return park.park.site.nodes[0].n_cpus


def estimate(park: LivePark, who: Any = "owner", **request: Any) -> tuple[float, float] | None:
    """Seconds from now of the firm tier's p50 and p90."""
    request = {"command": ["true"], "time": 3600, "tier": "firm", "cpus": n_cpus(park), **request}
    answer = park.park.compute.quote(park.owner if who == "owner" else who, request)
    told, now_s = answer["tiers"]["firm"], park.clock.park_s()
    if told["estimate"] is None:
        return None
    assert not told["starts_now"] and answer["labels"]["starts"].startswith("assumption")
    return tuple(parse_instant_s(told["estimate"][name]) - now_s for name in ("p50_at", "p90_at"))  # type: ignore[return-value]


def keep(park: LivePark, **more: Any) -> None:
    """What the deciding process leaves behind when it asks for starts."""
    estimates = park.live.parts.estimates
    request = estimates._request(park.live.state, park.clock.park_s(), park.clock.real_s())
    park.park.home.write(STARTS_FILE, json.dumps({**request(), **more}))


def wait_of_others(park: LivePark, n: int = 6) -> None:
    """Firm jobs of another project that take the whole machine one after the other."""
    park.park.accounts.ensure_project("others", "Others", True)
    for _ in range(n):
        park.submit(run_s=1e6, tier="firm", cpus=n_cpus(park), time="5h", project="others", priority=9)
    park.step(times=2)


def test_a_job_that_waits_for_room_is_told_its_start_before_the_declared_end(park: LivePark) -> None:
    found = estimate(park)
    assert found is not None and 0 <= found[0] <= found[1] <= 3 * HOUR_S + asked_starts.TICK_S


def test_what_starts_now_needs_no_estimate(park: LivePark) -> None:
    park.park.compute.cancel(park.owner, next(iter(park.live.state.on_node)))
    park.step(times=4)
    assert estimate(park) is None


def test_the_kept_board_knows_who_waits_elsewhere(park: LivePark) -> None:
    wait_of_others(park)
    alone = estimate(park)
    keep(park)
    behind = estimate(park)
    assert alone is not None and behind is not None
    assert alone[0] <= 3 * HOUR_S + asked_starts.TICK_S
    assert behind[0] > alone[0], "jobs of the other project start before it"


@pytest.mark.parametrize("damage", [{"real_s": 0.0}, {"side": {}}, {"board": {"schema": "another"}}, {"ended": [1]}])
def test_a_board_that_is_old_or_damaged_tells_nothing(park: LivePark, damage: dict[str, Any]) -> None:
    alone = estimate(park)
    wait_of_others(park)
    keep(park, **damage)
    assert estimate(park) == alone is not None
    park.park.home.write(STARTS_FILE, "{")
    assert estimate(park) == alone


def test_a_board_that_is_too_large_is_not_read(park: LivePark, monkeypatch: pytest.MonkeyPatch) -> None:
    wait_of_others(park)
    alone = estimate(park)
    monkeypatch.setattr(asked_starts, "BYTES_MAX", 1000)
    keep(park)
    assert estimate(park) == alone


def test_the_same_question_is_worked_out_once(park: LivePark, monkeypatch: pytest.MonkeyPatch) -> None:
    first, n = estimate(park), list[float]()

    def counted(board: Any, ratios: Any, now_s: float, *args: Any, **more: Any) -> Any:
        n.append(now_s)
        return one_draw(board, ratios, now_s, *args, **more)

    monkeypatch.setattr(asked_starts, "one_draw", counted)
    assert estimate(park) == first and not n
    assert estimate(park, time=7200) is not None and 0 < len(n) <= 3 * N_DRAWS
    n.clear()
    wait_of_others(park, 1)
    assert estimate(park) is not None and n, "the rows are other ones now"


def test_a_visitor_is_told_what_is_known_or_cheap(park: LivePark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked_starts, "VISITOR_BUDGET_S", 0.0)
    assert estimate(park, who=None, project="welcome") is None
    monkeypatch.setattr(asked_starts, "VISITOR_BUDGET_S", 10.0)
    known = estimate(park, who=None, project="welcome")
    monkeypatch.setattr(asked_starts, "VISITOR_BUDGET_S", 0.0)
    assert known is not None and estimate(park, who=None, project="welcome") == known
