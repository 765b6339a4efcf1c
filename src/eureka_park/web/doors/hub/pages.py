"""Lists in pages, as clients of the hub follow them: the address of the next page is in a header."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

from fastapi.responses import Response

from eureka_park.foundation.errors import BadInput
from eureka_park.web.doors.hub.asking import Asked


def page(asked: Asked, rows: list[dict[str, Any]], following: str) -> Response:
    """A list, with the address of its next page; `following` says where that begins, '' for the last page."""
    headers = {}
    if following:
        cursor = base64.urlsafe_b64encode(following.encode()).decode()
        query = [(key, value) for key, value in asked.request.query_params.multi_items() if key != "cursor"]
        path = "/".join(quote(piece, safe="") for piece in asked.path)
        url = f"{asked.base()}/{path}?{urlencode([*query, ('cursor', cursor)])}"
        headers["Link"] = f'<{url}>; rel="next"'
    return Response(json.dumps(rows, separators=(",", ":")), headers=headers, media_type="application/json")


def read_cursor(text: str) -> str:
    """Where a page begins. Raises BadInput."""
    try:
        return base64.urlsafe_b64decode(text[:4096]).decode()
    except ValueError:
        raise BadInput("That is no place to go on from.", fix="Follow the Link header.", field="cursor") from None
