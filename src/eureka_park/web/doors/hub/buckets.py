"""What jobs of the hub's clients read: repositories as inputs, and the one bucket that clients bring scripts in.

`hf jobs uv run SCRIPT` makes a bucket `PROJECT/jobs-artifacts`, sends the script there, and mounts it under /data. Here
it is a data set of that name; the job runs on a copy of the script's folder.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from eureka_park.client.scripts import parse_header
from eureka_park.data.core.repository import Operation, Put, Remove, Repository, RepositoryKind, clean_path
from eureka_park.data.core.snapshot import SnapshotFile
from eureka_park.data.objects.service import Batch
from eureka_park.data.repositories.access import Want
from eureka_park.data.repositories.versions import Draft
from eureka_park.foundation.errors import BadInput, Conflict, NotFound, TooLarge
from eureka_park.foundation.units import MIB
from eureka_park.web.doors.hub import forms, sending
from eureka_park.web.doors.hub.asking import KINDS, Asked, asked_of, json_object, text_of
from eureka_park.web.doors.streams import body_of

SCRIPTS: Final = "jobs-artifacts"
BATCH_BYTES_MAX: Final = 1024**2
SCRIPTS_BYTES_MAX: Final = 16 * MIB
FILES_MAX: Final = 1_000
_KIND: Final = RepositoryKind.DATASET
_CODE_BYTES_MAX: Final = MIB


def make(request: Request, project: str, name: str) -> Response:
    """Begin the bucket of scripts."""
    asked = asked_of(request)
    who = asked.someone()
    _check_name(name)
    told = {"url": f"{asked.base()}/buckets/{project}/{name}", "id": f"{project}/{name}"}
    try:
        asked.park.data.repositories.create(who, _KIND, project, name)
    except Conflict as error:  # clients that do not mind read the address from the refusal
        return JSONResponse({**told, "error": error.line()}, 409, {"X-Error-Message": error.line()})
    return JSONResponse(told)


def info(request: Request, project: str, name: str) -> Response:
    """The bucket of scripts."""
    asked = asked_of(request)
    found = _find(asked, Want.READ, project, name)
    version = asked.park.data.repositories.versions.at(found, "main")
    return JSONResponse(
        {
            "id": found.full_name,
            "private": str(found.visibility) != "public",
            "createdAt": forms.instant(found.made_at_s),
            "size": version.size_bytes,
            "totalFiles": version.n_files,
        }
    )


def token(request: Request, project: str, name: str) -> Response:
    """A token for sending scripts."""
    asked = asked_of(request)
    return sending.token_of(asked, _find(asked, Want.WRITE, project, name).project_id)


async def batch(request: Request, project: str, name: str) -> Response:
    """Keep scripts that were sent, take others away; all of them or none."""

    def find() -> tuple[Asked, Repository]:
        asked = asked_of(request)
        return asked, _find(asked, Want.WRITE, project, name)

    asked, found = await run_in_threadpool(find)
    content = await body_of(request, BATCH_BYTES_MAX)
    return await run_in_threadpool(_keep, asked, found, content)


def _keep(asked: Asked, found: Repository, content: bytes) -> Response:
    known, objects = sending.sent_of(asked.request), asked.park.data.objects
    operations, failed = list[Operation](), list[dict[str, str]]()
    for line in filter(None, content.split(b"\n")):
        item = json_object(line)
        path, what = clean_path(text_of(item, "path")), text_of(item, "type")
        if what == "deleteFile":
            operations.append(Remove(path))
            continue
        sha256 = known.sha256(found.project_id, text_of(item, "xetHash")) if what == "addFile" else None
        size = objects.sizes(found.project_id, [sha256]).get(sha256) if sha256 else None
        if sha256 is None or size is None:
            failed.append({"path": path, "error": "It was not sent a moment ago; send it again."})
        else:
            operations.append(Put(path, sha256, size))
    if failed:
        return JSONResponse({"success": False, "processed": 0, "succeeded": 0, "failed": failed}, 422)
    draft = Draft("main", "Scripts of jobs", operations)
    asked.park.data.repositories.versions.commit(found, asked.someone(), draft, Batch())
    return JSONResponse({"success": True, "processed": len(operations), "succeeded": len(operations), "failed": []})


def _find(asked: Asked, want: Want, project: str, name: str) -> Repository:
    _check_name(name)
    return asked.find(want, "datasets", project, name)


def _check_name(name: str) -> None:
    if name != SCRIPTS:
        raise NotFound(
            f"The park keeps no buckets at this door, but {SCRIPTS} for scripts.",
            fix="Keep files in a data set, or in a bucket of the S3 door.",
            code="no_such_repository",
        )


# -- volumes -----------------------------------------------------------------------------------------------------------
def add_volumes(asked: Asked, project: str, body: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Give a declaration what a client wants mounted. Raises BadInput, NotFound, as the repositories do."""
    volumes = body.get("volumes") or []
    if not isinstance(volumes, list) or not all(isinstance(one, dict) for one in volumes):
        raise BadInput("'volumes' is no list.", fix="Use -v hf://datasets/PROJECT/NAME:/FOLDER", field="volumes")
    inputs = []
    for volume in volumes:
        kind = text_of(volume, "type")
        if kind == "bucket":
            _add_scripts(asked, project, volume, wanted)
        elif kind in KINDS.values():
            inputs.append(_input(kind, volume))
        else:
            raise BadInput(f"Jobs read no {kind[:20]!a}.", fix="Mount a data set or a model.", field="volumes")
    if inputs:
        wanted["inputs"] = inputs


