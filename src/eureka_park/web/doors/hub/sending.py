"""Large files on their way in: as Git LFS sends them, and as packs of chunks (Xet)."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from eureka_park.accounts.service import Act
from eureka_park.bootstrap import Park
from eureka_park.data.core.shard import SHARD_BYTES_MAX
from eureka_park.data.core.snapshot import check_sha256
from eureka_park.data.objects.service import BLOB_BYTES_MAX
from eureka_park.data.repositories.access import Want
from eureka_park.foundation.errors import BadInput, NotFound
from eureka_park.foundation.units import HOUR_S, MIB
from eureka_park.web.auth import park_of
from eureka_park.web.doors.hub.asking import Asked, asked_of, bad_token, json_object, read_signed, signed
from eureka_park.web.doors.streams import body_of, take_in

PART_BYTES: Final = 64 * MIB  # larger files come in parts of this size
PARTS_MAX: Final = 10_000
UPLOAD_S: Final = HOUR_S  # how long an address for an upload is good, and longer for a file of many parts:
UPLOAD_S_MAX: Final = 24 * HOUR_S
SLOW_BYTES_S: Final = MIB  # as long as it takes at this pace
TOKEN_S: Final = HOUR_S
SENT_MAX: Final = 4_096
BATCH_BYTES_MAX: Final = 4 * MIB
BATCH_MAX: Final = 1_000
_LFS, _XET = "lfs", "xet"
_LFS_TYPE: Final = "application/vnd.git-lfs+json"


# -- Git LFS -----------------------------------------------------------------------------------------------------------
async def batch_model(request: Request) -> Response:
    """Where to send large files of a model."""
    return await _batch(request, "models", 0)


async def batch_dataset(request: Request) -> Response:
    """Where to send large files of a data set."""
    return await _batch(request, "datasets", 1)


async def _batch(request: Request, kinds: str, at: int) -> Response:
    def find() -> tuple[Asked, str]:
        asked = asked_of(request)
        name = asked.path[at + 1].removesuffix(".git")
        return asked, asked.find(Want.WRITE, kinds, asked.path[at], name).project_id

    asked, project_id = await run_in_threadpool(find)
    content = await body_of(request, BATCH_BYTES_MAX)
    return await run_in_threadpool(lambda: _offer(asked, project_id, json_object(content)))


def _offer(asked: Asked, project_id: str, body: dict[str, Any]) -> Response:
    given = body.get("objects")
    if body.get("operation") != "upload":
        raise BadInput("Large files are read at their own addresses.", fix="Use resolve.", field="operation")
    if not isinstance(given, list) or len(given) > BATCH_MAX or not all(map(_is_object, given)):
        raise BadInput(f"'objects' is no list of up to {BATCH_MAX:,} objects.", fix="Ask for fewer.", field="objects")
    objects = asked.park.data.objects
    held = objects.sizes(project_id, [one["oid"] for one in given])
    takes_parts = "multipart" in (body.get("transfers") or [])
    rows, n_bytes = [], 0
    for one in given:
        row: dict[str, Any] = {"oid": one["oid"], "size": one["size"]}
        if held.get(one["oid"]) != one["size"]:
            n_bytes += one["size"]
            objects.check_room(project_id, n_bytes)
            row["actions"] = {"upload": _action(asked, project_id, one, takes_parts)}
            row["authenticated"] = True
        rows.append(row)
    answer = {"transfer": "multipart" if takes_parts else "basic", "objects": rows, "hash_algo": "sha256"}
    return JSONResponse(answer, media_type=_LFS_TYPE)


def _is_object(one: Any) -> bool:
    if not isinstance(one, dict) or not isinstance(one.get("oid"), str) or type(one.get("size")) is not int:
        return False
    check_sha256(one["oid"])
    return bool(0 <= one["size"] <= BLOB_BYTES_MAX)


def _action(asked: Asked, project_id: str, one: dict[str, Any], takes_parts: bool) -> dict[str, Any]:
    """Where one object goes: to one address, or its parts to one each and word of their end to another."""
    who = asked.someone()
    words = {
        "project": project_id, "sha256": one["oid"], "size": one["size"], "by": who.person_id, "token": who.token_id,
    }  # fmt: skip
    n_parts = math.ceil(one["size"] / PART_BYTES)
    good_for_s = min(UPLOAD_S_MAX, UPLOAD_S + (one["size"] / SLOW_BYTES_S if n_parts > 1 and takes_parts else 0.0))

    def address(**more: Any) -> str:
        return f"{asked.base()}/lfs/{signed(asked.park, _LFS, {**words, **more}, good_for_s)}"

    if n_parts <= 1 or not takes_parts:
        return {"href": address()}
    if n_parts > PARTS_MAX:
        raise BadInput("The file is too large.", fix="Send it with the client's default (Xet).", code="too_large")
    parts = {str(number): address(part=number) for number in range(1, n_parts + 1)}
    return {"href": address(parts=n_parts), "header": {"chunk_size": str(PART_BYTES), **parts}}


async def put_object(request: Request, token: str) -> Response:
    """One object, or one part of it, at the address that was given for it."""
    park = park_of(request)
    words = await run_in_threadpool(_good, park, _LFS, token)
    project_id, sha256, size = words["project"], words["sha256"], words["size"]
    objects = park.data.objects

    def work(pieces: Iterator[bytes]) -> str:
        if "part" not in words:
            return objects.put(project_id, pieces, sha256=sha256, size_bytes=size).sha256
        start = (words["part"] - 1) * PART_BYTES
        return objects.put_part(project_id, _staged_name(words), start, min(PART_BYTES, size - start), pieces)

    etag = await take_in(request, work, by=words["by"])
    return Response(headers={"ETag": f'"{etag}"'})


async def end_object(request: Request, token: str) -> Response:
    """All parts have been sent."""
    park = park_of(request)
    words = await run_in_threadpool(_good, park, _LFS, token)
    await body_of(request, BATCH_BYTES_MAX)

    def work() -> None:
        park.data.objects.end_parts(
            words["project"], _staged_name(words), sha256=words["sha256"], size_bytes=words["size"]
        )

    await run_in_threadpool(work)
    return JSONResponse({"success": True})


def _staged_name(words: dict[str, Any]) -> str:
    return f"{words['sha256']}-{words['by']}.parts"


# -- packs of chunks ---------------------------------------------------------------------------------------------------
def xet_token(request: Request, kinds: str, project: str, name: str) -> Response:
    """A token for sending packs to a repository's project."""
    asked = asked_of(request)
    return token_of(asked, asked.find(Want.WRITE, kinds, project, name).project_id)


