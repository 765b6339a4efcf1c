"""Contents of confidential projects: sealed in segments that prove themselves, shared with nobody, lent, destroyed."""

from __future__ import annotations

import hashlib
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.data_park import DataPark
from tests.unit.data.test_xet import CHUNKS, hash_text, pack_of, shard_of

from eureka_park.accounts.core.roles import Role
from eureka_park.adapters.database import SqlDatabase
from eureka_park.adapters.key_service import KeyService
from eureka_park.data.core.sealed_form import (
    SEGMENT_BYTES,
    realm_of_key,
    seal,
    sealed_bytes,
    sealed_key,
    sealed_range,
    unseal,
)
from eureka_park.data.core.xet import chunk_hash
from eureka_park.data.keys.service import KeysService
from eureka_park.foundation.errors import BadInput, ParkError, Unavailable

KEY, MINE, OTHERS = b"k" * 32, b"m" * 32, b"o" * 32
SECRET = b"blood pressure of forty people" * 1000


@pytest.fixture
def park(database: SqlDatabase, tmp_path: Path) -> Iterator[DataPark]:
    park = DataPark(database, tmp_path / "blobs")
    park.max = park.somebody("Max", role=Role.LEAD, project="other")  # type: ignore[attr-defined]
    return park


def refused(code: str, call: object, *words: object, **more: object) -> None:
    with pytest.raises(ParkError) as caught:
        call(*words, **more)  # type: ignore[operator]
    assert caught.value.code == code, caught.value


def opened(key: str, sealed: bytes, start: int, end: int, size: int, project_key: bytes = KEY) -> bytes:
    first, last = sealed_range(size, start, end)
    return b"".join(unseal(project_key, key, [sealed[first:last]], start, end))


