from __future__ import annotations

import numpy as np
import pytest

from eureka_park.foundation.errors import BadInput
from eureka_park.twin.core.workload import NodeShape, Workload, workload_of

SHAPE = NodeShape(4, 8, 64_000, 524_288, "a100")


def small(**columns: object) -> Workload:
    return workload_of(("a", "b"), {"submit_s": [0.0, 10.0, 20.0], "run_s": [60.0, 60.0, 60.0], **columns})


def test_missing_columns_take_their_plain_value() -> None:
    work = small()
    assert work.n_jobs == 3
    assert work.n_nodes.tolist() == [1, 1, 1]
    assert work.time_s.tolist() == [60.0, 60.0, 60.0]
    assert np.isinf(work.deadline_s).all()
    assert work.after.tolist() == [-1, -1, -1]


def test_gpu_seconds_count_all_nodes() -> None:
    assert small(gpus=8, n_nodes=[1, 2, 4]).gpu_s.tolist() == [480.0, 960.0, 1920.0]


@pytest.mark.parametrize(
    ("columns", "row", "field"),
    [
        ({"submit_s": [0.0, 10.0, 5.0]}, 3, "submit_s"),
        ({"submit_s": [-1.0, 10.0, 15.0]}, 1, "submit_s"),
        ({"submit_s": [0.0, float("nan"), 15.0]}, 2, "submit_s"),
        ({"run_s": [60.0, 0.0, 60.0]}, 2, "run_s"),
        ({"run_s": [60.0, float("inf"), 60.0], "time_s": 60.0}, 2, "run_s"),
        ({"leaf": [0, 1, 2]}, 3, "leaf"),
        ({"leaf": [0, -1, 0]}, 2, "leaf"),
        ({"n_nodes": [1, 0, 1]}, 2, "n_nodes"),
        ({"n_nodes_min": [0, 2, 0]}, 2, "n_nodes_min"),
        ({"gpus": [0, 0, -1]}, 3, "gpus"),
        ({"mcpu": [1000, 0, 1]}, 2, "mcpu"),
        ({"mem_mib": [0, 1, 1]}, 1, "mem_mib"),
        ({"tier": [0, 1, 3]}, 3, "tier"),
        ({"job_class": [0, -1, 2]}, 2, "job_class"),
        ({"time_s": [60.0, 60.0, -1.0]}, 3, "time_s"),
        ({"deadline_s": [np.inf, 10.0, np.inf]}, 2, "deadline_s"),
        ({"power_frac": [1.0, 0.05, 1.0]}, 2, "power_frac"),
        ({"power_frac": [1.0, 1.0, 1.5]}, 3, "power_frac"),
        ({"after": [-1, 1, -1]}, 2, "after"),
        ({"after": [-1, -2, -1]}, 2, "after"),
        ({"image": [0, 0, -1]}, 3, "image"),
        ({"gpu_type": [0, -1, -1]}, 1, "gpu_type"),
    ],
)
def test_a_wrong_value_is_told_with_its_row(columns: dict[str, object], row: int, field: str) -> None:
    with pytest.raises(BadInput, match=f"^Job {row}: {field} = ") as caught:
        small(**columns)
    assert caught.value.field == field
    assert caught.value.fix


def test_an_unknown_column_is_named() -> None:
    with pytest.raises(BadInput, match="'cores' is no column"):
        small(cores=1)


def test_a_column_of_another_length_is_told() -> None:
    work = small()
    broken = Workload(**{**{name: getattr(work, name) for name in work.__slots__}, "run_s": np.ones(2)})
    with pytest.raises(BadInput, match="'run_s' has 2 values of float64, not 3"):
        broken.validate()


def test_a_gang_larger_than_the_site_is_refused() -> None:
    assert small(gpus=8, n_nodes=4).fitted([SHAPE]).n_jobs == 3
    with pytest.raises(BadInput, match="Job 2 asks for 5 nodes with 8 GPUs") as caught:
        small(gpus=8, n_nodes=[1, 5, 1]).fitted([SHAPE])
    assert caught.value.code == "larger_than_site"


def test_an_elastic_gang_fits_by_its_least_size() -> None:
    assert small(gpus=8, n_nodes=8, n_nodes_min=4).fitted([SHAPE]).least_nodes.tolist() == [4, 4, 4]
    with pytest.raises(BadInput, match="Job 1"):
        small(gpus=8, n_nodes=8, n_nodes_min=5).fitted([SHAPE])


def test_one_class_must_hold_the_whole_job() -> None:
    many_small = NodeShape(100, 1, 8_000, 1024)
    with pytest.raises(BadInput, match="Job 1"):
        small(gpus=2, n_nodes=10).fitted([SHAPE, many_small])


def test_a_gpu_type_that_the_site_lacks_is_refused() -> None:
    work = workload_of(
        ("a",), {"submit_s": [0.0], "run_s": [1.0], "gpus": 1, "gpu_type": 0}, gpu_types=("h100", "a100")
    )
    with pytest.raises(BadInput, match="Job 1"):
        work.fitted([SHAPE])
    also = workload_of(
        ("a",), {"submit_s": [0.0], "run_s": [1.0], "gpus": 1, "gpu_type": 1}, gpu_types=("h100", "a100")
    )
    assert also.fitted([SHAPE]) is also


def test_rows_keep_who_comes_after_whom() -> None:
    work = small(after=[-1, 0, 1])
    assert work.rows(np.array([True, True, False])).after.tolist() == [-1, 0]
    assert work.rows(np.array([False, True, True])).after.tolist() == [-1, 0]
    assert work.rows(np.array([True, False, True])).after.tolist() == [-1, -1]
