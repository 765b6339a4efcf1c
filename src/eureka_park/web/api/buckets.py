"""Project files: buckets, files and their versions, access keys for S3 clients."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response, StreamingResponse

from eureka_park.accounts.service import Act, Principal
from eureka_park.bootstrap import Park
from eureka_park.data.core.bucket import (
    CONTENT_TYPE_DEFAULT,
    PAGE_MAX,
    Bucket,
    Describe,
    FileVersion,
    LifecycleRule,
    Versioning,
)
from eureka_park.data.files.ground import no_bucket
from eureka_park.data.files.keys.store import AccessKey
from eureka_park.foundation.units import iso_from_s, parse_duration_s
from eureka_park.web import bucket_schemas as forms
from eureka_park.web import schemas
from eureka_park.web.auth import Anyone, Someone, ThePark
from eureka_park.web.doors.s3.asking import door_url
from eureka_park.web.doors.streams import take_in

router = APIRouter(tags=["files"], responses=schemas.ERRORS)
_BUCKETS: Final = "/projects/{project_id}/buckets"
_AT: Final = f"{_BUCKETS}/{{bucket}}"
_KEYS: Final = "/projects/{project_id}/access-keys"
ProjectId = Annotated[str, Path(max_length=63, description="The project")]
BucketName = Annotated[str, Path(max_length=63, description="The bucket")]
KeyId = Annotated[str, Path(max_length=32, description="The key's id")]
Key = Annotated[str, Query(max_length=1024, description="The file's key")]
Version = Annotated[str, Query(max_length=40, description="A version; empty: the newest")]
Prefix = Annotated[str, Query(max_length=1024, description="Only keys that begin so")]
Delimiter = Annotated[str, Query(max_length=16, description="Show what lies behind it as one prefix, as `/`")]
After = Annotated[str, Query(max_length=1024, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]


# -- buckets -----------------------------------------------------------------------------------------------------------
@router.get("/buckets", response_model=forms.BucketPage, operation_id="list_all_buckets")
def list_all_buckets(park: ThePark, who: Anyone) -> dict[str, Any]:
    """The buckets of all projects in which one holds a role."""
    return {"items": [_view(one) for one in park.data.files.buckets(who)], "next": None}


@router.get(_BUCKETS, response_model=forms.BucketPage, operation_id="list_buckets")
def list_buckets(park: ThePark, who: Anyone, project_id: ProjectId) -> dict[str, Any]:
    """The buckets of a project."""
    park.accounts.require(Act.SEE, who, project_id)
    return {"items": [_view(one) for one in park.data.files.buckets(who, project_id)], "next": None}


@router.post(_BUCKETS, status_code=201, response_model=forms.BucketView, operation_id="make_bucket")
def make_bucket(park: ThePark, who: Someone, project_id: ProjectId, body: forms.BucketRequest) -> dict[str, Any]:
    """Make a bucket. Names are one list for the whole park."""
    return _view(park.data.files.make_bucket(who, project_id, body.name))


@router.get(_AT, response_model=forms.BucketView, operation_id="get_bucket")
def get_bucket(park: ThePark, who: Anyone, project_id: ProjectId, bucket: BucketName) -> dict[str, Any]:
    """A bucket with its settings."""
    return _view(_found(park, who, project_id, bucket))


@router.patch(_AT, response_model=forms.BucketView, operation_id="change_bucket")
def change_bucket(
    park: ThePark, who: Someone, project_id: ProjectId, bucket: BucketName, body: forms.BucketChange
) -> dict[str, Any]:
    """Keep versions or no more, and set what goes by itself."""
    files, found = park.data.files, _found(park, who, project_id, bucket, Act.STORE)
    if body.versioning is not None:
        found = files.set_versioning(who, bucket, Versioning(body.versioning))
    if body.rules is not None:
        found = files.set_lifecycle(who, bucket, [LifecycleRule(**rule.model_dump()) for rule in body.rules])
    if body.tags is not None:
        found = files.set_bucket_tags(who, bucket, body.tags)
    return _view(found)


@router.delete(_AT, status_code=204, response_class=Response, operation_id="drop_bucket")
def drop_bucket(park: ThePark, who: Someone, project_id: ProjectId, bucket: BucketName) -> Response:
    """Take an empty bucket away."""
    _found(park, who, project_id, bucket)
    park.data.files.drop_bucket(who, bucket)
    return Response(status_code=204)


# -- files -------------------------------------------------------------------------------------------------------------
@router.get(f"{_AT}/files", response_model=forms.FilePage, operation_id="list_files")
def list_files(
    park: ThePark,
    who: Anyone,
    project_id: ProjectId,
    bucket: BucketName,
    prefix: Prefix = "",
    delimiter: Delimiter = "",
    after: After = "",
    limit: Limit = PAGE_MAX,
) -> dict[str, Any]:
    """Files by key, a thousand at a time."""
    _found(park, who, project_id, bucket)
    page = park.data.files.list(who, bucket, prefix, delimiter=delimiter, after=after, most=limit)
    return {"items": [_file(one) for one in page.files], "prefixes": page.prefixes, "next": page.next}


@router.get(f"{_AT}/versions", response_model=forms.VersionsPage, operation_id="list_file_versions")
def list_file_versions(
    park: ThePark,
    who: Anyone,
    project_id: ProjectId,
    bucket: BucketName,
    prefix: Prefix = "",
    delimiter: Delimiter = "",
    after: After = "",
    after_version: Version = "",
    limit: Limit = PAGE_MAX,
) -> dict[str, Any]:
    """All versions and delete markers by key, the newest first."""
    _found(park, who, project_id, bucket)
    start = (after, after_version) if after else None
    page = park.data.files.list_versions(who, bucket, prefix, delimiter=delimiter, after=start, most=limit)
    key, version_id = page.next or (None, None)
    items = [_file(one) for one in page.versions]
    return {"items": items, "prefixes": page.prefixes, "next": key, "next_version": version_id}


@router.get(f"{_AT}/file", response_class=StreamingResponse, operation_id="get_file")
def get_file(
    park: ThePark, who: Anyone, project_id: ProjectId, bucket: BucketName, key: Key, version: Version = ""
) -> Response:
    """A file as a download."""
    _found(park, who, project_id, bucket)
    opened = park.data.files.open(who, bucket, key, version or None)
    headers = {
        "Content-Length": str(opened.file.size_bytes), "Content-Disposition": "attachment", "Cache-Control": "no-store",
        "ETag": f'"{opened.file.etag}"',
    }  # fmt: skip
    pieces = opened.read(0, opened.file.size_bytes)
    first = next(pieces, b"")  # what cannot be read is told while it can be
    return StreamingResponse(chain((first,), pieces), media_type=CONTENT_TYPE_DEFAULT, headers=headers)


@router.put(f"{_AT}/file", response_model=forms.FileView, operation_id="put_file")
async def put_file(
    request: Request,
    park: ThePark,
    who: Someone,
    project_id: ProjectId,
    bucket: BucketName,
    key: Key,
    content_type: Annotated[str, Query(max_length=255)] = CONTENT_TYPE_DEFAULT,
) -> dict[str, Any]:
    """Write a file; its bytes are the body, of any size that the project has room for."""

    def work(pieces: Iterator[bytes]) -> FileVersion:
        _found(park, who, project_id, bucket, Act.STORE)
        stated = request.headers.get("content-length", "")
        size_bytes = int(stated) if stated.isdecimal() else None
        words = Describe(content_type)
        return park.data.files.put(who, bucket, key, pieces, describe=words, size_bytes=size_bytes)

    return _file(await take_in(request, work, by=who.person_id))


@router.delete(f"{_AT}/file", response_model=forms.DeletedView, operation_id="delete_file")
def delete_file(
    park: ThePark, who: Someone, project_id: ProjectId, bucket: BucketName, key: Key, version: Version = ""
) -> dict[str, Any]:
    """Delete a file, or one version of it for good."""
    _found(park, who, project_id, bucket)
    done = park.data.files.delete(who, bucket, key, version or None)
    return {"key": done.key, "version_id": done.version_id, "is_delete_marker": done.is_delete_marker}


@router.post(f"{_AT}/copies", status_code=201, response_model=forms.FileView, operation_id="copy_file")
def copy_file(
    park: ThePark, who: Someone, project_id: ProjectId, bucket: BucketName, body: forms.CopyRequest
) -> dict[str, Any]:
    """Copy a file, or bring a former version back by copying it to its own key. No bytes move."""
    _found(park, who, project_id, bucket, Act.STORE)
    source = (body.source_bucket or bucket, body.key, body.version_id or None)
    return _file(park.data.files.copy(who, source, bucket, body.to))


# -- access keys -------------------------------------------------------------------------------------------------------
@router.get("/access-keys", response_model=forms.AccessKeyPage, operation_id="list_all_access_keys")
def list_all_access_keys(park: ThePark, who: Someone) -> dict[str, Any]:
    """One's own access keys, of all projects."""
    return {"items": [_key(one) for one in park.data.files.keys.all(who)], "next": None}


