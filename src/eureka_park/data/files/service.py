"""Use cases of project files: buckets, files with their versions, lists. Uploads in parts, access keys and lifecycle
rules are parts of their own (`uploads`, `keys`, `lifecycle`); what the S3 door needs is reached from here.

Bucket names are one flat list for the whole park, as S3 clients know it: a name that is taken is taken for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from eureka_park.accounts.events import PersonErased
from eureka_park.accounts.service import AccountsService, Act, Principal
from eureka_park.data.core.bucket import (
    NULL_VERSION,
    PAGE_MAX,
    Bucket,
    Condition,
    Deleted,
    Describe,
    FilePart,
    FileVersion,
    LifecycleRule,
    Page,
    PartOf,
    Upload,
    Versioning,
    VersionPage,
    check_described,
    check_tags,
    key_bytes,
)
from eureka_park.data.files import store
from eureka_park.data.files.buckets import Buckets
from eureka_park.data.files.contents import Contents, Ended, Taken
from eureka_park.data.files.ground import Ground
from eureka_park.data.files.keys.service import AccessKeys
from eureka_park.data.files.lifecycle import Lifecycle
from eureka_park.data.files.lists import list_files, list_versions
from eureka_park.data.files.store import CURRENT, MARKER, NOTHING, Content, VersionRow
from eureka_park.data.files.uploads.service import Uploads
from eureka_park.data.files.writing import Writing
from eureka_park.data.objects.service import ObjectsService
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import BadInput, NotFound, ParkError

if TYPE_CHECKING:
    from sqlalchemy import Connection

DELETED_AT_ONCE: Final = 1_000
_DELETED_TOGETHER: Final = 50  # in one transaction, so that others come to their turn
Answers: TypeAlias = list[Deleted | ParkError]


class NoFile(NotFound):
    """There is no such file now; `marker` is the delete marker that says so, if there is one."""

    default_code = "no_such_file"
    marker: FileVersion | None = None


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A version that is to be read."""

    file: FileVersion
    read: Callable[[int, int], Iterator[bytes]]  # the bytes [start, end), in pieces