@given(st.integers(0, 3 * SEGMENT_BYTES + 5), st.integers(0, 2**32), st.integers(1, 5), st.data())
def test_any_range_of_a_sealed_object_is_what_was_sealed(
    size: int, seed: int, n_pieces: int, draw: st.DataObject
) -> None:
    plain = hashlib.shake_128(str(seed).encode()).digest(size)
    key = sealed_key("ab:", "00" * 20, size)
    step = max(1, -(-size // n_pieces))
    sealed = b"".join(seal(KEY, key, (plain[at : at + step] for at in range(0, size, step))))
    assert len(sealed) == sealed_bytes(size) and realm_of_key(key) == "ab:"
    start = draw.draw(st.integers(0, size))
    end = draw.draw(st.integers(start, size))
    assert opened(key, sealed, start, end, size) == plain[start:end] and opened(key, sealed, 0, size, size) == plain
    # One bit, one segment less, another place, another key: each is found.
    at = draw.draw(st.integers(0, len(sealed) - 1))
    flipped = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
    for wrong, name, project_key in (
        (flipped, key, KEY),
        (sealed, sealed_key("ab:", "11" * 20, size), KEY),
        (sealed, key, MINE),
    ):
        with pytest.raises(ValueError, match="sealed"):
            opened(name, wrong, 0, size, size, project_key)
    if size > SEGMENT_BYTES:
        with pytest.raises(ValueError, match=r"cut|sealed"):
            opened(key, sealed[: sealed_bytes(SEGMENT_BYTES)], 0, size, size)


def test_nothing_of_a_confidential_project_lies_in_clear_or_is_shared(park: DataPark) -> None:
    open_set = park.repository("open")
    park.commit(open_set, {"a": SECRET})
    park.data.keys.begin(park.max, "other", "park")
    sealed_set = park.repositories.create(park.ben, open_set.kind, "other", "sealed")
    version = park.commit(sealed_set, {"a": SECRET, "b/c": b"small"})
    name, content = pack_of(CHUNKS)
    assert park.objects.put_pack("other", name, [content]) is True
    whole = hashlib.sha256(b"".join(CHUNKS)).hexdigest()
    park.objects.put_shard("other", shard_of([(name, CHUNKS, 0, 40)], whole))
    assert park.objects.open("other", whole).content() == b"".join(CHUNKS)
    assert park.objects.find_chunk("other", hash_text(chunk_hash(CHUNKS[0])))
    tree = park.versions.tree(version)
    read = {one.path: park.objects.open("other", one.sha256).content() for one in tree.scan()}
    assert read == {"a": SECRET, "b/c": b"small"}
    assert park.objects.held("other", [whole]) == {whole} and park.objects.sizes("other", [whole]) == {
        whole: len(b"".join(CHUNKS))
    }
    refused("no_such_blob", park.objects.open, "lab", whole)
    refused("bad_sha256", park.objects.open, "lab", park.objects.name("other", whole))
    kept = park.objects_kept()
    assert len([key for key in kept if key.startswith("sealed/")]) == 3 and len(kept) == 4
    for file in (park.folder / "store" / "sealed").rglob("*"):
        assert file.is_dir() or (SECRET[:30] not in file.read_bytes() and CHUNKS[0][:30] not in file.read_bytes())
    assert not list((park.folder / "incoming").glob("*"))
    assert park.data.collector.scrub().findings == []
    # What nobody needs any more goes, from its own side alone.
    park.repositories.delete(park.max, sealed_set)
    for _ in range(4):
        park.clock.step(90_000.0)
        park.data.collector.collect()
    assert [key for key in park.objects_kept() if key.startswith("sealed/")] == []
    assert park.files(park.versions.at(open_set, "main")) == {"a": SECRET}


def test_a_customer_lends_the_key_for_a_while(park: DataPark) -> None:
    keys = park.data.keys
    refused("forbidden", keys.begin, park.ben, "other", "customer", MINE)
    refused("bad_key", keys.begin, park.max, "other", "customer", b"short")
    state = keys.begin(park.max, "other", "customer", MINE)
    assert not state.is_open and keys.state(park.ben, "other") == state and keys.state(park.ada, "lab") is None
    refused("confidential", keys.begin, park.max, "other", "park")
    refused("project_locked", park.objects.put, "other", [SECRET])
    assert park.objects_kept() == [] and not list((park.folder / "incoming").glob("*"))
    refused("wrong_key", keys.unlock, park.ben, "other", OTHERS, 3600.0)
    assert keys.unlock(park.ben, "other", MINE, 3600.0).is_open
    sha256 = park.objects.put("other", [SECRET]).sha256
    assert park.objects.open("other", sha256).content() == SECRET
    keys.lock(park.ben, "other")
    refused("project_locked", lambda: park.objects.open("other", sha256).content())
    keys.unlock(park.ben, "other", MINE, 60.0)
    park.clock.step(61.0)
    refused("project_locked", lambda: park.objects.open("other", sha256).content())
    assert keys.close_over() == 1 and park.data.collector.scrub().findings == []
    assert keys.unlock(park.ben, "other", MINE, 60.0, "job-1").open_job_id == "job-1"
    assert keys.close_over(lambda _job: False) == 0 and keys.close_over(lambda job: job == "job-1") == 1
    assert keys.state(park.ben, "other").is_open is False
    refused("bad_input", keys.rewrap, park.max, "other", "park")
    keys.unlock(park.ben, "other", MINE, 3600.0)
    refused("bad_input", keys.destroy, park.max, "other", "othre")
    assert keys.destroy(park.max, "other", "other").destroyed_at_s is not None
    refused("key_destroyed", lambda: park.objects.open("other", sha256).content())
    refused("no_key", keys.unlock, park.ben, "other", MINE, 3600.0)


def test_a_project_that_holds_something_stays_as_it_is(park: DataPark) -> None:
    park.objects.put("other", [b"in clear"])
    refused("not_empty", park.data.keys.begin, park.max, "other", "park")
    refused("keeper_silent", park.data.keys.begin, park.lea, "lab", "kms")


SERVICE = """#!{python}
import base64, hashlib, sys
act, about, text = sys.argv[1], sys.argv[2], sys.stdin.read()
mask = hashlib.sha256(about.encode()).digest()
swap = lambda raw: bytes(a ^ b for a, b in zip(raw, mask))
if act == "wrap":
    print("service:" + base64.b64encode(swap(base64.b64decode(text))).decode())
elif not text.startswith("service:"):
    sys.exit(2)
else:
    print(base64.b64encode(swap(base64.b64decode(text[8:]))).decode())
"""


def test_a_key_service_of_the_operators_keeps_keys(park: DataPark, tmp_path: Path) -> None:
    program = tmp_path / "service"
    program.write_text(SERVICE.format(python=sys.executable))
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    service = KeyService(str(program))
    assert service.unwrap(service.wrap(KEY, "a"), "a") == KEY and service.unwrap(service.wrap(KEY, "a"), "b") != KEY
    with pytest.raises(ValueError, match="another"):
        service.unwrap("other:abc", "a")
    for silent in ("/no/such/program", "false", "true"):
        with pytest.raises(Unavailable):
            KeyService(silent).wrap(KEY, "a")
    with pytest.raises(BadInput):
        KeyService("'")
    keys = KeysService(park.db, park.clock, park.accounts, lambda n: b"e" * n, service)
    keys.is_empty = park.objects.holds_nothing
    keys.begin(park.max, "other", "kms")
    realm = keys.realm("other")
    assert keys.key_of(realm) == b"e" * 32
    assert keys.rewrap(park.max, "other", "park").keeper == "park"
    fresh = KeysService(park.db, park.clock, park.accounts, lambda n: b"e" * n)
    assert fresh.key_of(realm) == b"e" * 32