@router.get(_KEYS, response_model=forms.AccessKeyPage, operation_id="list_access_keys")
def list_access_keys(park: ThePark, who: Someone, project_id: ProjectId) -> dict[str, Any]:
    """One's own access keys of a project; for those who manage it, everybody's."""
    park.accounts.require(Act.SEE, who, project_id)
    return {"items": [_key(one) for one in park.data.files.keys.all(who, project_id)], "next": None}


@router.post(_KEYS, status_code=201, response_model=forms.AccessKeyMade, operation_id="make_access_key")
def make_access_key(
    request: Request,
    park: ThePark,
    who: Someone,
    project_id: ProjectId,
    body: forms.AccessKeyRequest,
    response: Response,
) -> dict[str, Any]:
    """Make an access key for S3 clients. Its secret is shown this once."""
    ttl_s = parse_duration_s(body.expires) if body.expires else None
    made, secret = park.data.files.keys.new(who, project_id, body.name, scope=body.scope, ttl_s=ttl_s, of=body.of)
    response.headers["Cache-Control"] = "no-store"
    return {**_key(made), "secret": secret, "endpoint_url": door_url(request)}


@router.delete(f"{_KEYS}/{{access_key_id}}", status_code=204, response_class=Response, operation_id="revoke_access_key")
def revoke_access_key(park: ThePark, who: Someone, project_id: ProjectId, access_key_id: KeyId) -> Response:
    """End an access key of one's own, or of a project that one manages."""
    park.accounts.require(Act.SEE, who, project_id)
    park.data.files.keys.end(who, access_key_id)
    return Response(status_code=204)


