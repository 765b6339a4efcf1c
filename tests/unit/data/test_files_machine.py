"""Files of a bucket against a plain dict: whatever is written, deleted, copied, put together or let go by rules."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from tests.helpers.data_park import DataPark

from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.core import bucket as core
from eureka_park.data.core.bucket import Condition, LifecycleRule, Versioning
from eureka_park.data.files.service import NoFile
from eureka_park.data.objects.store import blobs
from eureka_park.foundation.errors import Conflict, NotFound
from eureka_park.foundation.units import DAY_S

N_EXAMPLES = {"sqlite": 10, "postgresql": 4}
KEYS = ("a", "a/", "a/b", "a/b/c", "a0", "b/é", "b/\U0001f30d", "b/b")
key_of = st.sampled_from(KEYS)
content_of = st.binary(max_size=12)


@dataclass
class Version:
    """A version as the dict has it; `content` None: a delete marker."""

    version_id: str
    content: bytes | None
    etag: str
    made_s: float
    since_s: float  # when it was made or, once there is a newer one, replaced
    parts: list[bytes] = field(default_factory=list)


class Files(RuleBasedStateMachine):
    """A bucket of its own for each example; the park's store is shared."""

    park: DataPark
    n_made = 0

    def __init__(self) -> None:
        super().__init__()
        self.name = f"bucket-{Files.n_made}"
        Files.n_made += 1
        self.files = self.park.data.files
        self.files.make_bucket(self.park.ada, "lab", self.name)
        self.is_kept, self.is_off = False, True
        self.rules: tuple[LifecycleRule, ...] = ()
        self.of: dict[str, list[Version]] = {}  # newest first
        self.waiting: dict[str, tuple[str, dict[int, bytes], float]] = {}  # uploads

    # -- the dict ------------------------------------------------------------------------------------------------------
    def now(self) -> float:
        return self.park.clock.real_s()

    def write(self, key: str, made: Version) -> None:
        found = self.of.setdefault(key, [])
        if not self.is_kept:
            found[:] = [one for one in found if one.version_id != "null"]
        if found and found[0].since_s == found[0].made_s:
            found[0].since_s = self.now()
        found.insert(0, made)

    def drop(self, key: str, at: int) -> None:
        found = self.of[key]
        del found[at]
        if at == 0 and found:
            found[0].since_s = found[0].made_s
        if not found:
            del self.of[key]

    def delete_in_dict(self, key: str, version_id: str) -> None:
        if self.is_off:
            if key in self.of:
                self.drop(key, 0)
        else:
            self.write(key, Version(version_id, None, "", self.now(), self.now()))

    def file(self, key: str) -> Version | None:
        found = self.of.get(key, [None])[0]
        return found if found is not None and found.content is not None else None

    def check_id(self, version_id: str) -> None:
        assert (version_id == "null") is not self.is_kept

    # -- what is done --------------------------------------------------------------------------------------------------
    @rule(key=key_of, content=content_of, is_new=st.sampled_from((False, False, True)))
    def put(self, key: str, content: bytes, is_new: bool) -> None:
        there = self.file(key)
        condition = Condition(if_none_match=is_new)
        try:
            made = self.files.put(self.park.ada, self.name, key, [content], condition=condition)
        except Conflict:
            assert is_new and there is not None
            return
        assert not (is_new and there)
        self.check_id(made.version_id)
        self.write(key, Version(made.version_id, content, made.etag, self.now(), self.now()))
        assert made.etag == hashlib.md5(content).hexdigest()

    @rule(key=key_of)
    def delete(self, key: str) -> None:
        done = self.files.delete(self.park.ada, self.name, key)
        assert done.is_delete_marker is not self.is_off
        self.delete_in_dict(key, done.version_id)

    @precondition(lambda self: self.of)
    @rule(pick=st.data())
    def delete_version(self, pick: st.DataObject) -> None:
        key = pick.draw(st.sampled_from(sorted(self.of)))
        at = pick.draw(st.integers(0, len(self.of[key]) - 1))
        one = self.of[key][at]
        done = self.files.delete_many(self.park.ada, self.name, [(key, one.version_id)])
        assert [(item.version_id, item.is_delete_marker) for item in done] == [(one.version_id, one.content is None)]
        self.drop(key, at)

    @precondition(lambda self: self.of)
    @rule(pick=st.data(), onto=key_of)
    def copy(self, pick: st.DataObject, onto: str) -> None:
        key = pick.draw(st.sampled_from(sorted(self.of)))
        one = pick.draw(st.sampled_from(self.of[key]))
        source = (self.name, key, one.version_id)
        if one.content is None:
            with pytest.raises(NoFile):
                self.files.copy(self.park.ada, source, self.name, onto)
            return
        made = self.files.copy(self.park.ada, source, self.name, onto)
        self.write(onto, Version(made.version_id, one.content, one.etag, self.now(), self.now(), one.parts))

    @rule(is_kept=st.booleans())
    def version(self, is_kept: bool) -> None:
        self.files.set_versioning(self.park.ada, self.name, Versioning.ON if is_kept else Versioning.SUSPENDED)
        self.is_kept, self.is_off = is_kept, False

    @rule(key=key_of, parts=st.dictionaries(st.integers(1, 9), st.binary(min_size=4, max_size=9), max_size=2))
    def upload(self, key: str, parts: dict[int, bytes]) -> None:
        made = self.files.begin_upload(self.park.ada, self.name, key)
        for number, content in parts.items():
            self.files.put_part(self.park.ada, self.name, key, made.upload_id, number, [b"other"])
            self.files.put_part(self.park.ada, self.name, key, made.upload_id, number, [content])
        self.waiting[made.upload_id] = (key, parts, self.now())

    @precondition(lambda self: self.waiting)
    @rule(pick=st.data(), is_aborted=st.sampled_from((False, False, True)))
    def end_upload(self, pick: st.DataObject, is_aborted: bool) -> None:
        upload_id = pick.draw(st.sampled_from(sorted(self.waiting)))
        key, parts, _ = self.waiting.pop(upload_id)
        there = self.files.parts_of(self.park.ada, self.name, key, upload_id)
        assert [(one.part_number, one.size_bytes) for one in there] == [(n, len(parts[n])) for n in sorted(parts)]
        if is_aborted or not parts:
            self.files.abort(self.park.ada, self.name, key, upload_id)
            return
        chosen = pick.draw(st.sets(st.sampled_from(sorted(parts)), min_size=1))
        given = [(one.part_number, one.etag) for one in there if one.part_number in chosen]
        made = self.files.complete(self.park.ada, self.name, key, upload_id, given)
        self.check_id(made.version_id)
        bodies = [parts[number] for number in sorted(chosen)]
        md5s = b"".join(hashlib.md5(body).digest() for body in bodies)
        assert made.etag == f"{hashlib.md5(md5s).hexdigest()}-{len(bodies)}"
        self.write(key, Version(made.version_id, b"".join(bodies), made.etag, self.now(), self.now(), bodies))

    @rule(days=st.integers(0, 4))
    def wait(self, days: int) -> None:
        self.park.clock.step(days * DAY_S + 1.0)

    @rule(
        prefix=st.sampled_from(("", "a", "a/", "b/")), current=st.sampled_from((None, 1, 3)),
        former=st.sampled_from((None, 1, 3)), kept=st.integers(0, 2), uploads=st.sampled_from((None, 2)),
        markers=st.booleans(), most=st.integers(1, 5),
    )  # fmt: skip
    def let_go(self, prefix, current, former, kept, uploads, markers, most) -> None:
        if (current, former, uploads, markers) == (None, None, None, False):
            return
        asked = LifecycleRule("one", prefix, True, current, former, kept if former else 0, uploads, markers)
        self.files.set_lifecycle(self.park.ada, self.name, [asked])
        told = Counter((one.what, one.key) for one in self.files.lifecycle.expiring())
        lap = self.files.lifecycle.begin()
        while self.files.lifecycle.step(lap, most=most):
            pass
        self.files.set_lifecycle(self.park.ada, self.name, [])
        gone = self.let_go_in_dict(asked)
        assert all(told[pair] <= gone[pair] for pair in told)  # what a step makes due is let go in the same lap

    def let_go_in_dict(self, asked: LifecycleRule) -> Counter[tuple[str, str]]:
        gone, now = Counter[tuple[str, str]](), self.now()
        keys = [key for key in sorted(self.of) if key.startswith(asked.prefix)]
        for key in keys if asked.current_days else ():
            one = self.file(key)
            if one is not None and one.since_s < now - asked.current_days * DAY_S:
                gone["file", key] += 1
                self.delete_in_dict(key, "?" if self.is_kept else "null")
        for key in keys if asked.noncurrent_days else ():
            found = self.of.get(key, [])
            for at in reversed(range(1 + asked.n_newer_kept, len(found))):
                if found[at].since_s < now - asked.noncurrent_days * DAY_S:
                    gone["version", key] += 1
                    self.drop(key, at)
        for key in keys if asked.markers else ():
            found = self.of.get(key, [])
            if len(found) == 1 and found[0].content is None and found[0].since_s < now:
                gone["marker", key] += 1
                self.drop(key, 0)
        for upload_id, (key, _, begun_s) in sorted(self.waiting.items()) if asked.upload_days else ():
            if key.startswith(asked.prefix) and begun_s < now - asked.upload_days * DAY_S:
                gone["upload", key] += 1
                del self.waiting[upload_id]
        self.learn_ids()
        return gone

    def learn_ids(self) -> None:
        """Markers that rules have made have ids that nobody was told."""
        for one in self.files.list_versions(self.park.ada, self.name).versions:
            same = next(item for item in self.of[one.key] if item.version_id in (one.version_id, "?"))
            same.version_id = one.version_id

    # -- what is seen --------------------------------------------------------------------------------------------------
    @rule(
        prefix=st.sampled_from(("", "a", "a/", "b", "b/é", "c")), delimiter=st.sampled_from(("", "/", "b/", "0")),
        most=st.integers(1, 4), after=st.sampled_from(("", "a", "a/", "a/b", "a/b/", "a1", "z")),
    )  # fmt: skip
    def list(self, prefix: str, delimiter: str, most: int, after: str) -> None:
        there = [key for key in self.of if self.file(key) and key.startswith(prefix)]
        expected, found = self.shown(there, prefix, delimiter, after), []
        while True:
            page = self.files.list(self.park.ada, self.name, prefix, delimiter=delimiter, after=after, most=most)
            found += sorted([*page.prefixes, *(one.key for one in page.files)], key=str.encode)
            assert len(page.prefixes) + len(page.files) <= most
            if page.next is None:
                break
            after = page.next
        assert found == expected

    def shown(self, keys, prefix: str, delimiter: str, after: str) -> list[str]:
        found = []
        for key in sorted(keys, key=str.encode):
            at = key.find(delimiter, len(prefix)) if delimiter else -1
            folder = key[: at + len(delimiter)] if at >= 0 else key
            if key.encode() > after.encode() and not (at >= 0 and folder == after):
                found.append(folder)
        return list(dict.fromkeys(found))

    @rule(prefix=st.sampled_from(("", "a/", "b")), delimiter=st.sampled_from(("", "/")), most=st.integers(1, 5))
    def list_versions(self, prefix: str, delimiter: str, most: int) -> None:
        shown, after, found = (
            self.shown([key for key in self.of if key.startswith(prefix)], prefix, delimiter, ""),
            None,
            [],
        )
        expected = [
            pair
            for key in shown
            for pair in (
                [(key, one.version_id) for one in self.of[key]]
                if key in self.of and not (delimiter and delimiter in key[len(prefix) :])
                else [(key, "")]
            )
        ]
        while True:
            page = self.files.list_versions(
                self.park.ada, self.name, prefix, delimiter=delimiter, after=after, most=most
            )
            pairs = [*((one, "") for one in page.prefixes), *((one.key, one.version_id) for one in page.versions)]
            found += sorted(pairs, key=lambda pair: pair[0].encode())  # stable: versions stay in their order
            if page.next is None:
                break
            after = page.next
        assert found == expected

    @rule(key=key_of, start=st.integers(0, 6), n_bytes=st.integers(0, 20))
    def read(self, key: str, start: int, n_bytes: int) -> None:
        one = self.file(key)
        if one is None:
            with pytest.raises(NoFile):
                self.files.read(self.park.ada, self.name, key)
            return
        got = b"".join(self.files.read(self.park.ada, self.name, key, start, start + n_bytes))
        assert got == one.content[start : start + n_bytes]
        parts = self.files.parts_of_file(self.park.ada, self.name, key)
        assert [part.size_bytes for part in parts] == [len(body) for body in one.parts]

    @invariant()
    def same(self) -> None:
        found = self.files.list_versions(self.park.ada, self.name).versions
        told = [
            (one.key, one.version_id, one.etag, one.size_bytes, one.is_delete_marker, one.is_latest) for one in found
        ]
        assert told == [
            (key, one.version_id, one.etag, len(one.content or b""), one.content is None, at == 0)
            for key in sorted(self.of, key=str.encode)
            for at, one in enumerate(self.of[key])
        ]
        bucket = self.files.bucket(self.park.ada, self.name)
        assert (bucket.n_versions, bucket.size_bytes) == (len(told), sum(row[3] for row in told))
        there = [one.upload_id for one in self.files.uploads_of(self.park.ada, self.name)]
        assert sorted(there) == sorted(self.waiting)

    def teardown(self) -> None:
        """Whatever happened: no reference is left once the bucket is gone."""
        while page := self.files.list_versions(self.park.ada, self.name).versions:
            self.files.delete_many(self.park.ada, self.name, [(one.key, one.version_id) for one in page])
        self.files.drop_bucket(self.park.ada, self.name)
        with self.park.db.read() as conn:
            assert not conn.execute(blobs.select().where(blobs.c.n_refs != 0)).all()


def test_a_bucket_is_like_a_dict(database: SqlDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(core, "PART_BYTES_MIN", 4)
    park = DataPark(database, tmp_path / "blobs")
    monkeypatch.setattr(park.blobs, "sync", lambda: None)
    monkeypatch.setattr(Files, "park", park, raising=False)
    kind = database_kind(database)
    run_state_machine_as_test(
        Files,
        settings=settings(
            max_examples=N_EXAMPLES[kind], stateful_step_count=25, deadline=None,
            suppress_health_check=list(HealthCheck), derandomize=True,
        ),
    )  # fmt: skip
    park.clock.step(3 * DAY_S)
    park.data.collector.collect()
    assert park.objects_kept() == []
    with pytest.raises(NotFound):
        park.data.files.bucket(park.ada, "bucket-0")


def database_kind(database: SqlDatabase) -> str:
    with database.read() as conn:
        return conn.dialect.name
