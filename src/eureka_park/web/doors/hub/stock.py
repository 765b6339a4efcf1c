"""What projects keep, with its size: `hf repos ls`."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request

from eureka_park.accounts.service import Act
from eureka_park.data.core.repository import RepositoryKind
from eureka_park.web.doors.hub import forms
from eureka_park.web.doors.hub.asking import Asked, asked_of

MOST: Final = 500  # of each kind, those changed last


def of_mine(request: Request) -> list[dict[str, Any]]:
    """Repositories of all projects that one may keep data in."""
    asked = asked_of(request)
    mine = asked.park.data.repositories.writable(asked.someone())
    return [row for project_id in mine for row in _rows(asked, project_id)]


def of_project(request: Request, project: str) -> list[dict[str, Any]]:
    """Repositories of one project."""
    asked = asked_of(request)
    asked.park.accounts.require(Act.SEE, asked.who, project)
    return _rows(asked, project)


def _rows(asked: Asked, project_id: str) -> list[dict[str, Any]]:
    repositories = asked.park.data.repositories
    found = [
        one for kind in RepositoryKind for one in repositories.page(asked.who, kind, project_id=project_id, most=MOST)
    ]
    sizes = [repositories.versions.at(one, "main").size_bytes for one in found]
    whole = sum(sizes) or 1
    return [
        {
            "id": one.full_name,
            "type": str(one.kind),
            "updatedAt": forms.instant(one.changed_at_s),
            "visibility": "public" if str(one.visibility) == "public" else "private",
            "storage": size,
            "storagePercent": round(100 * size / whole, 2),
        }
        for one, size in zip(found, sizes, strict=True)
    ]
