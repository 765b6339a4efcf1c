"""Project files: buckets, versions, markers, lists, copies, uploads in parts; who may; what they hold of the store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.helpers.data_park import DataPark

from eureka_park.accounts.core.roles import Role
from eureka_park.accounts.service import Act, may
from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.core.bucket import (
    PART_BYTES_MIN,
    Condition,
    Describe,
    LifecycleRule,
    Versioning,
    check_bucket_name,
)
from eureka_park.data.files.service import NoFile
from eureka_park.foundation.errors import BadInput, Conflict, Forbidden, NotFound, ParkError, TooLarge, Unauthorised
from eureka_park.foundation.units import DAY_S


@pytest.fixture
def park(database: SqlDatabase, tmp_path: Path) -> Iterator[DataPark]:
    yield DataPark(database, tmp_path / "blobs")


def put(park: DataPark, key: str, content: bytes, **more):
    return park.data.files.put(park.ada, "plots", key, [content], **more)


def read(park: DataPark, key: str, **more) -> bytes:
    return b"".join(park.data.files.read(park.ada, "plots", key, **more))


def test_a_file_is_written_read_replaced_and_deleted(park: DataPark) -> None:
    files = park.data.files
    files.make_bucket(park.ada, "lab", "plots")
    words = Describe("text/csv", {"who": "ada"}, {"cache-control": "no-store"}, {"kind": "raw"})
    made = put(park, "a/b.csv", b"one", describe=words)
    assert made == files.head(park.ada, "plots", "a/b.csv")
    assert (made.etag, made.version_id, made.size_bytes) == (hashlib.md5(b"one").hexdigest(), "null", 3)
    assert (made.content_type, made.metadata, made.headers, made.tags) == (
        "text/csv", {"who": "ada"}, {"cache-control": "no-store"}, {"kind": "raw"},
    )  # fmt: skip
    assert read(park, "a/b.csv") == b"one"
    large = bytes(range(256)) * 8192
    put(park, "a/b.csv", large)
    assert read(park, "a/b.csv", start=5, end=1_500_000) == large[5:1_500_000]
    assert files.bucket(park.ada, "plots").n_versions == 1
    files.delete(park.ada, "plots", "a/b.csv")
    with pytest.raises(NoFile):
        files.head(park.ada, "plots", "a/b.csv")
    files.drop_bucket(park.lea, "plots")
    assert files.buckets(park.ada) == []
    park.clock.step(200_000.0)
    park.data.collector.collect()
    assert park.objects_kept() == []


def test_a_body_that_is_refused_or_finds_no_room_leaves_nothing(park: DataPark) -> None:
    files = park.data.files
    files.make_bucket(park.ada, "lab", "plots")
    put(park, "a", b"one")
    kept = park.objects_kept()
    seen = list[str]()

    def refuse(md5: str) -> dict[str, str]:
        seen.append(md5)
        raise BadInput("Not what was promised.", code="bad_digest")

    for content in (b"two", b"2" * 3_000_000):
        for more, error in (
            ({"ended": refuse}, BadInput),
            ({"size_bytes": len(content) + 1}, BadInput),
            ({"condition": Condition(if_none_match=True)}, Conflict),
            ({"condition": Condition(if_match="0" * 32)}, Conflict),
        ):
            with pytest.raises(error):
                put(park, "a", content, **more)
    assert seen == [hashlib.md5(content).hexdigest() for content in (b"two", b"2" * 3_000_000)]
    park.objects.set_limit("lab", 1_000_000)
    with pytest.raises(TooLarge):
        put(park, "b", b"3" * 2_000_000)
    with pytest.raises(TooLarge):
        put(park, "b", b"3" * 1_000_000)
    assert park.objects_kept() == kept and read(park, "a") == b"one"
    assert put(park, "a", b"two", condition=Condition(if_match=files.head(park.ada, "plots", "a").etag)).etag
    for key in ("", "x" * 1025, "\ud800"):
        with pytest.raises(BadInput):
            put(park, key, b"")
    with pytest.raises(BadInput):
        put(park, "c", b"", describe=Describe(metadata={"a": "b\r\nSet-Cookie: c"}))


def test_names_of_buckets_are_those_of_s3_and_one_list_for_all(park: DataPark) -> None:
    for name in ("abc", "a.b-c", "0" * 63):
        check_bucket_name(name)
    for name in ("ab", "0" * 64, "Abc", "a_b", "-ab", "ab-", "a..b", "a.-b", "127.0.0.1", "xn--ab", "a\0b", "é" * 4):
        with pytest.raises(BadInput):
            check_bucket_name(name)
    files = park.data.files
    files.make_bucket(park.ada, "lab", "plots")
    for who, project, code in ((park.ada, "lab", "bucket_yours"), (park.ben, "other", "bucket_taken")):
        with pytest.raises(Conflict) as caught:
            files.make_bucket(who, project, "plots")
        assert caught.value.code == code


def test_to_others_there_is_no_bucket(park: DataPark) -> None:
    files = park.data.files
    files.make_bucket(park.ada, "lab", "plots")
    put(park, "a", b"one")
    park.accounts.places.change_project(park.lea, "lab", {"is_public": True})
    annotator = park.somebody("Ann", role=Role.ANNOTATOR, project="lab")
    asks = (
        lambda who: files.head(who, "plots", "a"),
        lambda who: files.list(who, "plots"),
        lambda who: files.put(who, "plots", "b", [b"x"]),
        lambda who: files.delete(who, "plots", "a"),
        lambda who: files.begin_upload(who, "plots", "b"),
        lambda who: files.copy(who, ("plots", "a", None), "plots", "b"),
        lambda who: files.drop_bucket(who, "plots"),
        lambda who: files.set_versioning(who, "plots", Versioning.ON),
    )
    for ask in asks:
        for who in (None, park.ben):
            with pytest.raises(NotFound) as caught:
                ask(who)
            assert caught.value.code == "no_such_bucket"
    for ask in asks[2:]:
        with pytest.raises(Forbidden):
            ask(annotator)
    assert read(park, "a") == b"one" and files.buckets(park.ben) == files.buckets(None) == []
    assert [one.name for one in files.buckets(annotator)] == ["plots"]


def test_a_copy_into_another_project_is_held_there_and_moves_nothing(park: DataPark) -> None:
    files = park.data.files
    both = park.somebody("Bob", project="lab")
    park.accounts.places.give_role(park.owner, both.person_id, Role.MEMBER, "project:other")
    both = park.accounts.principal_of_token(park.accounts.new_token(both.person_id, "again"))
    files.make_bucket(park.ada, "lab", "plots")
    files.make_bucket(park.ben, "other", "theirs")
    made = files.begin_upload(park.ada, "plots", "large", describe=Describe(metadata={"a": "b"}))
    bodies = [bytes((n,)) * PART_BYTES_MIN for n in (1, 2)] + [b"end"]
    etags = [
        files.put_part(park.ada, "plots", "large", made.upload_id, number, [body]).etag
        for number, body in enumerate(bodies, 1)
    ]
    with pytest.raises(BadInput):
        files.complete(park.ada, "plots", "large", made.upload_id, [(3, etags[2]), (1, etags[0])])
    with pytest.raises(BadInput):
        files.complete(park.ada, "plots", "large", made.upload_id, [(1, etags[1])])
    files.complete(park.ada, "plots", "large", made.upload_id, list(enumerate(etags, 1)))
    kept = park.objects_kept()
    copied = files.copy(both, ("plots", "large", None), "theirs", "large")
    assert park.objects_kept() == kept and copied.metadata == {"a": "b"}
    assert park.objects.use("other")[0] == copied.size_bytes == 2 * PART_BYTES_MIN + 3
    files.delete(park.ada, "plots", "large")
    park.clock.step(3 * DAY_S)
    park.data.collector.collect()
    assert b"".join(files.read(park.ben, "theirs", "large")) == b"".join(bodies)
    edge = PART_BYTES_MIN - 3
    assert b"".join(files.read(park.ben, "theirs", "large", edge, edge + 6)) == b"\x01\x01\x01\x02\x02\x02"
    park.objects.set_limit("other", 2 * PART_BYTES_MIN + 100)
    files.put(park.ada, "plots", "b", [b"b" * 200])
    with pytest.raises(TooLarge):
        files.copy(both, ("plots", "b", None), "theirs", "b")


def test_files_of_a_confidential_project_lie_sealed_and_are_copied_by_their_bytes(park: DataPark) -> None:
    files = park.data.files
    park.data.keys.begin(park.lea, "lab", "park")
    park.accounts.places.give_role(park.owner, park.ada.person_id, Role.MEMBER, "project:other")
    ada = park.accounts.principal_of_token(park.accounts.new_token(park.ada.person_id, "again"))
    files.make_bucket(ada, "lab", "plots")
    files.make_bucket(ada, "other", "theirs")
    bodies = [b"secret" * (PART_BYTES_MIN // 6 + 1), b"end"]
    upload_id = files.begin_upload(ada, "plots", "large").upload_id
    etags = [files.put_part(ada, "plots", "large", upload_id, n, [body]).etag for n, body in enumerate(bodies, 1)]
    files.complete(ada, "plots", "large", upload_id, list(enumerate(etags, 1)))
    put(park, "small", b"secret words")
    assert all(key.startswith("sealed/") for key in park.objects_kept())
    assert not any(b"secret" in file.read_bytes() for file in park.folder.rglob("*") if file.is_file())
    assert read(park, "small") == b"secret words" and read(park, "large", start=4, end=9) == b"etsec"
    assert files.copy(ada, ("plots", "small", None), "plots", "again").size_bytes == 12
    copied = files.copy(ada, ("plots", "large", None), "theirs", "large")
    assert copied.etag == hashlib.md5(b"".join(bodies)).hexdigest()
    for key in ("large", "small", "again"):
        files.delete(ada, "plots", key)
    park.clock.step(3 * DAY_S)
    park.data.collector.collect()
    assert b"".join(files.read(ada, "theirs", "large")) == b"".join(bodies)
    assert not any(key.startswith("sealed/") for key in park.objects_kept())


def test_damage_is_told_with_its_files(park: DataPark) -> None:
    files = park.data.files
    files.make_bucket(park.ada, "lab", "plots")
    put(park, "whole", b"one")
    upload_id = files.begin_upload(park.ada, "plots", "parts").upload_id
    etag = files.put_part(park.ada, "plots", "parts", upload_id, 1, [b"part"]).etag
    files.complete(park.ada, "plots", "parts", upload_id, [(1, etag)])
    for one in park.objects_kept():
        file = park.folder / "store" / one
        file.chmod(0o644)
        file.write_bytes(b"other")
    park.data.upkeep.note(park.data.collector.scrub().damaged)
    places = [place for one in park.data.upkeep.status(park.owner).damage for place in one.places or ()]
    assert {(one.project_id, one.kind, one.name, one.path) for one in places} == {
        ("lab", "bucket", "plots", "whole"), ("lab", "bucket", "plots", "parts"),
    }  # fmt: skip
    put(park, "again", b"one")
    assert read(park, "whole") == b"one", "what is sent again mends it"


def test_small_parts_are_refused_only_where_more_follow(park: DataPark) -> None:
    files = park.data.files
    files.make_bucket(park.ada, "lab", "plots")
    made = files.begin_upload(park.ada, "plots", "a")
    etags = [files.put_part(park.ada, "plots", "a", made.upload_id, n, [b"x"]).etag for n in (1, 2)]
    with pytest.raises(BadInput) as caught:
        files.complete(park.ada, "plots", "a", made.upload_id, list(enumerate(etags, 1)))
    assert caught.value.code == "small_part"
    for number in (0, 10_001):
        with pytest.raises(BadInput):
            files.put_part(park.ada, "plots", "a", made.upload_id, number, [b"x"])
    assert files.complete(park.ada, "plots", "a", made.upload_id, [(2, etags[1])]).etag.endswith("-1")
    with pytest.raises(NotFound):
        files.parts_of(park.ada, "plots", "a", made.upload_id)


def test_an_access_key_is_good_for_its_project_and_as_long_as_its_person(park: DataPark) -> None:
    keys = park.data.files.keys
    made, secret = keys.new(park.ada, "lab", "rclone", ttl_s=30 * DAY_S)
    reading, _ = keys.new(park.ada, "lab", scope="read")
    found = keys.key_of(made.access_key_id)
    assert (found.secret, found.project_id, found.scope) == (secret, "lab", "write") and len(secret) == 40
    with park.db.read() as conn:
        rows = conn.exec_driver_sql("SELECT * FROM access_keys").all()
    assert len(rows) == 2 and secret not in str(rows)
    lab, other = park.accounts.project("lab"), park.accounts.project("other")
    allowed = [
        (act, thing) for act in Act for thing in (lab, other, None) if may(act, found.principal, thing).is_allowed
    ]
    assert allowed == [(Act.SEE, lab), (Act.STORE, lab)]
    assert not may(Act.STORE, keys.key_of(reading.access_key_id).principal, lab).is_allowed
    owned = keys.key_of(keys.new(park.owner, "lab")[0].access_key_id).principal  # an operator holds no role there
    assert may(Act.STORE, owned, lab).is_allowed and not may(Act.OPERATE, owned, None).is_allowed
    keys.used(found)
    assert [one.last_used_at_s for one in keys.all(park.ada) if one.access_key_id == made.access_key_id] != [None]

    def refused(work, error: type[ParkError]) -> None:
        with pytest.raises(error):
            work()

    refused(lambda: keys.new(park.ben, "lab"), NotFound)
    refused(lambda: keys.new(park.ada, "lab", ttl_s=10_000 * DAY_S), BadInput)
    refused(lambda: keys.new(park.ada, "lab", scope="manage"), BadInput)
    narrow = park.accounts.tokens.new(park.ada.person_id, "narrow", scopes=("read", "account"), ttl_s=DAY_S)[0]
    narrow_one = park.accounts.principal_of_token(narrow)
    refused(lambda: keys.new(narrow_one, "lab"), Forbidden)
    refused(lambda: keys.end(park.ben, made.access_key_id), NotFound)
    assert {one.access_key_id for one in keys.all(park.lea, "lab")} >= {made.access_key_id}
    keys.end(park.lea, reading.access_key_id)
    refused(lambda: keys.key_of(reading.access_key_id), Unauthorised)
    park.accounts.places.take_role(park.owner, park.ada.person_id, Role.MEMBER, "project:lab")
    assert not may(Act.SEE, keys.key_of(made.access_key_id).principal, lab).is_allowed
    park.clock.step(30 * DAY_S)
    refused(lambda: keys.key_of(made.access_key_id), Unauthorised)
    refused(lambda: keys.key_of("PARK\0"), Unauthorised)
    told = park.accounts.people.export(park.ada.person_id)["access_keys"]
    assert [one["label"] for one in told] == ["rclone"] and secret not in str(told)
    park.accounts.people.erase(park.ada, park.ada.person_id)
    assert keys.all(park.ada) == []
    acts = [(one["act"], one["detail"].get("project")) for one in park.accounts.audit.newest() if "key" in one["act"]]
    assert acts.count(("access_key.made", "lab")) == 3 and ("access_key.ended", "lab") in acts


def test_the_upkeep_lets_go_what_rules_say(park: DataPark) -> None:
    files, fenced = park.data.files, list[int]()
    files.make_bucket(park.ada, "lab", "plots")
    put(park, "tmp/a", b"one")
    put(park, "kept/a", b"two")
    files.set_lifecycle(park.lea, "plots", [LifecycleRule("old", "tmp/", current_days=2)])
    for days, keys in ((1, ["kept/a", "tmp/a"]), (2, ["kept/a"])):
        park.clock.step(days * DAY_S)
        assert [one.key for one in files.lifecycle.expiring()] == ["tmp/a"] * (days - 1)
        for _ in range(4):
            park.data.upkeep.turn(lambda _conn: fenced.append(1))
        assert [one.key for one in files.list(park.ada, "plots").files] == keys
    assert fenced
