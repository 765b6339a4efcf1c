"""A job that names no project belongs to the usual one, or to the only one that its sender has."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from eureka_park.accounts.core.permissions import Principal
from eureka_park.compute.own_project import with_project
from eureka_park.foundation.errors import BadInput

WHO = Principal("person-a", "Mina", False, frozenset())


def accounts(*may: str) -> Any:
    return SimpleNamespace(
        projects=lambda _who: [
            SimpleNamespace(project_id=name) for name in ("lab", "seen", "solar", "try-a", "welcome")
        ],
        answer=lambda _act, _who, name: SimpleNamespace(is_allowed=name in may),
    )


@pytest.mark.parametrize(
    ("may", "named", "project"),
    [
        (("try-a",), None, "try-a"),
        (("try-a", "welcome"), None, None),
        (("try-a",), "lab", "lab"),
        ((), None, None),
        (("lab", "try-a"), None, "lab"),
    ],
)
def test_the_project_of_a_job(may: tuple[str, ...], named: str | None, project: str | None) -> None:
    request = {"command": ["true"], **({"project": named} if named else {})}
    assert with_project(accounts(*may), WHO, request).get("project") == project
    assert with_project(accounts(*may), None, request) is request, "a visitor asks for the usual one"


def test_of_several_one_is_named() -> None:
    with pytest.raises(BadInput, match="names no project") as refused:
        with_project(accounts("solar", "lab", "try-a"), WHO, {"command": ["true"]})
    assert "lab, solar, try-a" in refused.value.fix and refused.value.field == "project"
