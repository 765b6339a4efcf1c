"""Buckets and their settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from eureka_park.data.core.bucket import Bucket, Versioning
from eureka_park.foundation.errors import NotFound
from eureka_park.web.doors.s3 import answers, bodies, documents, lifecycle
from eureka_park.web.doors.s3.asking import Asked
from eureka_park.web.doors.s3.documents import Node, Value
from eureka_park.web.doors.s3.faults import Fault

BUCKETS_MAX: Final = 10_000
CANNED: Final = frozenset({"", "private", "bucket-owner-full-control", "bucket-owner-read"})
_STATES: Final = {"Enabled": Versioning.ON, "Suspended": Versioning.SUSPENDED}
_SCHEMA: Final = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="CanonicalUser"'


def owner(project_id: str) -> Mapping[str, Value]:
    """Whose a bucket is: its project's."""
    return {"ID": project_id, "DisplayName": project_id}


def list_buckets(asked: Asked) -> Response:
    """ListBuckets."""
    most = asked.number("max-buckets", BUCKETS_MAX, 1, BUCKETS_MAX)
    prefix, after = asked.query.get("prefix", ""), asked.query.get("continuation-token", "")
    found = [
        one
        for one in asked.files.buckets(asked.who, asked.project_id)
        if one.name.startswith(prefix) and one.name > after
    ]
    shown = found[:most]
    return answers.document(
        "ListAllMyBucketsResult",
        {
            "Owner": owner(asked.project_id),
            "Buckets": {"Bucket": [{"Name": one.name, "CreationDate": documents.at(one.made_at_s)} for one in shown]},
            "ContinuationToken": shown[-1].name if len(found) > most else None,
            "Prefix": prefix or None,
        },
    )


async def create(asked: Asked) -> Response:
    """CreateBucket: in the project of the key, wherever a client thinks that is."""
    check_acl(asked)
    if asked.is_set("x-amz-bucket-object-lock-enabled"):
        raise Fault("NotImplemented", "Object Lock is not there.")

    def make(_: Node | None = None) -> Response:
        asked.files.make_bucket(asked.who, asked.project_id, asked.bucket)
        return answers.nothing(200, {"Location": f"/{asked.bucket}"})

    if bodies.Incoming(asked).size_bytes:
        return await bodies.document(asked, "CreateBucketConfiguration", make)
    return await run_in_threadpool(make)


def head(asked: Asked) -> Response:
    """HeadBucket."""
    found(asked)
    return answers.nothing(200, {"x-amz-bucket-region": asked.proof.claim.region})


def delete(asked: Asked) -> Response:
    """DeleteBucket."""
    asked.files.drop_bucket(asked.who, asked.bucket)
    return answers.nothing()


def location(asked: Asked) -> Response:
    """GetBucketLocation: the region by which the client has signed, as there are none here."""
    found(asked)
    region = asked.proof.claim.region
    content = "" if region == "us-east-1" else region
    root = f'<LocationConstraint xmlns="{documents.NAMESPACE}">{content}</LocationConstraint>'
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{root}', media_type=answers.XML)


def found(asked: Asked) -> Bucket:
    """The bucket that the address names. Raises NotFound."""
    return asked.files.bucket(asked.who, asked.bucket)


# -- versioning and lifecycle ------------------------------------------------------------------------------------------
def versioning(asked: Asked) -> Response:
    """GetBucketVersioning."""
    state = found(asked).versioning
    names = {value: name for name, value in _STATES.items()}
    return answers.document("VersioningConfiguration", {"Status": names.get(state)})


async def set_versioning(asked: Asked) -> Response:
    """PutBucketVersioning."""

    def change(node: Node) -> Response:
        if node.text_of("MfaDelete", "Disabled") != "Disabled":
            raise Fault("NotImplemented", "MFA delete is not there.")
        state = _STATES[documents.one_of(node.text_of("Status"), _STATES)]
        asked.files.set_versioning(asked.who, asked.bucket, state)
        return answers.nothing(200)

    return await bodies.document(asked, "VersioningConfiguration", change)


def get_lifecycle(asked: Asked) -> Response:
    """GetBucketLifecycleConfiguration."""
    rules = found(asked).rules
    if not rules:
        raise Fault("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist.")
    return answers.document("LifecycleConfiguration", lifecycle.written(rules))


async def set_lifecycle(asked: Asked) -> Response:
    """PutBucketLifecycleConfiguration."""

    def change(node: Node) -> Response:
        asked.files.set_lifecycle(asked.who, asked.bucket, lifecycle.rules_of(node))
        return answers.nothing(200)

    return await bodies.document(asked, "LifecycleConfiguration", change)


def drop_lifecycle(asked: Asked) -> Response:
    """DeleteBucketLifecycle."""
    asked.files.set_lifecycle(asked.who, asked.bucket, ())
    return answers.nothing()


# -- tags and access ---------------------------------------------------------------------------------------------------
def tags(asked: Asked) -> Response:
    """GetBucketTagging."""
    kept = found(asked).tags
    if not kept:
        raise Fault("NoSuchTagSet", "There is no tag set associated with the bucket.")
    return tag_document(kept)


async def set_tags(asked: Asked) -> Response:
    """PutBucketTagging."""

    def change(node: Node) -> Response:
        asked.files.set_bucket_tags(asked.who, asked.bucket, tags_of(node))
        return answers.nothing()

    return await bodies.document(asked, "Tagging", change)


def drop_tags(asked: Asked) -> Response:
    """DeleteBucketTagging."""
    asked.files.set_bucket_tags(asked.who, asked.bucket, {})
    return answers.nothing()


def tag_document(kept: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Response:
    """Tags as an answer."""
    pairs: list[Value] = [{"Key": name, "Value": text} for name, text in kept.items()]
    return answers.document("Tagging", {"TagSet": {"Tag": pairs}}, headers)


def tags_of(node: Node) -> dict[str, str]:
    """Tags of a document. Raises Fault."""
    inner = node.get("TagSet")
    if inner is None:
        raise documents.malformed()
    pairs = [(one.text_of("Key"), one.text_of("Value")) for one in inner.all("Tag")]
    if len(dict(pairs)) < len(pairs):
        raise Fault("InvalidTag", "Cannot provide multiple Tags with the same key.")
    return dict(pairs)


def acl(asked: Asked) -> Response:
    """GetBucketAcl, GetObjectAcl: its project may do all, nobody else anything; roles are the park's, not kept here."""
    whose = owner(found(asked).project_id)
    if asked.key:
        asked.files.head(asked.who, asked.bucket, asked.key, asked.version_id)
    grant: Value = {f"Grantee {_SCHEMA}": whose, "Permission": "FULL_CONTROL"}
    return answers.document("AccessControlPolicy", {"Owner": whose, "AccessControlList": {"Grant": grant}})


def check_acl(asked: Asked) -> None:
    """Raise Fault for a wish to let others in, which no header can grant here."""
    has_grants = any(name.startswith("x-amz-grant-") for name, _ in asked.sent.headers)
    if has_grants or asked.header("x-amz-acl") not in CANNED:
        raise Fault("AccessControlListNotSupported", "The bucket does not allow ACLs: roles of its project decide.")


def check_owner(asked: Asked) -> None:
    """Raise Fault where a client expects a bucket to be somebody else's."""
    expected = asked.header("x-amz-expected-bucket-owner")
    if expected:
        try:
            is_theirs = found(asked).project_id == expected
        except NotFound:
            return  # the operation itself says so
        if not is_theirs:
            raise Fault("AccessDenied", "The bucket is not that owner's.")