# -- forms -------------------------------------------------------------------------------------------------------------
def _found(park: Park, who: Principal | None, project_id: str, name: str, act: Act = Act.SEE) -> Bucket:
    """The bucket, if it is one of that project."""
    with park.db.read() as conn:
        found = park.data.files.ground.bucket(conn, who, name, act)
    if found.project_id != project_id:
        raise no_bucket(name)
    return found


def _view(one: Bucket) -> dict[str, Any]:
    return {
        "name": one.name, "project": one.project_id, "versioning": str(one.versioning),
        "rules": [rule.to_json() for rule in one.rules], "tags": one.tags, "n_versions": one.n_versions,
        "size_bytes": one.size_bytes, "made_at": iso_from_s(one.made_at_s),
    }  # fmt: skip


def _file(one: FileVersion) -> dict[str, Any]:
    return {
        "key": one.key, "version_id": one.version_id, "etag": one.etag, "size_bytes": one.size_bytes,
        "content_type": one.content_type, "metadata": one.metadata, "made_at": iso_from_s(one.made_at_s),
        "is_latest": one.is_latest, "is_delete_marker": one.is_delete_marker,
    }  # fmt: skip


def _key(one: AccessKey) -> dict[str, Any]:
    return {
        "access_key_id": one.access_key_id, "name": one.label, "project": one.project_id, "scope": one.scope,
        "person_id": one.person_id, "made_at": iso_from_s(one.made_at_s), "expires_at": iso_from_s(one.expires_at_s),
        "last_used_at": iso_from_s(one.last_used_at_s),
    }  # fmt: skip
