"""Versions of data sets as Croissant, with addresses of this park as the reader knows it."""

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.data.core.columns import KINDS, NUMBER, WHOLE, Column
from eureka_park.data.core.croissant import MEDIA_TYPE, Described
from eureka_park.data.core.repository import RepositoryKind
from eureka_park.data.objects.reading import Blob
from eureka_park.data.repositories.access import Want
from eureka_park.foundation.errors import NotFound
from eureka_park.foundation.units import iso_from_s
from eureka_park.web.auth import url_of
from eureka_park.web.preview import parquet
from eureka_park.web.preview.rows import NoTable

DATE_CHARS: Final = 10


class CroissantResponse(Response):
    """JSON-LD with the media type of Croissant."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """As readable text."""
        return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False).encode()


def described(
    request: Request, park: Park, who: Principal | None, kind: str, project_id: str, name: str, revision: str
) -> dict[str, Any]:
    """The JSON-LD of a version that `who` may read. Raises NotFound (for models too), Forbidden."""
    found = park.data.repositories.find(Want.READ, who, kind, project_id, name)
    if found.kind is not RepositoryKind.DATASET:
        raise NotFound("Croissant describes data sets.", fix="See the model's card.", code="no_croissant")
    version = park.data.repositories.versions.at(found, revision)
    base, at = url_of(request), f"{quote(found.project_id)}/{quote(found.name)}"
    of = Described(
        name=found.full_name,
        url=f"{base}/data/datasets/{at}",
        files_url=f"{base}/hub/datasets/{at}/resolve/{version.commit_id}",
        creator=found.project_id,
        revision=revision,
        commit_id=version.commit_id,
        date=str(iso_from_s(version.made_at_s))[:DATE_CHARS],
    )
    return park.data.describer.describe(found, version, of, _parquet_columns if parquet.can_read() else None)


def _parquet_columns(blob: Blob) -> list[Column]:
    """The columns of a Parquet file that hold plain values; none where it cannot be looked at."""
    try:
        table = parquet.parquet_table(lambda start, end: b"".join(blob.read(start, end)), blob.size_bytes, 0)
    except (NoTable, parquet.TooHard, parquet.Busy):
        return []
    found = []
    for one in table.columns:
        kind = NUMBER if one.kind == WHOLE and one.n_missing else one.kind
        if kind in KINDS:
            found.append(Column(one.name, kind))
    return found
