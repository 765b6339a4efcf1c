"""Repositories on both databases: versions whole or not at all, for whom they are for, gone when nobody needs them."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.data_park import DataPark

from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.core.repository import Put, Remove, RepositoryKind
from eureka_park.data.repositories.access import Want
from eureka_park.data.repositories.versions import Draft
from eureka_park.foundation.errors import BadInput, Conflict, Forbidden, NotFound, ParkError, TooLarge

DAY_S = 86400.0


@pytest.fixture
def park(database: SqlDatabase, tmp_path: Path) -> Iterator[DataPark]:
    return DataPark(database, tmp_path / "blobs")


def refused(code: str, call: object, *words: object, **more: object) -> ParkError:
    with pytest.raises(ParkError) as caught:
        call(*words, **more)  # type: ignore[operator]
    assert caught.value.code == code, caught.value
    return caught.value


def test_a_repository_is_what_was_committed(park: DataPark) -> None:
    made = park.repository()
    first = park.versions.at(made, "main")
    assert (first.n_files, park.files(first)) == (0, {})
    second = park.commit(made, {"a.txt": b"a", "d/b.txt": b"bb", "d/e/c.txt": b"a"}, title="Add")
    assert (second.n_files, second.size_bytes, second.parent_id) == (3, 4, first.commit_id)
    third = park.commit(made, {"d/b.txt": None, "a.txt": b"new"})
    assert park.files(third) == {"a.txt": b"new", "d/e/c.txt": b"a"} and len(park.files(second)) == 3
    told = [((a or b).path, a is not None, b is not None) for a, b in park.versions.differences(second, third)]  # type: ignore[union-attr]
    assert told == [("a.txt", True, True), ("d/b.txt", True, False)]
    assert [one.title for one in park.versions.history(made, third, 10)] == ["Test", "Add", "Begin"]
    assert park.commit(made, {"a.txt": b"new"}) == third, "no change, no commit"
    gone = Draft("main", "Clear", [Remove("d", is_folder=True), Put("d", *_as_put(park, third, "a.txt"))])
    last = park.versions.commit(made, park.ada, gone)
    assert park.files(last) == {"a.txt": b"new", "d": b"new"}
    assert park.versions.entry(last, "d").path == "d"
    refused("no_such_entry", park.versions.entry, last, "../d")
    park.versions.add_ref(made, "branch", "try/one", third.commit_id)
    park.versions.add_ref(made, "tag", "v1", "main", "First")
    on_branch = park.commit(made, {"x": b"x"}, branch="try/one")
    assert park.files(park.versions.at(made, "try/one")) == {**park.files(third), "x": b"x"}
    assert park.versions.at(made, "v1") == last and park.versions.at(made, on_branch.commit_id) == on_branch
    refused("ref_taken", park.versions.add_ref, made, "tag", "v1", "main")
    park.versions.drop_ref(made, "branch", "try/one")
    refused("no_such_revision", park.versions.at, made, "try/one")
    refused("main_stays", park.versions.drop_ref, made, "branch", "main")
    squashed = park.versions.squash(made, park.ada, "main", "All in one")
    assert squashed.parent_id == "" and park.files(park.versions.at(made, "main")) == park.files(last)


def _as_put(park: DataPark, version: object, path: str) -> tuple[str, int, str]:
    entry = park.versions.entry(version, path)  # type: ignore[arg-type]
    return entry.sha256, entry.size_bytes, entry.git_oid


def test_of_two_commits_on_one_parent_one_is_made(park: DataPark) -> None:
    made = park.repository()
    parent = park.versions.at(made, "main").commit_id
    park.commit(made, {"a": b"1"}, parent_id=parent)
    refused("parent_changed", park.commit, made, {"b": b"2"}, parent_id=parent)
    assert park.files(park.versions.at(made, "main")) == {"a": b"1"}
    outcomes: list[object] = []

    def write(number: int) -> None:
        outcomes.append(park.commit(made, {f"f{number}": b"%d" % number}))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == 4 and sorted(park.files(park.versions.at(made, "main"))) == ["a", "f0", "f1", "f2", "f3"]


PATHS = (
    "../x", "/x", "a/../b", "a//b", "a\0b", "", ".", "a/./b", "a\\b", "x" * 4096, "a/" * 600 + "b", "\ud800", "a\nb",
)  # fmt: skip


def test_no_path_leaves_its_repository(park: DataPark) -> None:
    made = park.repository()
    for path in PATHS:
        refused("bad_path", park.commit, made, {"good": b"x", path: b"x"})
        refused("no_such_entry", park.versions.entry, park.versions.at(made, "main"), path)
    assert park.files(park.versions.at(made, "main")) == {}


def test_names_that_look_alike_are_one_and_none_is_file_and_folder(park: DataPark) -> None:
    made = park.repository()
    park.commit(made, {"caf\u0065\u0301": b"1"})
    assert list(park.files(park.commit(made, {"caf\u00e9": b"2"}))) == ["caf\u00e9"]
    park.commit(made, {"a/b": b"x"})
    for files in ({"a": b"x"}, {"a/b/c": b"x"}, {"n": b"x", "n/m": b"x"}):
        refused("path_clash", park.commit, made, files)
    refused("no_such_entry", park.commit, made, {"nowhere": None})


def test_who_sees_and_writes(park: DataPark) -> None:
    repositories, made = park.repositories, park.repository()

    def sees(who: object, want: Want = Want.READ) -> bool:
        try:
            repositories.find(want, who, "dataset", "lab", "set")  # type: ignore[arg-type]
        except (NotFound, Forbidden):
            return False
        return True

    people = [None, park.ben, park.cleo, park.ada, park.lea, park.owner]
    assert [sees(who) for who in people] == [False, False, False, True, True, True]
    assert [sees(who, Want.WRITE) for who in people] == [False, False, False, True, True, True]
    assert [sees(who, Want.MANAGE) for who in people] == [False, False, False, False, True, True]
    refused("no_such_repository", repositories.find, Want.READ, park.ben, "dataset", "lab", "set")
    refused("no_such_repository", repositories.find, Want.READ, park.ben, "dataset", "nowhere", "set")
    refused("forbidden", repositories.change, park.ada, made, visibility="public")
    repositories.change(park.lea, made, visibility="organisation")
    assert [sees(who) for who in people] == [False, False, True, True, True, True]
    repositories.change(park.lea, made, visibility="public")
    assert all(map(sees, people)) and not sees(park.ben, Want.WRITE)
    repositories.change(park.lea, made, gate="manual")
    assert [sees(who) for who in people] == [False, False, False, True, True, True] and sees(None, Want.KNOW)
    refused("gated", repositories.find, Want.READ, park.ben, "dataset", "lab", "set")
    for nobody in (park.ben.person_id, "nobody"):
        refused("no_such_request", repositories.answer, park.lea, made, nobody, "accepted")
    assert repositories.asking(park.lea, made, "accepted") == []
    assert repositories.ask_in(park.ben, made) == "pending"
    assert [one for one, _ in repositories.asking(park.lea, made, "pending")] == [park.ben.person_id]
    repositories.answer(park.lea, made, park.ben.person_id, "accepted")
    assert sees(park.ben) and not sees(park.ben, Want.WRITE)
    token = park.accounts.tokens.new(park.ada.person_id, "r", scopes=["read"])[0]
    reader = park.accounts.principal_of_token(token)
    assert sees(reader) and not sees(reader, Want.WRITE)


def test_names_are_taken_once_and_lead_on_after_a_move(park: DataPark) -> None:
    made = park.repository("Set.One")
    refused("repository_taken", park.repository, "set.one")
    for name in ("", "a/b", "..", "-a", "a.git", "a--b", "é", "x" * 97, "a\0"):
        refused("bad_name", park.repository, name)
    refused("no_such_project", park.repository, "x", who=park.ben)
    moved = park.repositories.move(park.lea, made, "lab", "new")
    for name in ("new", "set.ONE"):
        assert park.repositories.find(Want.READ, park.ada, "dataset", "lab", name) == moved
    taken = park.repository("set.one")
    assert park.repositories.find(Want.READ, park.ada, "dataset", "lab", "Set.One") == taken
    assert [one.name for one in park.repositories.page(park.ada, "dataset")] == ["new", "set.one"]
    assert park.repositories.page(None, "dataset") == [] and park.repositories.page(park.ada, "model") == []
    assert [one.name for one in park.repositories.page(park.ada, "dataset", text="NE", most=1)] == ["new"]


def test_who_knows_a_hash_has_nothing(park: DataPark) -> None:
    mine, secret = park.repository(), b"secret"
    park.commit(mine, {"a": secret})
    other = park.repositories.create(park.owner, RepositoryKind.MODEL, "other", "m")
    draft = Draft("main", "Steal", [Put("a", hashlib.sha256(secret).hexdigest(), len(secret))])
    refused("no_such_blob", park.versions.commit, other, park.ben, draft)
    park.objects.put("other", iter([secret]))
    park.versions.commit(other, park.ben, draft)
    assert len(park.objects_kept()) == 1, "kept once"


def test_what_comes_is_what_was_promised_or_leaves_nothing(park: DataPark) -> None:
    right, wrong = hashlib.sha256(b"abc").hexdigest(), "0" * 64
    refused("hash_mismatch", park.objects.put, "lab", [b"ab", b"c"], sha256=wrong)
    refused("size_mismatch", park.objects.put, "lab", [b"ab"], sha256=right, size_bytes=3)
    refused("size_mismatch", park.objects.put, "lab", [b"ab", b"cd"], sha256=right, size_bytes=3)
    refused("bad_sha256", park.objects.put, "lab", [b"abc"], sha256="../x")

    def breaks() -> Iterator[bytes]:
        yield b"ab"
        raise BadInput("gone", code="upload_broken")

    refused("upload_broken", park.objects.put, "lab", breaks(), sha256=right)
    park.objects.set_limit("lab", 10)
    refused("quota", park.objects.put, "lab", [b"x" * 11])
    park.objects.put("lab", [b"abc"])
    refused("quota", park.objects.put, "lab", [b"12345678"])
    assert len(park.objects_kept()) == 1 and list((park.folder / "incoming").iterdir()) == []
    assert park.objects.use("lab") == (3, 10) and park.objects.open("lab", right).content() == b"abc"
    with pytest.raises(TooLarge):
        park.commit(park.repository(), {"a": b"more than ten"})
    name = "upload"
    park.objects.put_part("lab", name, 2, 2, [b"cd"])
    refused("size_mismatch", park.objects.put_part, "lab", name, 0, 2, [b"a"])
    park.objects.put_part("lab", name, 0, 2, [b"ab"])
    sha256 = hashlib.sha256(b"abcd").hexdigest()
    refused("hash_mismatch", park.objects.end_parts, "lab", name, sha256=right, size_bytes=4)
    assert park.objects.end_parts("lab", name, sha256=sha256, size_bytes=4).size_bytes == 4
    assert park.objects.end_parts("lab", name, sha256=sha256, size_bytes=4), "asked twice"


def test_what_nobody_needs_goes_after_its_grace_and_nothing_else(park: DataPark) -> None:
    made, other = park.repository(), park.repository("other")
    park.commit(made, {f"d{n % 3}/f{n}": b"%d" % n for n in range(200)})
    kept = park.files(park.commit(other, {"f": b"7", "g": b"only here"}))
    park.objects.put("lab", [b"never committed"])
    (park.folder / "store" / "ab").mkdir(exist_ok=True)
    (park.folder / "store" / "ab" / "litter").write_bytes(b"x")
    os.utime(park.folder / "store" / "ab" / "litter", (0.0, 0.0))
    park.repositories.delete(park.lea, made)
    refused("no_such_repository", park.repositories.find, Want.READ, park.owner, "dataset", "lab", "set")
    park.clock.step(DAY_S / 2)
    done = park.data.collector.collect(DAY_S)
    assert (done.n_blobs, done.n_nodes, done.n_objects) == (0, 0, 1), "the litter alone"
    park.clock.step(DAY_S)
    done = park.data.collector.collect(DAY_S)
    assert done.n_blobs == 1 and done.n_nodes >= 3, "the deleted repository's contents only begin to idle now"
    park.commit(other, {"again": b"11"})  # sent again meanwhile: it is needed
    park.clock.step(2 * DAY_S)
    done = park.data.collector.collect(DAY_S)
    assert done.n_blobs == 198 and done.n_objects >= 198
    assert park.files(park.versions.at(other, "main")) == {**kept, "again": b"11"}
    assert len(park.objects_kept()) <= 4 and park.data.collector.scrub().findings == []
    assert park.objects.use("lab")[0] == sum(map(len, (b"7", b"only here", b"11")))


def test_a_flipped_bit_is_found(park: DataPark) -> None:
    park.commit(park.repository(), {"a": b"content", "b": b"other"})
    assert park.data.collector.scrub().findings == []
    file = park.folder / "store" / park.objects_kept()[0]
    file.chmod(0o644)
    file.write_bytes(bytes([file.read_bytes()[0] ^ 1]) + file.read_bytes()[1:])
    found = park.data.collector.scrub()
    assert len(found.findings) == 1 and "damaged" in found.findings[0] and found.n_objects == 2
    (park.folder / "store" / park.objects_kept()[1]).unlink()
    assert len(park.data.collector.scrub().findings) == 2


def test_contents_and_refs_conflict_cleanly(park: DataPark) -> None:
    made = park.repository()
    for name in ("", "a..b", "/a", "a/", "x" * 201, "refs/heads/x", "a b", "0" * 40, "a\0"):
        refused("bad_ref", park.versions.add_ref, made, "branch", name, "main")
    for revision in ("", "nope", "0" * 40, "\0", "x" * 5000):
        refused("no_such_revision", park.versions.at, made, revision)
    with pytest.raises(Conflict):
        park.versions.add_ref(made, "branch", "main", "main")
