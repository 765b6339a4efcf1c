"""What clients of the hub say of a job, in the park's own words."""

from __future__ import annotations

from typing import Any

import pytest

from eureka_park.compute.core.site_room import ClassRoom, SiteRoom
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import GIB
from eureka_park.web.doors.hub.job_words import hardware, request_of, room_of_flavor

ROOM = SiteRoom(
    (
        ClassRoom("thin", "", 4, 16.0, 64 * GIB, 0),
        ClassRoom("h100", "H100", 3, 32.0, 256 * GIB, 8),
        ClassRoom("l40s", "L40S 48GB", 1, 16.0, 128 * GIB, 2),
    )
)


def test_every_flavour_that_is_listed_is_one_that_can_be_asked_for() -> None:
    names = [row["name"] for row in hardware(ROOM)]
    assert names[:3] == ["cpu", "cpu-2", "cpu-4"] and {"1xh100", "8xh100", "16xh100", "2xl40s-48gb"} <= set(names)
    assert "24xh100" not in names and len(names) == len(set(names))
    for name in names:
        room_of_flavor(name, ROOM)


@pytest.mark.parametrize(
    ("flavor", "fields"),
    [
        ("cpu-basic", {}),
        ("cpu-4", {"cpus": 4.0, "memory": 32 * GIB}),
        ("2xh100", {"gpus": 2, "gpu_type": "H100", "cpus": 8.0, "memory": 64 * GIB}),
        ("1xl40s", {"gpus": 1, "gpu_type": "L40S 48GB", "cpus": 8.0, "memory": 64 * GIB}),
        ("16xH100", {"gpus": 16, "gpu_type": "H100"}),
        ("1xa100", {"gpus": 1, "gpu_type": "a100"}),  # the park's own check says which there are
        ("1xgpu", {"gpus": 1}),
    ],
)
def test_a_flavour_is_a_share_of_a_node_or_whole_nodes(flavor: str, fields: dict[str, Any]) -> None:
    assert room_of_flavor(flavor, ROOM) == fields


@pytest.mark.parametrize("flavor", ["a100-large", "t4-small", "cpu-99", "0xh100", "x" * 1000])
def test_a_flavour_of_elsewhere_is_refused(flavor: str) -> None:
    with pytest.raises(BadInput, match="flavour"):
        room_of_flavor(flavor, ROOM)


def asked(**body: Any) -> dict[str, Any]:
    return request_of("lab", {"dockerImage": "python", "command": ["python", "a.py"], **body}, ROOM)


def test_a_declaration_is_told_in_the_parks_words() -> None:
    found = asked(
        dockerImage="python:3.12-slim", command=["python3", "a.py"], arguments=["b"], environment={"A": "1"},
        secrets={"KEY": "x"}, timeoutSeconds=90, flavor="1xh100",
        labels={"name": "run", "tier": "green", "by": "6h", "memory": "8GiB", "checkpoint": "true", "team": "dunes"},
    )  # fmt: skip
    assert found["command"] == ["python", "a.py", "b"] and found["requires_python"] == "==3.12.*"
    assert (found["env"], found["secrets"], found["time"], found["name"]) == ({"A": "1"}, {"KEY": "x"}, 90, "run")
    assert (found["tier"], found["by"], found["memory"], found["checkpoint"]) == ("green", "6h", "8GiB", True)
    assert found["labels"]["team"] == "dunes" and found["gpu_type"] == "H100"


def test_uv_run_names_packages_and_a_python() -> None:
    found = asked(dockerImage="ghcr.io/astral-sh/uv:python3.12-bookworm", command=[
        "uv", "run", "--with", "numpy>=2", "--with=six", "--python", "3.11", "train.py", "--with", "mine",
    ])  # fmt: skip
    assert found["command"] == ["python", "train.py", "--with", "mine"]
    assert (found["dependencies"], found["requires_python"]) == (["numpy>=2", "six"], "==3.11.*")


@pytest.mark.parametrize(
    "body",
    [
        {"dockerImage": "pytorch/pytorch:2.6"}, {"dockerImage": 3}, {"command": []}, {"command": "ls"},
        {"command": ["uv", "run"]}, {"command": ["uv", "run", "--reinstall", "a"]},
        {"command": ["uv", "run", "https://example.org/a.py"]}, {"attempts": 3}, {"spaceId": "a/b"},
        {"ssh": {"enabled": True}}, {"expose": {"ports": [80]}}, {"network": {"group": "a"}}, {"timeoutSeconds": "1h"},
        {"labels": ["a"]}, {"labels": {"cpus": "many"}}, {"labels": {"checkpoint": "perhaps"}},
    ],
)  # fmt: skip
def test_what_the_park_does_not_do_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        asked(**body)
