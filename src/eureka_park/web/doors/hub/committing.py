"""A commit's way in: how each file is to be sent, then all changes, line by line."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from typing import Any, Final

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from eureka_park.data.core.entry import git_oid
from eureka_park.data.core.repository import Operation, Put, Remove, Repository, clean_path
from eureka_park.data.core.tree import Tree
from eureka_park.data.objects.service import Batch
from eureka_park.data.repositories.access import Want
from eureka_park.data.repositories.versions import OPERATIONS_MAX, Draft
from eureka_park.foundation.errors import BadInput, Conflict, NotFound
from eureka_park.web.doors.hub import forms, ignoring
from eureka_park.web.doors.hub.asking import Asked, asked_of, json_object, rest, text_of
from eureka_park.web.doors.streams import body_of, lines_of, take_in

REGULAR_BYTES_MAX: Final = 1024**2  # of a text that comes within the commit itself
SMALL_BYTES_MAX: Final = 64 * 1024  # of anything: ten thousand of these as packs would take clients a minute
# Clients that bring these one by one look for each at once where large files lie, and keep none for the commit.
ALWAYS_LARGE: Final = (".arrow", ".parquet", ".safetensors")
LINE_BYTES_MAX: Final = 8 * 1024**2
PREUPLOAD_BYTES_MAX: Final = 16 * 1024**2
PREUPLOAD_MAX: Final = 1_000
IGNORE_BYTES_MAX: Final = 256 * 1024
_IGNORE: Final = ".gitignore"


async def preupload(request: Request, kinds: str, project: str, name: str) -> Response:
    """For each file: within the commit or before it, and by what an equal one is known."""

    def find() -> tuple[Asked, Repository]:
        asked = asked_of(request)
        _check_no_request(request)
        return asked, asked.find(Want.WRITE, kinds, project, name)

    asked, found = await run_in_threadpool(find)
    return await run_in_threadpool(_preupload, asked, found, await body_of(request, PREUPLOAD_BYTES_MAX))


def _preupload(asked: Asked, found: Repository, content: bytes) -> Response:
    versions = asked.park.data.repositories.versions
    files = versions.tree(versions.at(found, rest(asked, 5)[0]))
    body = json_object(content)
    given = body.get("files")
    if not isinstance(given, list) or len(given) > PREUPLOAD_MAX or not all(isinstance(one, dict) for one in given):
        raise BadInput(f"'files' is no list of up to {PREUPLOAD_MAX:,} files.", fix="Ask for fewer.", field="files")
    ignored = _ignored(asked, found.project_id, files, text_of(body, "gitIgnore"))
    told = [_advice(one, files, ignored) for one in given]
    # What has no room at all is refused here: only here does the client hand on the sentence that says what to do. Of
    # a file that is there already a part may be known, so it is let begin.
    fresh = [one["size"] for one, to in zip(given, told, strict=True) if "oid" not in to and not to["shouldIgnore"]]
    asked.park.data.objects.check_begin(found.project_id, sum(fresh))
    return JSONResponse({"files": told})


def _advice(given: dict[str, Any], files: Tree, ignored: ignoring.Ignored) -> dict[str, Any]:
    sent, size = text_of(given, "path"), given.get("size")
    path = clean_path(sent)
    if not isinstance(size, int) or size < 0:
        raise BadInput("A file has no size.", fix="Send its size in bytes.", field="size")
    try:
        sample = base64.b64decode(text_of(given, "sample"), validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("A sample is not in base 64.", fix="Send the first 512 bytes.", field="sample") from None
    is_text = size <= REGULAR_BYTES_MAX and _is_text(sample, is_cut=size > len(sample))
    is_large = (size > 0 and path.endswith(ALWAYS_LARGE)) or (size > SMALL_BYTES_MAX and not is_text)
    advice = {
        "path": sent,
        "uploadMode": "lfs" if is_large else "regular",
        "shouldIgnore": ignored.names(path),
    }
    entry = files.get(path)
    if entry is not None and entry.is_large is is_large:
        advice["oid"] = entry.etag
    return advice


def _is_text(sample: bytes, *, is_cut: bool) -> bool:
    if b"\0" in sample:
        return False
    try:
        sample.decode()
    except UnicodeDecodeError as error:
        return is_cut and error.start >= len(sample) - 3
    return True


def _ignored(asked: Asked, project_id: str, files: Tree, given: str) -> ignoring.Ignored:
    """What the list that comes with the request, or else the one kept in the repository, leaves out."""
    if given:
        return ignoring.given(given)
    entry = files.get(_IGNORE)
    if entry is None or entry.size_bytes > IGNORE_BYTES_MAX:
        return ignoring.kept("")
    return ignoring.kept(asked.park.data.objects.open(project_id, entry.sha256).content().decode("utf-8", "replace"))


async def commit(request: Request, kinds: str, project: str, name: str) -> Response:
    """Make a commit of lines of JSON: a header, then a change on each."""

    def find() -> tuple[Asked, Repository]:
        asked = asked_of(request)
        _check_no_request(request)
        return asked, asked.find(Want.WRITE, kinds, project, name)

    asked, found = await run_in_threadpool(find)  # nobody who may not write gets as far as a place for their body
    return await take_in(request, lambda pieces: _commit(asked, found, pieces), by=asked.someone().person_id)


def _commit(asked: Asked, found: Repository, pieces: Iterator[bytes]) -> Response:
    reading = Reading(asked, found)
    try:
        for line in lines_of(pieces, LINE_BYTES_MAX):
            reading.take(line)
        draft = reading.draft(rest(asked, 5)[0])
        done = asked.park.data.repositories.versions.commit(found, asked.someone(), draft, reading.batch)
    except (BadInput, NotFound, Conflict):  # what is known to have failed; nothing of it has a row then
        asked.park.data.objects.drop([row.object_key for row in reading.batch.rows.values()])
        raise
    url = forms.commit_url(asked, found, done.commit_id)
    return JSONResponse({"success": True, "commitOid": done.commit_id, "commitUrl": url, "hookOutput": ""})


class Reading:
    """The lines of a commit as they come: contents are written at once, changes are kept."""

    def __init__(self, asked: Asked, found: Repository) -> None:
        self._objects, self._project_id = asked.park.data.objects, found.project_id
        self.batch = Batch()
        self._header: dict[str, Any] = {}
        self._operations: list[Operation] = []

    def take(self, line: bytes) -> None:
        """One line. Raises BadInput for what is no change."""
        if len(self._operations) > OPERATIONS_MAX:
            raise BadInput(f"A commit takes {OPERATIONS_MAX:,} changes.", fix="Make several.", code="too_many_changes")
        try:
            item = json.loads(line)
            key, value = item["key"], item["value"]
        except (ValueError, TypeError, KeyError, RecursionError):
            key, value = None, None
        if not isinstance(value, dict):
            raise BadInput("A line of the commit is no change.", fix="Send JSON with key and value.", code="bad_json")
        if key == "header":
            self._header = value
        elif key == "file":
            self._operations.append(self._file(value))
        elif key == "lfsFile":
            self._operations.append(self._large(value))
        elif key in ("deletedFile", "deletedFolder", "deletedEntry"):
            self._operations.append(Remove(text_of(value, "path"), key == "deletedFolder"))
        else:
            raise BadInput(f"The park knows no change {str(key)[:40]!a}.", fix="Use a client that the docs name.")

    def _file(self, value: dict[str, Any]) -> Put:
        path = clean_path(text_of(value, "path"))
        try:
            content = binascii.a2b_base64(text_of(value, "content"), strict_mode=True)
        except (binascii.Error, ValueError):
            raise BadInput(f"{path!a} is not in base 64.", fix="Send it again.", field="content") from None
        row = self._objects.put_small(self._project_id, self.batch, content)
        return Put(path, row.sha256, row.size_bytes, git_oid(content))

    def _large(self, value: dict[str, Any]) -> Put:
        path, size, sha256 = clean_path(text_of(value, "path")), value.get("size"), text_of(value, "oid")
        kept = self._objects.sizes(self._project_id, [sha256]).get(sha256)
        if kept is None:
            raise NotFound(f"The content of {path!a} was not sent.", fix="Send it first.", code="no_such_blob")
        if size is not None and size != kept:
            raise BadInput(f"{path!a} has {kept} bytes.", fix="Read the file again.", code="size_mismatch")
        return Put(path, sha256, kept)

    def draft(self, branch: str) -> Draft:
        """All of it as a commit to be made."""
        if not self._header:
            raise BadInput("The commit has no header.", fix="Send one first.", code="bad_json")
        head = self._header
        return Draft(
            branch.removeprefix("refs/heads/"),
            text_of(head, "summary"),
            self._operations,
            text_of(head, "description"),
            text_of(head, "parentCommit"),
        )


def _check_no_request(request: Request) -> None:
    if request.query_params.get("create_pr") in ("1", "true"):
        raise BadInput("The park has no pull requests.", fix="Commit to a branch.", code="no_pull_requests")


__all__ = ["commit", "preupload"]
