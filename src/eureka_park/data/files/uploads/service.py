"""Use cases of uploads in parts. Each part is a blob; putting a file together moves no bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from eureka_park.accounts.service import Act, Principal
from eureka_park.data.core.bucket import (
    PAGE_MAX,
    PARTS_MAX,
    Bucket,
    Condition,
    Describe,
    FileVersion,
    PartOf,
    Upload,
    check_described,
    check_part_number,
    check_parts,
    etag_of_parts,
    key_bytes,
    text_bytes,
)
from eureka_park.data.files.contents import Contents, Ended, checks_of
from eureka_park.data.files.ground import Ground
from eureka_park.data.files.store import Content
from eureka_park.data.files.uploads import store
from eureka_park.data.files.uploads.store import PartRow
from eureka_park.data.files.writing import Writing
from eureka_park.foundation.errors import NotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Uploads:
    """Uploads in parts, of all buckets."""

    def __init__(self, ground: Ground, contents: Contents, writing: Writing) -> None:
        self._ground, self._contents, self._writing = ground, contents, writing

    def begin(
        self, who: Principal | None, bucket: str, key: str, describe: Describe, checksums: Mapping[str, str]
    ) -> Upload:
        """Begin one."""
        key_bytes(key)
        check_described(describe)
        ground = self._ground
        person_id = who.person_id if who is not None else ""
        made = Upload(ground.fresh_id("upload"), bucket, key, describe, person_id, ground.now_s(), checks_of(checksums))
        with ground.db.write() as conn:
            place = ground.bucket(conn, who, bucket, Act.STORE)
            store.add_upload(conn, place.bucket_id, made)
        return made

    def find(self, who: Principal | None, bucket: str, key: str, upload_id: str) -> Upload:
        """One that has not ended."""
        with self._ground.db.read() as conn:
            return self._find(conn, self._ground.bucket(conn, who, bucket, Act.STORE), key, upload_id)

    def _find(self, conn: Connection, bucket: Bucket, key: str, upload_id: str) -> Upload:
        is_sound = len(upload_id) <= 40 and upload_id.isascii() and "\0" not in upload_id
        found = store.upload(conn, bucket, key_bytes(key), upload_id) if is_sound else None
        if found is None:
            raise NotFound(
                f"There is no upload {upload_id[:80]!a} of this file.", fix="Begin another one.", code="no_such_upload"
            )
        return found

    def put_part(
        self,
        who: Principal | None,
        bucket: str,
        key: str,
        upload_id: str,
        part_number: int,
        pieces: Iterable[bytes],
        size_bytes: int | None,
        ended: Ended | None,
    ) -> PartOf:
        """Take in a part."""
        check_part_number(part_number)
        with self._ground.db.read() as conn:
            place = self._ground.bucket(conn, who, bucket, Act.STORE)
            self._find(conn, place, key, upload_id)
        taken = self._contents.take(place.project_id, pieces, size_bytes, ended)
        part = PartOf(part_number, taken.md5, taken.size_bytes, self._ground.now_s(), checks_of(taken.checksums))
        with self._contents.settling(taken) as left, self._ground.db.write() as conn:
            place = self._ground.bucket(conn, who, bucket, Act.STORE)
            found = self._find(conn, place, key, upload_id)
            left += self._contents.settle(conn, place.project_id, taken)
            self._contents.count(conn, place.project_id, [taken.sha256], 1)
            former = store.put_part(conn, found.upload_id, PartRow(taken.sha256, part))
            if former is not None:
                self._contents.let_go(conn, place.project_id, [former])
        return part

    def parts(
        self, who: Principal | None, bucket: str, key: str, upload_id: str, after: int, most: int
    ) -> Sequence[PartOf]:
        """The parts that have come."""
        with self._ground.db.read() as conn:
            place = self._ground.bucket(conn, who, bucket, Act.STORE)
            found = self._find(conn, place, key, upload_id)
            return [row.part for row in store.parts(conn, found.upload_id, after, most)]

    def all(
        self, who: Principal | None, bucket: str, prefix: str, after: tuple[str, str], most: int
    ) -> Sequence[Upload]:
        """Uploads that have not ended."""
        key, upload_id = after
        with self._ground.db.read() as conn:
            place = self._ground.bucket(conn, who, bucket)
            past = (text_bytes(key), upload_id or "\x7f") if key else (b"", "")  # ids are ASCII
            return store.uploads(conn, place, text_bytes(prefix), past, min(most, PAGE_MAX + 1))

    def complete(
        self,
        who: Principal | None,
        bucket: str,
        key: str,
        upload_id: str,
        chosen: Sequence[tuple[int, str]],
        condition: Condition,
        checksums: Mapping[str, str],
    ) -> FileVersion:
        """Put a file together."""
        with self._ground.db.write() as conn:
            place = self._ground.bucket(conn, who, bucket, Act.STORE)
            found = self._find(conn, place, key, upload_id)
            self._writing.check(conn, place, key_bytes(key), condition)
            there = {row.part.part_number: row for row in store.parts(conn, upload_id, 0, PARTS_MAX)}
            parts = check_parts(chosen, {number: row.part for number, row in there.items()})
            taken = {part.part_number for part in parts}
            size_bytes = store.add_layout(conn, upload_id, [there[part.part_number] for part in parts])
            store.drop_upload(conn, upload_id)
            unused = [row.sha256 for number, row in there.items() if number not in taken]
            self._contents.let_go(conn, place.project_id, unused)
            etag = etag_of_parts(part.etag for part in parts)
            content = Content(None, upload_id, size_bytes, etag, len(parts))
            made = self._writing.new_file(who, place, key, content, found.described, checksums)
            return self._writing.write(conn, place, made)

    def abort(self, who: Principal | None, bucket: str, key: str, upload_id: str) -> None:
        """End one without a file."""
        with self._ground.db.write() as conn:
            place = self._ground.bucket(conn, who, bucket, Act.STORE)
            found = self._find(conn, place, key, upload_id)
            self._contents.drop_upload(conn, place.project_id, found.upload_id)