def token_of(asked: Asked, project_id: str) -> Response:
    """A token for sending packs to a project; whoever asks has been found to be let in."""
    who = asked.someone()
    words = {"project": project_id, "by": who.person_id, "token": who.token_id}
    token = signed(asked.park, _XET, words, TOKEN_S)
    until_s = int(asked.park.clock.real_s() + TOKEN_S)
    url = f"{asked.base()}/xet"
    headers = {
        "X-Xet-Cas-Url": url,
        "X-Xet-Access-Token": token,
        "X-Xet-Token-Expiration": str(until_s),
    }
    return JSONResponse({"casUrl": url, "accessToken": token, "exp": until_s}, headers=headers)


def find_chunk(request: Request, prefix: str, digest: str) -> Response:
    """In which pack a chunk lies that the project has; so it need not be sent again."""
    park, words = _xet_words(request)
    found = park.data.objects.find_chunk(words["project"], digest)
    if found is None:
        raise NotFound("The chunk is new.", code="no_such_chunk")
    return Response(found, media_type="application/octet-stream")


async def put_pack(request: Request, prefix: str, digest: str) -> Response:
    """A pack of chunks."""
    park, words = await run_in_threadpool(_xet_words, request)
    put = park.data.objects.put_pack
    is_new = await take_in(request, lambda pieces: put(words["project"], digest, pieces), by=words["by"])
    return JSONResponse({"was_inserted": is_new})


async def put_shard(request: Request) -> Response:
    """A list of files, each made up of ranges of packs."""
    park, words = await run_in_threadpool(_xet_words, request)
    content = await body_of(request, SHARD_BYTES_MAX)
    told = await run_in_threadpool(park.data.objects.put_shard, words["project"], content)
    sent_of(request).add(words["project"], told)
    return JSONResponse({"result": 1})


class Sent:
    """By which SHA-256 files are known that came as packs a moment ago: of one web process, the last few thousand."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], str] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, project_id: str, files: Mapping[str, str]) -> None:
        """Remember files of a shard: by the hash that packs know them by, their SHA-256."""
        with self._lock:
            for name, sha256 in files.items():
                self._known[project_id, name] = sha256
            while len(self._known) > SENT_MAX:
                self._known.popitem(last=False)

    def sha256(self, project_id: str, name: str) -> str | None:
        """The SHA-256 of a file that a project was sent."""
        with self._lock:
            return self._known.get((project_id, name))


def sent_of(request: Request) -> Sent:
    """What this process was sent a moment ago."""
    if not hasattr(request.app.state, "sent"):
        request.app.state.sent = Sent()
    sent: Sent = request.app.state.sent
    return sent


def _xet_words(request: Request) -> tuple[Park, dict[str, Any]]:
    park = park_of(request)
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer":
        raise bad_token()
    return park, _good(park, _XET, token.strip())


def _good(park: Park, purpose: str, text: str) -> dict[str, Any]:
    """What was signed, while whoever had it signed may still do that: their token stands, and so does their role.

    Raises Unauthorised, Forbidden, NotFound.
    """
    try:
        words = read_signed(park, purpose, text)
        project_id, token_id = str(words["project"]), str(words["token"])
    except (ValueError, KeyError):
        raise bad_token() from None
    park.accounts.require(Act.STORE, park.accounts.tokens.principal_by_id(token_id), project_id)
    return words
