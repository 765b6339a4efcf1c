"""Lifecycle rules applied: what a bucket's rules name goes, in bounded steps, each one transaction.

A lap looks at each rule of each bucket; a step looks at so many versions at most, those that have been as they are for
long enough, the oldest first. A step may be killed at any point, and a lap that breaks off begins anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from eureka_park.data.core.bucket import Bucket, LifecycleRule, Upload, Versioning, before_s
from eureka_park.data.files import store
from eureka_park.data.files.contents import Contents
from eureka_park.data.files.ground import Ground
from eureka_park.data.files.store import CURRENT, FORMER, MARKER, VersionRow
from eureka_park.data.files.uploads import store as uploads
from eureka_park.data.files.writing import Writing
from eureka_park.foundation.units import HOUR_S

if TYPE_CHECKING:
    from sqlalchemy import Connection

LAP_S: Final = HOUR_S  # real seconds between two laps
STEP_ROWS: Final = 200  # that one step looks at ...
STEP_GONE: Final = 25  # ... and lets go at most: it holds up others for some tens of milliseconds
FILE, VERSION, MARK, UPLOAD = "file", "version", "marker", "upload"
_KINDS: Final = (FILE, VERSION, MARK, UPLOAD)
_STATES: Final = {FILE: CURRENT, VERSION: FORMER, MARK: MARKER}
_BEGIN: Final = (float("-inf"), "")

Fence: TypeAlias = Callable[["Connection"], object]
Cursor: TypeAlias = tuple[float, int | str]


@dataclass(frozen=True, slots=True)
class Expiring:
    """What a rule lets go. `what`: file, version (a former one), marker, upload; `version_id`: an upload's id there."""

    bucket: str
    key: str
    version_id: str
    what: str
    rule_id: str
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Task:
    """One thing that one rule lets go."""

    bucket: str
    rule: LifecycleRule
    kind: str


@dataclass(slots=True)
class Lap:
    """How far a lap has come."""

    tasks: list[_Task]
    cursor: Cursor = _BEGIN
    n_gone: int = 0


class Lifecycle:
    """The rules of all buckets."""

    def __init__(self, ground: Ground, contents: Contents, writing: Writing) -> None:
        self._ground, self._contents, self._writing = ground, contents, writing
        self._lap: Lap | None = None
        self._next_s = 0.0

    def turn(self, fence: Fence) -> bool:
        """One bounded step of a lap, where one is due; False where there is nothing to do now. `fence` refuses, inside
        the transaction, a process that decides no more.
        """
        now_s = self._ground.now_s()
        if self._lap is None:
            if now_s < self._next_s:
                return False
            self._lap, self._next_s = self.begin(), now_s + LAP_S
        if self.step(self._lap, fence):
            return True
        self._lap = None
        return False

    def begin(self) -> Lap:
        """A new lap over all rules as they are now."""
        with self._ground.db.read() as conn:
            found = store.buckets_with_rules(conn)
        tasks = [_Task(one.name, rule, kind) for one in found for rule in one.rules for kind in _KINDS]
        return Lap([task for task in tasks if task.rule.is_on and _asks(task.rule, task.kind)])

    def step(self, lap: Lap, fence: Fence = lambda _conn: None, most: int = STEP_ROWS) -> bool:
        """Look at up to `most` versions and let go what is due; False at the end of the lap."""
        if not lap.tasks:
            return False
        task, n_gone = lap.tasks[0], 0
        rows: Sequence[VersionRow | Upload] = ()
        last: VersionRow | Upload | None = None
        with self._ground.db.write() as conn:
            fence(conn)
            bucket = store.bucket_named(conn, task.bucket)
            if bucket is not None and task.rule in bucket.rules:
                rows = self._rows(conn, bucket, task, lap.cursor, most)
                for row in self._due(conn, bucket, task, rows):
                    self._let_go(conn, bucket, row)
                    n_gone += 1
                    if n_gone == STEP_GONE:
                        last = row
                        break
        lap.n_gone += n_gone
        if last is None and len(rows) < most:
            lap.tasks.pop(0)
            lap.cursor = _BEGIN
        else:
            lap.cursor = _place(last or rows[-1])
        return bool(lap.tasks)

    def expiring(self) -> Iterator[Expiring]:
        """What a lap would let go now; nothing goes."""
        for task in self.begin().tasks:
            cursor: Cursor = _BEGIN
            while True:
                with self._ground.db.read() as conn:
                    bucket = store.bucket_named(conn, task.bucket)
                    rows = self._rows(conn, bucket, task, cursor, STEP_ROWS) if bucket else []
                    due = list(self._due(conn, bucket, task, rows)) if bucket else []
                yield from (_told(task, row) for row in due)
                if len(rows) < STEP_ROWS:
                    break
                cursor = _place(rows[-1])

    def _rows(
        self, conn: Connection, bucket: Bucket, task: _Task, after: Cursor, most: int
    ) -> Sequence[VersionRow | Upload]:
        """What has been as it is for long enough, below whatever prefix."""
        rule, now_s, (since_s, last) = task.rule, self._ground.now_s(), after
        if task.kind == UPLOAD:
            limit_s = before_s(now_s, rule.upload_days or 0)
            return uploads.uploads_before(conn, bucket, limit_s, (since_s, str(last)), most)
        days = {FILE: rule.current_days, VERSION: rule.noncurrent_days, MARK: 0}[task.kind]
        rank = last if isinstance(last, int) else store.BEFORE_RANKS
        return store.older(conn, bucket, _STATES[task.kind], before_s(now_s, days or 0), (since_s, rank), most)

    def _due(
        self, conn: Connection, bucket: Bucket, task: _Task, rows: Sequence[VersionRow | Upload]
    ) -> Iterator[VersionRow | Upload]:
        """Those of them that a rule is about."""
        for row in rows:
            key = row.key if isinstance(row, Upload) else row.file.key
            if not key.startswith(task.rule.prefix):
                continue
            if isinstance(row, Upload) or task.kind == FILE:
                yield row
            elif task.kind == VERSION:
                kept = task.rule.n_newer_kept
                if not kept or store.n_newer(conn, bucket, row, kept) >= kept:
                    yield row
            elif len(store.versions_of(conn, bucket, row.key, 2)) == 1:
                yield row

    def _let_go(self, conn: Connection, bucket: Bucket, row: VersionRow | Upload) -> None:
        if isinstance(row, Upload):
            self._contents.drop_upload(conn, bucket.project_id, row.upload_id)
        elif row.state == CURRENT and bucket.versioning is not Versioning.OFF:
            self._writing.mark(conn, None, bucket, row.file.key)
        else:
            self._writing.drop(conn, bucket, row)


def _asks(rule: LifecycleRule, kind: str) -> bool:
    days = {FILE: rule.current_days, VERSION: rule.noncurrent_days, UPLOAD: rule.upload_days}
    return rule.markers if kind == MARK else days[kind] is not None


def _place(row: VersionRow | Upload) -> Cursor:
    return (row.begun_at_s, row.upload_id) if isinstance(row, Upload) else (row.since_s, row.rank)


def _told(task: _Task, row: VersionRow | Upload) -> Expiring:
    if isinstance(row, Upload):
        return Expiring(task.bucket, row.key, row.upload_id, UPLOAD, task.rule.rule_id)
    file = row.file
    return Expiring(task.bucket, file.key, file.version_id, task.kind, task.rule.rule_id, file.size_bytes)
