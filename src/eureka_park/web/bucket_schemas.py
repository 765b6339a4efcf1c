"""What buckets, files and access keys look like in the API."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from eureka_park.web.request_schemas import Body

Key = Annotated[str, Field(max_length=1024, description="The file's key: UTF-8, 1 to 1,024 bytes")]
VersionId = Annotated[str, Field(max_length=40, description="A version; empty: the newest")]
Days = Annotated[int, Field(ge=1, le=36_500, description="Real days")]


class Rule(BaseModel):
    """What goes by itself, below a prefix."""

    rule_id: str = Field(max_length=255)
    prefix: str = Field("", max_length=1024)
    is_on: bool = True
    current_days: Days | None = Field(None, description="Files, so long after they were written")
    noncurrent_days: Days | None = Field(None, description="Former versions, so long after they were replaced")
    n_newer_kept: int = Field(0, ge=0, le=1000, description="So many former versions of each file stay anyhow")
    upload_days: Days | None = Field(None, description="Uploads in parts that were not ended")
    markers: bool = Field(False, description="Delete markers of files of which nothing else is left")


class BucketRequest(Body):
    """A bucket to make."""

    name: str = Field(max_length=63, description="3 to 63 small letters, digits, dots and dashes; one list for all")


class BucketChange(Body):
    """What is to change of a bucket; what is not said stays."""

    versioning: Literal["on", "suspended"] | None = None
    rules: list[Rule] | None = Field(None, max_length=100)
    tags: dict[str, str] | None = None


class BucketView(BaseModel):
    """A bucket of files."""

    name: str
    project: str
    versioning: str = Field(description="off, on or suspended")
    rules: list[Rule]
    tags: dict[str, str]
    n_versions: int = Field(description="All versions and delete markers")
    size_bytes: int = Field(description="Of all versions, each counted; equal contents are kept once")
    made_at: str


class BucketPage(BaseModel):
    """Buckets by name."""

    items: list[BucketView]
    next: str | None


class FileView(BaseModel):
    """A version of a file, or a delete marker."""

    key: str
    version_id: str
    etag: str
    size_bytes: int
    content_type: str
    metadata: dict[str, str]
    made_at: str
    is_latest: bool
    is_delete_marker: bool


class FilePage(BaseModel):
    """Files by key; `prefixes` are what lies below them as folders. `next`: the `after` of the next page."""

    items: list[FileView]
    prefixes: list[str]
    next: str | None


class VersionsPage(BaseModel):
    """Versions by key, the newest first. `next`, `next_version`: the `after`, `after_version` of the next page."""

    items: list[FileView]
    prefixes: list[str]
    next: str | None
    next_version: str | None


class CopyRequest(Body):
    """A file to copy, within the bucket or from another one."""

    key: Key
    version_id: VersionId = ""
    to: Key
    source_bucket: str = Field("", max_length=63, description="Empty: the same bucket")


class DeletedView(BaseModel):
    """What a deletion did."""

    key: str
    version_id: str
    is_delete_marker: bool


class AccessKeyRequest(Body):
    """An access key to make."""

    name: str = Field("", max_length=200)
    scope: Literal["read", "write"] = "write"
    expires: str = Field("", max_length=20, description="How long it lasts, as 30d; empty: 90 days")
    of: str = Field("", max_length=80, description="The machine that it is for; empty: oneself")


class AccessKeyView(BaseModel):
    """An access key without its secret."""

    access_key_id: str
    name: str
    project: str
    scope: str
    person_id: str
    made_at: str
    expires_at: str
    last_used_at: str | None


class AccessKeyMade(AccessKeyView):
    """A fresh key with its secret, shown this once."""

    secret: str
    endpoint_url: str | None = Field(description="Where S3 clients find the park; null: it has no S3 door")


class AccessKeyPage(BaseModel):
    """Access keys, the newest first."""

    items: list[AccessKeyView]
    next: str | None
