"""What a write does to the versions of a file, inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from eureka_park.accounts.service import Principal
from eureka_park.data.core.bucket import (
    NULL_VERSION,
    Bucket,
    Condition,
    Deleted,
    Describe,
    FileVersion,
    Versioning,
    key_bytes,
)
from eureka_park.data.files import store
from eureka_park.data.files.contents import Contents, checks_of
from eureka_park.data.files.ground import Ground
from eureka_park.data.files.store import CURRENT, FORMER, MARKER, NOTHING, Content, VersionRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

_NONCE_BYTES: Final = 8


class Writing:
    """Writes and deletions of versions."""

    def __init__(self, ground: Ground, contents: Contents) -> None:
        self._ground, self._contents = ground, contents

    def check(self, conn: Connection, bucket: Bucket, key: bytes, condition: Condition) -> None:
        """Raise Conflict or NotFound where what is there now does not fit a condition."""
        if condition.if_none_match or condition.if_match:
            row = store.latest(conn, bucket, key)
            condition.check(row.content.etag if row is not None and row.state == CURRENT else None)

    def new_file(
        self,
        who: Principal | None,
        bucket: Bucket,
        key: str,
        content: Content,
        words: Describe,
        checksums: Mapping[str, str],
    ) -> VersionRow:
        """A version that is to be written."""
        now_s = self._ground.now_s()
        file = FileVersion(
            bucket.name, key, "", content.etag, content.size_bytes, words.content_type, dict(words.metadata),
            checks_of(checksums), now_s, True, False, dict(words.headers), dict(words.tags), content.n_parts,
            content.sha256 or "", who.person_id if who is not None else "",
        )  # fmt: skip
        return VersionRow(0, CURRENT, content, now_s, file)

    def write(self, conn: Connection, bucket: Bucket, made: VersionRow) -> FileVersion:
        """Make this the newest version of its key; where no versions are kept it takes the place of the one before."""
        now_s, latest = self._ground.now_s(), store.latest(conn, bucket, made.key)
        if bucket.versioning is not Versioning.ON and latest is not None:
            is_last = latest.file.version_id == NULL_VERSION
            former = latest if is_last else store.version(conn, bucket, made.key, NULL_VERSION)
            if former is not None:
                self._drop(conn, bucket, former)
                latest = None if is_last else latest
        if latest is not None:
            store.set_state(conn, bucket.bucket_id, latest, FORMER, now_s)
        rank = store.next_rank(conn, bucket.bucket_id, 1, made.content.size_bytes)
        is_kept = bucket.versioning is Versioning.ON
        version_id = store.id_of(rank, self._ground.entropy(_NONCE_BYTES)) if is_kept else NULL_VERSION
        row = replace(made, rank=rank, file=replace(made.file, version_id=version_id))
        self._contents.refer(conn, bucket.project_id, row.content, 1)
        store.add_version(conn, bucket.bucket_id, row)
        return row.file

    def delete(
        self, conn: Connection, who: Principal | None, bucket: Bucket, key: str, version_id: str | None
    ) -> Deleted:
        """Delete a file, or one version of it for good."""
        raw = key_bytes(key)
        if version_id is not None:
            row = store.version(conn, bucket, raw, version_id)
            if row is None:
                return Deleted(key, version_id)
            self.drop(conn, bucket, row)
            return Deleted(key, version_id, row.file.is_delete_marker)
        if bucket.versioning is Versioning.OFF:
            row = store.latest(conn, bucket, raw)
            if row is not None:
                self.drop(conn, bucket, row)
            return Deleted(key)
        return Deleted(key, self.mark(conn, who, bucket, key).version_id, is_delete_marker=True)

    def mark(self, conn: Connection, who: Principal | None, bucket: Bucket, key: str) -> FileVersion:
        """Write a delete marker."""
        made = self.new_file(who, bucket, key, NOTHING, Describe(""), {})
        return self.write(conn, bucket, replace(made, state=MARKER, file=replace(made.file, is_delete_marker=True)))

    def drop(self, conn: Connection, bucket: Bucket, row: VersionRow) -> None:
        """Take a version away for good; the newest that is left becomes the file again."""
        self._drop(conn, bucket, row)
        if row.state == FORMER:
            return
        newest = store.latest(conn, bucket, row.key)
        if newest is not None:
            state = MARKER if newest.file.is_delete_marker else CURRENT
            store.set_state(conn, bucket.bucket_id, newest, state, newest.file.made_at_s)

    def _drop(self, conn: Connection, bucket: Bucket, row: VersionRow) -> None:
        store.drop_version(conn, bucket.bucket_id, row)
        store.next_rank(conn, bucket.bucket_id, -1, -row.content.size_bytes)
        self._contents.refer(conn, bucket.project_id, row.content, -1)
