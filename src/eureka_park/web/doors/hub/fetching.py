"""Large files on their way out as packs of chunks, which clients fetch in parallel and put together themselves (Xet).

After the published specification of the protocol (huggingface/xet-core, `spec/api.md`): a token for one file of one
version, how ranges of the file are put together, and addresses of what of a pack is needed for them. Whoever may not
read the file gets none of the three.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from eureka_park.accounts.service import Principal
from eureka_park.bootstrap import Park
from eureka_park.data.core.entry import Entry
from eureka_park.data.core.repository import Repository
from eureka_park.data.objects.rebuilding import Plan, Span
from eureka_park.data.repositories.access import Want
from eureka_park.foundation.errors import NotFound, ParkError
from eureka_park.foundation.units import HOUR_S
from eureka_park.web.auth import park_of
from eureka_park.web.doors.hub.asking import (
    KINDS,
    Asked,
    asked_of,
    bad_token,
    read_signed,
    refusal,
    rest,
    signed,
)
from eureka_park.web.doors.hub.ranges import CAREFUL, part_answer, part_of

TOKEN_S: Final = HOUR_S
PACK_S: Final = HOUR_S / 4  # an address is used at once, else its client asks for a new one
_READ, _PACK = "xet-read", "pack"


def offer(asked: Asked, found: Repository, entry: Entry, commit_id: str) -> dict[str, str]:
    """Headers by which clients learn that a file can be fetched as packs; none for one that does not lie in any."""
    name = asked.park.data.objects.packs.file_hash(found.project_id, entry.sha256) if entry.is_large else ""
    if not name:
        return {}
    route = f"{asked.base()}/api/{found.kind}s/{quote(found.full_name)}/xet-read-token"
    return {"X-Xet-Hash": name, "X-Xet-Refresh-Route": f"{route}/{commit_id}/{quote(entry.path)}"}


def read_token(request: Request, kinds: str, project: str, name: str) -> Response:
    """A token for fetching one file of a version."""
    asked = asked_of(request)
    try:
        found = asked.find(Want.READ, kinds, project, name)
        revision, path = rest(asked, 5)
        versions = asked.park.data.repositories.versions
        entry = versions.entry(versions.at(found, revision), path)
    except ParkError as error:
        return refusal(error)
    words = {
        "kinds": kinds, "project": found.project_id, "name": found.name, "sha256": entry.sha256,
        "token": asked.who.token_id if asked.who is not None else "",
    }  # fmt: skip
    token = signed(asked.park, _READ, words, TOKEN_S)
    until_s = int(asked.park.clock.real_s() + TOKEN_S)
    url = f"{asked.base()}/xet"
    headers = {"X-Xet-Cas-Url": url, "X-Xet-Access-Token": token, "X-Xet-Token-Expiration": str(until_s)}
    return JSONResponse({"casUrl": url, "accessToken": token, "exp": until_s}, headers=headers)


def rebuild_v1(request: Request, digest: str) -> Response:
    """How a range of a file is put together, an address for each range of a pack."""
    return _rebuild(request, digest, lambda url, span: {"range": _chunks(span), "url": url, "url_range": _bytes(span)})


def rebuild_v2(request: Request, digest: str) -> Response:
    """The same in the form that newer clients ask for first."""
    return _rebuild(
        request, digest, lambda url, span: {"url": url, "ranges": [{"chunks": _chunks(span), "bytes": _bytes(span)}]}
    )


def _rebuild(request: Request, digest: str, told: Any) -> Response:
    park, words = _read_words(request)
    packs, project_id, sha256 = park.data.objects.packs, words["project"], words["sha256"]
    if packs.file_hash(project_id, sha256) != digest:
        raise NotFound("The token is for another file.", code="no_such_entry")
    size_bytes = park.data.objects.open(project_id, sha256).size_bytes
    part = part_of(request.headers.get("range", ""), size_bytes)
    plan = packs.plan(project_id, sha256, *part) if part is not None else None
    if plan is None:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size_bytes}"})
    fetched = "fetch_info" if "/v1/" in request.url.path else "xorbs"
    return JSONResponse(
        {
            "offset_into_first_range": plan.skipped_bytes,
            "terms": [
                {"hash": one.pack_hash, "unpacked_length": one.size_bytes, "range": _chunks(one)} for one in plan.terms
            ],
            fetched: _addresses(request, park, plan, told),
        }
    )


def _addresses(request: Request, park: Park, plan: Plan, told: Any) -> dict[str, list[Any]]:
    base = f"{Asked(request, park, None, ()).base()}/xet/packs"

    def address(span: Span) -> str:
        words = {"pack": span.pack_name, "start": span.packed_start, "end": span.packed_end}
        return f"{base}/{signed(park, _PACK, words, PACK_S)}"

    def all_of(spans: Sequence[Span]) -> list[Any]:
        return [told(address(span), span) for span in spans]

    return {spans[0].pack_hash: all_of(spans) for spans in plan.fetched.values()}


def get_pack(request: Request, token: str) -> Response:
    """What of a pack an address was given for, or a part of that."""
    park = park_of(request)
    try:
        words = read_signed(park, _PACK, token)
        first, last = int(words["start"]), int(words["end"])
    except (ValueError, KeyError):
        raise bad_token() from None
    part = part_of(request.headers.get("range", ""), last)
    if part is None or part[0] < first:
        return Response(status_code=416, headers={"Content-Range": f"bytes {first}-{last - 1}/*"})
    start, end = part
    headers = {**CAREFUL, "Content-Range": f"bytes {start}-{end - 1}/*", "Content-Length": str(end - start)}
    return part_answer(park.data.objects.packs.pack(words["pack"]), start, end, 206, headers)


def _chunks(span: Span) -> dict[str, int]:
    return {"start": span.first_chunk, "end": span.end_chunk}


def _bytes(span: Span) -> dict[str, int]:
    return {"start": span.packed_start, "end": span.packed_end - 1}


def _read_words(request: Request) -> tuple[Park, dict[str, Any]]:
    """What a token is for, while whoever asked for it may still read that. Raises Unauthorised, NotFound, Forbidden."""
    park = park_of(request)
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise bad_token()
    try:
        words = read_signed(park, _READ, token.strip())
        who: Principal | None = None
        if words["token"]:
            who = park.accounts.tokens.principal_by_id(str(words["token"]))
        kind = KINDS[words["kinds"]]
        park.data.repositories.find(Want.READ, who, kind, words["project"], words["name"])
    except (ValueError, KeyError):
        raise bad_token() from None
    return park, words


__all__ = ["get_pack", "offer", "read_token", "rebuild_v1", "rebuild_v2"]