def _input(kind: str, volume: dict[str, Any]) -> str:
    revision, path = text_of(volume, "revision") or "main", text_of(volume, "path").strip("/")
    tail = f"/{quote(path, safe='/')}" if path else ""
    place = text_of(volume, "mountPath").strip("/")
    return f"park://{kind}s/{text_of(volume, 'source')}@{quote(revision, safe='')}{tail}:{place}"


def _add_scripts(asked: Asked, project: str, volume: dict[str, Any], wanted: dict[str, Any]) -> None:
    """The script's folder becomes the job's own, and words that name files of it lose the mount's name."""
    source, _, name = text_of(volume, "source").partition("/")
    if source != project or "snapshot_id" in wanted:
        raise BadInput("A job takes the scripts of its own project.", fix="Mount one folder of them.", field="volumes")
    found = _find(asked, Want.READ, source, name)
    files = _copied(asked, found, text_of(volume, "path").strip("/"))
    answer = asked.park.data.commit_snapshot(files)
    place = "/" + text_of(volume, "mountPath").strip("/") + "/"
    paths = {place + file.path: file.path for file in files}
    wanted["command"] = [paths.get(word, word) for word in wanted["command"]]
    wanted["snapshot_id"] = answer.snapshot_id
    named = wanted["command"][1:2]  # after the interpreter
    script = next((file for file in files if [file.path] == named), None)
    if script is not None and script.path.endswith(".py") and script.size_bytes <= _CODE_BYTES_MAX:
        text = asked.park.data.blob_path(script.sha256).read_text("utf-8", "replace")
        header = parse_header(text, script.path)
        wanted["dependencies"] = [*header.dependencies, *wanted.get("dependencies", [])]
        if header.requires_python and "requires_python" not in wanted:
            wanted["requires_python"] = header.requires_python


def _copied(asked: Asked, found: Repository, folder: str) -> list[SnapshotFile]:
    """The files below a folder, kept where jobs read them."""
    versions, data = asked.park.data.repositories.versions, asked.park.data
    files, n_bytes = list[SnapshotFile](), 0
    for entry in versions.tree(versions.at(found, "main")).in_folder(folder):
        n_bytes += entry.size_bytes
        if n_bytes > SCRIPTS_BYTES_MAX or len(files) >= FILES_MAX:
            raise TooLarge("The scripts are too large.", fix="Keep data in a data set.", code="too_large")
        blob = data.objects.open(found.project_id, entry.sha256)
        data.put_blob(entry.sha256, blob.read(0, entry.size_bytes))
        files.append(SnapshotFile(entry.path.removeprefix(f"{folder}/"), entry.sha256, entry.size_bytes, 0o644))
    if not files:
        raise NotFound("There are no such scripts.", fix="Send them again.", code="no_such_entry")
    return files


__all__ = ["SCRIPTS", "add_volumes", "batch", "info", "make", "token"]
