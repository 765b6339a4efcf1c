"""From a request to a declaration: what is asked for stands in the JobSpec, or the place and the fix are told."""

from __future__ import annotations

from typing import Any

import pytest

from eureka_park.compute.core.job import JobSpec
from eureka_park.compute.core.job_check import FIELDS, check_request
from eureka_park.compute.core.site_room import ClassRoom, SiteRoom
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import GIB
from eureka_park.web.schemas import JobRequest

NOW_S = 1_795_348_800.0
SITE = SiteRoom(
    (ClassRoom("h100-8", "H100-class", 4, 224, 2048 * GIB, 8, 10.2), ClassRoom("fat", "", 10, 128, 4096 * GIB, 0, 1.5))
)


def checked(**request: Any) -> JobSpec:
    return check_request({"command": ["true"], **request}, NOW_S, SITE)


def refused(**request: Any) -> BadInput:
    with pytest.raises(BadInput) as caught:
        checked(**request)
    return caught.value


def test_a_usual_job_is_a_part_of_one_node() -> None:
    spec = checked()
    assert (spec.n_nodes, spec.n_nodes_min, spec.n_gpus, spec.n_cpus, spec.memory_bytes) == (1, 0, 0, 1.0, GIB)
    assert (spec.gpu_type, spec.person, spec.declared_kw) == ("", "", None)


def test_a_gang_takes_all_of_its_nodes() -> None:
    spec = checked(gpus=24, min_gpus=8, checkpoint=True, kw=25)
    assert (spec.n_nodes, spec.n_nodes_min, spec.n_gpus, spec.n_cpus) == (3, 1, 8, 224)
    assert (spec.memory_bytes, spec.gpu_type, spec.declared_kw) == (2048 * GIB, "H100-class", 25.0)
    assert JobSpec.from_json(spec.to_json()) == spec
    assert checked(nodes=2, gpu_type="h100").n_gpus == 8 and checked(nodes=2).n_gpus == 0


def test_a_declaration_of_an_older_park_is_read() -> None:
    new = ("n_nodes", "n_nodes_min", "gpu_type", "person", "declared_kw")
    old = {name: value for name, value in checked(gpus=2).to_json().items() if name not in new}
    assert JobSpec.from_json(old) == checked(gpus=2)


@pytest.mark.parametrize(
    ("request_", "field", "says"),
    [
        ({"gpus": 20}, "gpus", "Ask for 16 or 24 GPUs."),
        ({"gpus": 64}, "gpus", "at most 32"),
        ({"nodes": 0}, "nodes", "from 1 to"),
        ({"nodes": True}, "nodes", "whole number"),
        ({"nodes": 2.0}, "nodes", "whole number"),
        ({"gpus": 1, "gpu_type": "l40s"}, "gpu_type", "There is H100-class."),
        ({"gpu_type": 3, "gpus": 1}, "gpu_type", "one line of text"),
        ({"gpus": 16, "min_gpus": 8}, "min_gpus", "checkpoint"),
        ({"nodes": 2, "min_nodes": 0, "checkpoint": True}, "min_nodes", "from 1 to"),
        ({"kw": 0}, "kw", "above zero"),
        ({"kw": 11.0, "gpus": 1}, "kw", "its node draws 10.2 kW at most"),
        ({"kw": 21.0, "gpus": 16}, "kw", "its nodes draw 20.4 kW at most"),
        ({"kw": float("nan")}, "kw", "above zero"),
        ({"node": 3}, "node", "Did you mean 'nodes'?"),
        ({"person": "somebody"}, "person", "Known fields"),
    ],
)  # fmt: skip
def test_what_is_refused_names_the_place(request_: dict[str, Any], field: str, says: str) -> None:
    error = refused(**request_)
    assert error.field == field and says in error.line(), error.line()


def test_the_fields_are_those_of_the_api() -> None:
    assert set(FIELDS) == {item.alias or name for name, item in JobRequest.model_fields.items()}
