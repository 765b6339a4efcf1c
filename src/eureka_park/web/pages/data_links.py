"""Where the pages of data sets and models lie."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote, urlencode

from eureka_park.data.core.repository import MAIN, RepositoryKind

KINDS: Final = {"datasets": RepositoryKind.DATASET, "models": RepositoryKind.MODEL}
PLURAL: Final = {RepositoryKind.DATASET: "datasets", RepositoryKind.MODEL: "models"}


def link_to(kind: str, project_id: str, name: str, part: str = "", *pieces: str, **query: object) -> str:
    """The page of a repository, or one of its parts: `tree`, `file`, `raw`, `history` with revision and path."""
    path = "/".join([PLURAL[RepositoryKind(kind)], *(quote(piece, safe="") for piece in (project_id, name))])
    if part:
        path += f"/{part}"
    path += "".join(f"/{quote(piece, safe='')}" for piece in pieces[:1])
    path += "".join(f"/{quote(piece)}" for piece in pieces[1:] if piece)
    asked = urlencode({key: value for key, value in query.items() if value not in ("", None)})
    return f"/data/{path}{'?' + asked if asked else ''}"


def park_uri(kind: str, project_id: str, name: str, revision: str = MAIN) -> str:
    """How jobs name it as an input."""
    return f"park://{PLURAL[RepositoryKind(kind)]}/{project_id}/{name}@{revision}"