class FilesService:
    """Files of all projects. `who` is checked in every call, inside the transaction."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        accounts: AccountsService,
        objects: ObjectsService,
        entropy: Callable[[int], bytes],
    ) -> None:
        self.ground = Ground(db, clock, accounts, objects, entropy)
        self.contents = Contents(self.ground)
        self._writing = Writing(self.ground, self.contents)
        self._buckets = Buckets(self.ground)
        self._uploads = Uploads(self.ground, self.contents, self._writing)
        self.lifecycle = Lifecycle(self.ground, self.contents, self._writing)
        self.keys = AccessKeys(self.ground)
        accounts.people.on_export("access_keys", self.keys.exported)
        accounts.ground.bus.on(PersonErased, lambda conn, event: self.keys.forget(conn, event.person_id))
        self._db = db

    # -- buckets -------------------------------------------------------------------------------------------------------
    def buckets(self, who: Principal | None, project_id: str = "") -> Sequence[Bucket]:
        """The buckets that `who` may read, of all projects or of one, by name."""
        return self._buckets.all(who, project_id)

    def bucket(self, who: Principal | None, name: str) -> Bucket:
        """A bucket with its settings and sizes. Raises NotFound (`no_such_bucket`)."""
        with self._db.read() as conn:
            return self.ground.bucket(conn, who, name)

    def make_bucket(self, who: Principal | None, project_id: str, name: str) -> Bucket:
        """Make a bucket in a project. Raises BadInput (`bad_bucket`), Conflict (`bucket_taken`, or `bucket_yours` where
        the project has it already), Forbidden, Unauthorised, NotFound.
        """
        return self._buckets.make(who, project_id, name)

    def drop_bucket(self, who: Principal | None, name: str) -> None:
        """Take an empty bucket away. Raises Conflict (`bucket_not_empty`) while versions or markers lie in it; uploads
        that have not ended go with it.
        """
        self._buckets.drop(who, name, self.contents)

    def set_versioning(self, who: Principal | None, name: str, versioning: Versioning) -> Bucket:
        """Keep former versions from now on, or no more. Raises BadInput for `off`, which no bucket goes back to."""
        return self._buckets.set_versioning(who, name, versioning)

    def set_lifecycle(self, who: Principal | None, name: str, rules: Sequence[LifecycleRule]) -> Bucket:
        """Set what goes by itself; no rules: nothing. Raises BadInput (`bad_lifecycle`)."""
        return self._buckets.set_lifecycle(who, name, rules)

    def set_bucket_tags(self, who: Principal | None, name: str, tags: Mapping[str, str]) -> Bucket:
        """Set the tags of a bucket, at most 50. Raises BadInput (`bad_tags`)."""
        return self._buckets.set_tags(who, name, tags)

    # -- reading -------------------------------------------------------------------------------------------------------
    def head(self, who: Principal | None, bucket: str, key: str, version_id: str | None = None) -> FileVersion:
        """A file as it is now, or a version of it, which may be a delete marker.

        Raises NoFile, NotFound (`no_such_bucket`, `no_such_version`).
        """
        with self._db.read() as conn:
            return self._find(conn, self.ground.bucket(conn, who, bucket), key, version_id).file

    def open(self, who: Principal | None, bucket: str, key: str, version_id: str | None = None) -> OpenFile:
        """A file that is to be read: what it is, and its bytes on demand. Raises as `head`; NoFile for a marker too."""
        with self._db.read() as conn:
            place = self.ground.bucket(conn, who, bucket)
            row = self._find(conn, place, key, version_id)
        if row.file.is_delete_marker:
            raise no_file(key, row)
        return OpenFile(row.file, lambda start, end: self.contents.read(place.project_id, row, start, end))

    def read(
        self,
        who: Principal | None,
        bucket: str,
        key: str,
        start: int = 0,
        end: int | None = None,
        version_id: str | None = None,
    ) -> Iterator[bytes]:
        """The bytes [start, end) of a file, in pieces; `end` None: to its end. Raises as `open`."""
        opened = self.open(who, bucket, key, version_id)
        size_bytes = opened.file.size_bytes
        return opened.read(max(0, start), size_bytes if end is None else min(end, size_bytes))

    def _find(self, conn: Connection, bucket: Bucket, key: str, version_id: str | None) -> VersionRow:
        raw = key_bytes(key)
        if version_id is None:
            row = store.latest(conn, bucket, raw)
            if row is None or row.state != CURRENT:
                raise no_file(key, row)
            return row
        row = store.version(conn, bucket, raw, version_id)
        if row is None:
            raise NotFound(f"{key[:80]!a} has no version {version_id[:80]!a}.", code="no_such_version")
        return row

    # -- lists ---------------------------------------------------------------------------------------------------------
    def list(
        self,
        who: Principal | None,
        bucket: str,
        prefix: str = "",
        *,
        delimiter: str = "",
        after: str = "",
        most: int = PAGE_MAX,
    ) -> Page:
        """Files whose keys begin with `prefix` and come after `after`, by the bytes of their keys, at most 1,000.

        With a delimiter, keys that hold it after the prefix are shown as one common prefix, counted as one. `after` may
        be such a prefix: the list then goes on behind all that lies in it.
        """
        with self._db.read() as conn:
            return list_files(conn, self.ground.bucket(conn, who, bucket), prefix, delimiter, after, most)

    def list_versions(
        self,
        who: Principal | None,
        bucket: str,
        prefix: str = "",
        *,
        delimiter: str = "",
        after: tuple[str, str] | None = None,
        most: int = PAGE_MAX,
    ) -> VersionPage:
        """All versions and delete markers, by key and the newest first. `after`: a key and one of its versions, '' for
        all of them; or a common prefix and ''.
        """
        with self._db.read() as conn:
            return list_versions(conn, self.ground.bucket(conn, who, bucket), prefix, delimiter, after, most)

    def parts_of_file(
        self,
        who: Principal | None,
        bucket: str,
        key: str,
        version_id: str | None = None,
        *,
        after: int = 0,
        most: int = PAGE_MAX,
    ) -> Sequence[FilePart]:
        """The parts that a file was put together from, by number; none for one that came as one. Raises as `head`."""
        with self._db.read() as conn:
            row = self._find(conn, self.ground.bucket(conn, who, bucket), key, version_id)
            return self.contents.parts(conn, row, after, most)

    # -- writing -------------------------------------------------------------------------------------------------------
    def put(
        self,
        who: Principal | None,
        bucket: str,
        key: str,
        pieces: Iterable[bytes],
        *,
        describe: Describe = Describe(),
        condition: Condition = Condition(),
        size_bytes: int | None = None,
        ended: Ended | None = None,
    ) -> FileVersion:
        """Write a file from a stream, in the memory of one piece; it is durable and seen when this returns.

        `ended(md5_hex)` is called when all bytes have come and before anything is kept: it raises to refuse them, and
        tells the checksums that are kept with the file. A condition is looked at before the bytes and again with them.
        Raises BadInput (`size_mismatch`, `bad_key`, `bad_metadata`), Conflict (`precondition_failed`), TooLarge
        (`quota`), Unavailable; then nothing has changed.
        """
        raw = key_bytes(key)
        check_described(describe)
        with self._db.read() as conn:
            place = self.ground.bucket(conn, who, bucket, Act.STORE)
            self._writing.check(conn, place, raw, condition)
        taken = self.contents.take(place.project_id, pieces, size_bytes, ended)
        with self.contents.settling(taken) as left, self._db.write() as conn:
            place = self.ground.bucket(conn, who, bucket, Act.STORE)
            self._writing.check(conn, place, raw, condition)
            left += self.contents.settle(conn, place.project_id, taken)
            made = self._writing.new_file(who, place, key, taken.content(), describe, taken.checksums)
            return self._writing.write(conn, place, made)

    def copy(
        self,
        who: Principal | None,
        source: tuple[str, str, str | None],
        bucket: str,
        key: str,
        *,
        describe: Describe | None = None,
        condition: Condition = Condition(),
        source_etag: str = "",
    ) -> FileVersion:
        """Copy a file (bucket, key, version or None): no bytes move. `describe` None: as the source is described.

        `source_etag`: what the source must still have. Raises as `head` and `put`.
        """
        key_bytes(key)
        with self._db.read() as conn:
            origin = self.ground.bucket(conn, who, source[0])
            target = self.ground.bucket(conn, who, bucket, Act.STORE)
            found = self._source(conn, origin, source, source_etag)
        if describe is not None:
            check_described(describe)
        taken = self._moved(origin, target, found)
        with self.contents.settling(taken) if taken else nullcontext(list[str]()) as left, self._db.write() as conn:
            origin = self.ground.bucket(conn, who, source[0])
            target = self.ground.bucket(conn, who, bucket, Act.STORE)
            found = self._source(conn, origin, source, found.content.etag)
            self._writing.check(conn, target, key_bytes(key), condition)
            content = found.content
            if taken is not None:
                left += self.contents.settle(conn, target.project_id, taken)
                content = taken.content()
            elif origin.project_id != target.project_id:
                self.contents.share(conn, target.project_id, content)
            words = describe or described_of(found.file)
            made = self._writing.new_file(who, target, key, content, words, found.file.checksums)
            return self._writing.write(conn, target, made)

    def _source(
        self, conn: Connection, origin: Bucket, source: tuple[str, str, str | None], source_etag: str
    ) -> VersionRow:
        found = self._find(conn, origin, source[1], source[2])
        if found.file.is_delete_marker:
            raise no_file(source[1], found)
        Condition(if_match=source_etag).check(found.content.etag)
        return found

    def _moved(self, origin: Bucket, target: Bucket, found: VersionRow) -> Taken | None:
        """The bytes taken in anew, where two projects cannot share them; None where they can."""
        if self.contents.may_share(origin.project_id, target.project_id):
            return None
        size_bytes = found.content.size_bytes
        pieces = self.contents.read(origin.project_id, found, 0, size_bytes)
        return self.contents.take(target.project_id, pieces, size_bytes)

    def set_tags(
        self, who: Principal | None, bucket: str, key: str, tags: Mapping[str, str], version_id: str | None = None
    ) -> FileVersion:
        """Set the tags of a version; no new version is made. Raises as `head`, BadInput (`bad_tags`)."""
        check_tags(tags)
        with self._db.write() as conn:
            place = self.ground.bucket(conn, who, bucket, Act.STORE)
            row = self._find(conn, place, key, version_id)
            if row.file.is_delete_marker:
                raise no_file(key, row)
            file = replace(row.file, tags=dict(tags))
            store.set_described(conn, place.bucket_id, row, store.described_json(file))
        return file

    def delete(
        self,
        who: Principal | None,
        bucket: str,
        key: str,
        version_id: str | None = None,
        *,
        condition: Condition = Condition(),
    ) -> Deleted:
        """Delete a file, or one version for good; what is not there is no error.

        Without a version, a bucket that keeps them (or once did) gets a delete marker. Of what is deleted for good,
        the newest version that is left becomes the file again. Raises NotFound (`no_such_bucket`), Forbidden,
        Conflict (`precondition_failed`).
        """
        with self._db.write() as conn:
            place = self.ground.bucket(conn, who, bucket, Act.STORE)
            self._writing.check(conn, place, key_bytes(key), condition)
            return self._writing.delete(conn, who, place, key, version_id)

    def delete_many(
        self, who: Principal | None, bucket: str, keys: Sequence[tuple[str, str | None]]
    ) -> Sequence[Deleted | ParkError]:
        """Delete up to 1,000 files or versions, some at a time; for each, what was done or why it was not."""
        if len(keys) > DELETED_AT_ONCE:
            raise BadInput(
                f"At most {DELETED_AT_ONCE:,} files are deleted at once.", fix="Send fewer.", code="too_many"
            )
        found: Answers = []
        for at in range(0, len(keys), _DELETED_TOGETHER):
            with self._db.write() as conn:
                place = self.ground.bucket(conn, who, bucket, Act.STORE)
                found += [self._deleted(conn, who, place, *one) for one in keys[at : at + _DELETED_TOGETHER]]
        return found

    def _deleted(
        self, conn: Connection, who: Principal | None, place: Bucket, key: str, version_id: str | None
    ) -> Deleted | ParkError:
        try:
            key_bytes(key)
        except BadInput as error:
            return error
        return self._writing.delete(conn, who, place, key, version_id)

    # -- uploads in parts ----------------------------------------------------------------------------------------------
    def begin_upload(
        self,
        who: Principal | None,
        bucket: str,
        key: str,
        *,
        describe: Describe = Describe(),
        checksums: Mapping[str, str] | None = None,
    ) -> Upload:
        """Begin an upload in parts. `checksums`: what its door wants to remember of them. Raises as `put`."""
        return self._uploads.begin(who, bucket, key, describe, checksums or {})

    def upload(self, who: Principal | None, bucket: str, key: str, upload_id: str) -> Upload:
        """An upload that has not ended. Raises NotFound (`no_such_upload`)."""
        return self._uploads.find(who, bucket, key, upload_id)

    def put_part(
        self,
        who: Principal | None,
        bucket: str,
        key: str,
        upload_id: str,
        part_number: int,
        pieces: Iterable[bytes],
        *,
        size_bytes: int | None = None,
        ended: Ended | None = None,
    ) -> PartOf:
        """Take in a part, 1 to 10,000, from a stream; one of the same number gives way. `ended` as in `put`.

        Raises BadInput (`bad_part`, `size_mismatch`), NotFound (`no_such_upload`), TooLarge (`quota`), Unavailable.
        """
        return self._uploads.put_part(who, bucket, key, upload_id, part_number, pieces, size_bytes, ended)

    def copy_part(
        self,
        who: Principal | None,
        source: tuple[str, str, str | None],
        bucket: str,
        key: str,
        upload_id: str,
        part_number: int,
        *,
        start: int = 0,
        end: int | None = None,
        source_etag: str = "",
    ) -> PartOf:
        """Make the bytes [start, end) of a file (bucket, key, version or None) a part. Raises as `open` and `put_part`,
        and BadInput (`bad_range`).
        """
        opened = self.open(who, *source)
        Condition(if_match=source_etag).check(opened.file.etag)
        size_bytes = opened.file.size_bytes
        last = size_bytes if end is None else end
        if not 0 <= start < last <= size_bytes:
            raise BadInput(f"The file has {size_bytes} bytes.", fix="Name a range in it.", code="bad_range")
        pieces = opened.read(start, last)
        return self.put_part(who, bucket, key, upload_id, part_number, pieces, size_bytes=last - start)

    def parts_of(
        self, who: Principal | None, bucket: str, key: str, upload_id: str, *, after: int = 0, most: int = PAGE_MAX
    ) -> Sequence[PartOf]:
        """The parts that have come, by number, after one. Raises NotFound (`no_such_upload`)."""
        return self._uploads.parts(who, bucket, key, upload_id, after, most)

    def uploads_of(
        self,
        who: Principal | None,
        bucket: str,
        prefix: str = "",
        *,
        after: tuple[str, str] = ("", ""),
        most: int = PAGE_MAX,
    ) -> Sequence[Upload]:
        """Uploads that have not ended, by key and id, after a key and id (id '': after all of that key)."""
        return self._uploads.all(who, bucket, prefix, after, most)

    def complete(
        self,
        who: Principal | None,
        bucket: str,
        key: str,
        upload_id: str,
        parts: Sequence[tuple[int, str]],
        *,
        condition: Condition = Condition(),
        checksums: Mapping[str, str] | None = None,
    ) -> FileVersion:
        """Put a file together from parts (number, ETag), in order; no bytes move. `checksums`: of the whole file.

        Raises BadInput (`bad_part`, `bad_part_order`, `small_part`), NotFound (`no_such_upload`), Conflict
        (`precondition_failed`); the upload stays then.
        """
        return self._uploads.complete(who, bucket, key, upload_id, parts, condition, checksums or {})

    def abort(self, who: Principal | None, bucket: str, key: str, upload_id: str) -> None:
        """End an upload without a file; its parts go. Raises NotFound (`no_such_upload`)."""
        self._uploads.abort(who, bucket, key, upload_id)


def no_file(key: str, row: VersionRow | None) -> NoFile:
    """There is no such file now."""
    error = NoFile(f"There is no file {key[:80]!a}.", fix="See: park files ls BUCKET")
    error.marker = row.file if row is not None and row.file.is_delete_marker else None
    return error


def described_of(file: FileVersion) -> Describe:
    """How a file is described."""
    return Describe(file.content_type, file.metadata, file.headers, file.tags)


__all__ = ["MARKER", "NOTHING", "NULL_VERSION", "Content", "FilesService", "NoFile", "OpenFile"]
