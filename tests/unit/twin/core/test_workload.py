"""Workloads, the board they open on, and the plans that are put there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from eureka_park.compute.core.board_setup import ClassRow
from eureka_park.control.policy import Policy, Sky
from eureka_park.control.setup import set_policy
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.site_reading import load_site
from eureka_park.twin.core.failures import no_failures
from eureka_park.twin.core.opening import class_rows, opening_on, site_gpu_types
from eureka_park.twin.core.play import world_of
from eureka_park.twin.core.sky_series import flat_sky
from eureka_park.twin.core.workload import workload_of
from eureka_park.twin.core.world import DONE, _look_up, play_on

KIND = ClassRow(2, 64_000, 1 << 19, 8, 0, 10.0, 2.0, 0.7)


def columns(**more: Any) -> dict[str, Any]:
    return {"submit_s": [0.0, 1.0, 2.0], "run_s": [60.0, 60.0, 60.0], **more}


@pytest.mark.parametrize("wrong", [2**31, -(2**31) - 1, 4_294_901_758, 1e12, float("nan")])
def test_a_number_that_a_column_does_not_hold_names_its_row(wrong: float) -> None:
    with pytest.raises(BadInput, match="Job 2: priority = ") as caught:
        workload_of(("a",), columns(priority=np.array([0, wrong, 0])))
    assert caught.value.field == "priority"
    most = workload_of(("a",), columns(priority=np.array([0, 2**31 - 1, -(2**31)])))
    assert most.priority.tolist() == [0, 2**31 - 1, -(2**31)]
    with pytest.raises(BadInput, match="Job 1: gpu_type"):
        workload_of(("a",), columns(gpu_type=70_000))


def test_machines_without_gpus_are_no_kind_of_gpu() -> None:
    site = load_site("eureka-park")
    kinds = [kind.model_copy(update={"n_gpus": 0, "gpu_type": ""}) for kind in site.nodes[:1]]
    mixed = site.model_copy(update={"nodes": (*kinds, *site.nodes)})
    assert site_gpu_types(mixed) == site_gpu_types(site) and "" not in site_gpu_types(mixed)
    assert [row.gpu_type for row in class_rows(mixed)[1:]] == [row.gpu_type for row in class_rows(site)]
    assert (class_rows(mixed)[0].n_gpus, class_rows(mixed)[0].gpu_type) == (0, 0)


def test_a_plan_that_begins_after_its_issue_is_not_read_before() -> None:
    work = workload_of(("a",), columns())
    sky = flat_sky(30.0, 1.0)
    clean_kw = np.stack([np.full_like(sky.plan_clean_kw[0], 10.0), np.full_like(sky.plan_clean_kw[0], 20.0)])
    hour0_s, names = sky.hour0_s, ("plan_p10_kw", "plan_grid_kw", "step_up_to_kw", "step_price")
    both = {name: np.stack([getattr(sky, name)[0]] * 2) for name in names}
    both |= {"plan_clean_kw": clean_kw, "plan_issued_s": np.full(2, hour0_s), "plan_first_hour": np.array([0, 2])}
    sky = replace(sky, **both)
    opening = opening_on((KIND,), ("any",), work, [("a", 1.0, 0.0)])
    board = opening.board
    world = world_of(board, work, sky, no_failures(), opening.leaf_rows, opening.gpu_types, learns=False)
    world.place.hour[0] = -1
    for hour, clean in ((0, 10.0), (1, 10.0), (2, 20.0), (3, 20.0)):
        now_s = hour0_s + 3600.0 * hour
        _look_up(board, world, now_s)
        assert (float(board.sky.start_s[0]), float(board.sky.clean_kw[0])) == (now_s, clean)
        assert int(board.g.n_sky[0]) == clean_kw.shape[1] - (hour - (2 if clean == 20.0 else 0))


def test_a_first_job_is_free_of_the_sky_as_in_the_live_park() -> None:
    """Without clean power a flex job waits, unless its project never had one; without the column nobody is free."""
    work = workload_of(("a", "b"), columns(leaf=[0, 0, 1], is_first=[True, False, False]))
    assert not workload_of(("a",), columns()).is_first.any()
    opening = opening_on((KIND,), ("any",), work, [("a", 1.0, 0.0), ("b", 1.0, 0.0)])
    board = opening.board
    world = world_of(
        board, work, flat_sky(0.0, 0.2, grid_kw=100.0), no_failures(), opening.leaf_rows, opening.gpu_types
    )
    set_policy(board, Policy(sky=Sky.BINDING), explain=False)
    world.place.tick_s[0], world.place.until_s[0] = 60.0, 3600.0
    while play_on(board, world) != DONE:
        world.place.n_log[0] = 0
    assert np.isfinite(world.fate.first_start_s).tolist() == [True, False, False]
