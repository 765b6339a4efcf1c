"""The store's upkeep in turns: everything is read once in its days, damage is told with its files and mended by whoever
sends the same again; who decides no more does nothing; on both databases.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.data_park import DataPark
from tests.unit.data.test_repositories import refused
from tests.unit.data.test_xet import CHUNKS, pack_of, shard_of

from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.collecting import Collector
from eureka_park.data.core.repository import Put
from eureka_park.data.ports import Objects
from eureka_park.data.repositories.versions import Draft
from eureka_park.data.upkeep.service import AGAIN_S, Damage, Upkeep, UpkeepRules
from eureka_park.foundation.errors import Conflict, NotFound
from eureka_park.foundation.units import DAY_S


@pytest.fixture
def park(database: SqlDatabase, tmp_path: Path) -> Iterator[DataPark]:
    return DataPark(database, tmp_path / "blobs")


class Keeper:
    """The deciding process as the store sees it; `told` is what operators heard."""

    def __init__(self, park: DataPark, rules: UpkeepRules | None = None, kept: Objects | None = None) -> None:
        self.park, self.told, self.n_waits, self.is_over = park, list[Damage](), 0, False
        collector = Collector(park.db, kept, park.clock) if kept else park.data.collector
        self.upkeep = Upkeep(
            park.db, park.clock, park.accounts, collector, park.data.keeping, lambda: rules or UpkeepRules(),
            lambda _conn, damage: self.told.append(damage),
        )  # fmt: skip

    def fence(self, _conn: Any) -> None:
        if self.is_over:
            raise Conflict("Another process decides.", code="lease_lost")

    def work(self, days: float = 1.0) -> None:
        """All turns of some days, as quick as they come."""
        end_s = self.park.clock.real_s() + days * DAY_S
        while self.park.clock.real_s() < end_s:
            wait_s = self.upkeep.turn(self.fence)
            assert 0.0 <= wait_s <= 30.0, wait_s
            self.park.clock.step(6 * 3600.0 if wait_s == 30.0 else max(wait_s, 1e-3))


def flip(park: DataPark, content: bytes) -> None:
    """Turn one bit of an object on the disk."""
    name = hashlib.sha256(content).hexdigest()
    flip_object(park, next(key for key in park.objects_kept() if name in key))


def flip_object(park: DataPark, key: str) -> None:
    file = park.folder / "store" / key
    file.chmod(0o644)
    held = bytearray(file.read_bytes())
    held[min(100, len(held) // 2)] ^= 1  # of a pack: in a chunk that is not compressed
    file.write_bytes(held)


def test_damage_is_told_with_its_files_and_mended_by_the_same_bytes(park: DataPark) -> None:
    made, keeper = park.repository(), Keeper(park, UpkeepRules(scrub_s=2 * DAY_S))
    large = b"large" * 30_000
    row = park.objects.put("lab", [large])
    park.commit(made, {"a.txt": b"small", "same/b.txt": b"small"})
    park.versions.commit(made, park.ada, Draft("main", "Large", [Put("raw/large.bin", row.sha256, row.size_bytes)]))
    park.commit(made, {"a.txt": b"newer", "raw/large.bin": None})
    keeper.work()
    refused("forbidden", keeper.upkeep.status, park.lea)
    status = keeper.upkeep.status(park.owner)
    assert (status.n_damaged, status.scrub.n_contents) == (0, 3 + 1) and status.scrub.ended_at_s is not None
    flip(park, b"small")
    flip(park, large)
    keeper.work(0.5)
    assert keeper.told == [], "the next round begins two days after the last"
    keeper.work(1.0)
    found = {one.content_hash: one for one in keeper.told}
    assert len(keeper.told) == len(found) == 2
    places = [(p.project_id, p.kind, p.name, p.path) for p in found[row.sha256].places or ()]
    assert places == [("lab", "dataset", "set", "raw/large.bin")], "in an older version alone"
    small = found[hashlib.sha256(b"small").hexdigest()]
    assert next((p.revision, p.path) for p in small.places or ()) == ("main", "same/b.txt")
    status = keeper.upkeep.status(park.owner)
    assert status.n_damaged == 2 and {one.content_hash for one in status.damage} == set(found)
    assert park.objects.held("lab", [row.sha256]) == set(), "clients are asked to send it again"
    assert park.objects.sizes("lab", [row.sha256, small.content_hash]) == {}
    park.objects.put("lab", [large], sha256=row.sha256)
    assert park.commit(made, {"same/b.txt": b"small"}) == park.versions.at(made, "main"), "no change, yet mended"
    assert keeper.upkeep.status(park.owner).n_damaged == 0 and park.data.collector.scrub().findings == []
    assert park.objects.held("lab", [row.sha256]) == {row.sha256}
    park.clock.step(3 * DAY_S)
    park.data.collector.collect(DAY_S)
    assert len(park.objects_kept()) == 3
    assert park.objects.open("lab", row.sha256).content() == large
    keeper.work(3.0)
    assert len(keeper.told) == 2


@pytest.mark.parametrize("how", ["pack", "shard", "whole"])
def test_a_damaged_pack_is_mended(park: DataPark, how: str) -> None:
    content = b"".join(CHUNKS)
    name, packed = pack_of(CHUNKS)
    sha256 = hashlib.sha256(content).hexdigest()
    park.objects.put_pack("lab", name, [packed])
    shard = shard_of([(name, CHUNKS, 0, len(CHUNKS))], sha256)
    park.objects.put_shard("lab", shard)
    made = park.repository()
    park.versions.commit(made, park.ada, Draft("main", "Packed", [Put("x.bin", sha256, len(content))]))
    assert park.objects.open("lab", sha256).content() == content
    flip_object(park, next(key for key in park.objects_kept() if name in key))
    keeper = Keeper(park)
    keeper.work()
    assert [(one.kind, one.content_hash, [p.path for p in one.places or ()]) for one in keeper.told] == [
        ("pack", name, ["x.bin"])
    ]
    assert park.objects.held("lab", [sha256]) == set()
    refused("unknown_pack", park.objects.put_shard, "lab", shard)
    if how == "pack":
        assert park.objects.put_pack("lab", name, [packed]) is False
    elif how == "shard":  # the same file in other packs
        halves = [CHUNKS[:20], CHUNKS[20:]]
        for half in halves:
            park.objects.put_pack("lab", pack_of(half)[0], [pack_of(half)[1]])
        ranges = [(pack_of(half)[0], half, 0, 20) for half in halves]
        assert park.objects.put_shard("lab", shard_of(ranges, sha256))
    else:
        park.objects.put("lab", [content], sha256=sha256)
    assert park.objects.open("lab", sha256).content() == content and park.objects.held("lab", [sha256]) == {sha256}
    park.clock.step(3 * DAY_S)
    keeper.work(4.0)
    assert keeper.upkeep.status(park.owner).n_damaged == 0, "a damaged pack that nothing lies in is collected"
    assert park.data.collector.scrub().findings == [] and park.objects.open("lab", sha256).content() == content
    assert len(park.objects_kept()) == {"pack": 1, "shard": 2, "whole": 1}[how]


def test_turns_collect_and_apply_rules_and_end_with_the_lease(park: DataPark) -> None:
    made, keeper = park.repository(), Keeper(park)
    for number in range(5):
        park.commit(made, {"a": b"%d" % number})
    park.data.keeping.set_rule(park.lea, made, park.data.keeping.rule(park.lea, made).__class__(n_versions=1))
    park.objects.put("lab", [b"never committed"])
    keeper.is_over = True
    before = park.objects_kept()
    for _ in range(3):
        with pytest.raises(Conflict):
            keeper.upkeep.turn(keeper.fence)
    assert park.objects_kept() == before and len(before) == 6
    keeper.is_over = False
    keeper.work(4.0)
    assert len(park.objects_kept()) == 1 and park.data.collector.scrub().findings == []
    assert len(park.versions.history(made, park.versions.at(made, "main"), 9)) == 1


def test_a_round_goes_on_where_it_was_and_a_silent_store_says_nothing_of_contents(park: DataPark) -> None:
    """A process that ends in the middle, and a bucket that does not answer for a while."""
    made = park.repository()
    for number in range(30):
        park.commit(made, {"a": b"%d" % number * 200_000})
    rules = UpkeepRules(scrub_bytes_s_max=2.0e4)  # ten seconds for each content
    silent = Silent(park.blobs)
    first = Keeper(park, rules, silent)
    first.work(100 / DAY_S)
    n_read = first.upkeep.status(park.owner).scrub.n_contents
    assert 3 <= n_read < 20 and first.upkeep.status(park.owner).scrub.ended_at_s is None
    second = Keeper(park, rules, silent)
    silent.is_silent = True
    second.work(2 * AGAIN_S / DAY_S)
    assert second.upkeep.status(park.owner).n_damaged == 0 and second.told == []
    silent.is_silent = False
    second.work(1.0)
    done = second.upkeep.status(park.owner).scrub
    assert done.ended_at_s is not None and 31 <= done.n_contents <= 33, "a few are read twice at most"


class Silent:
    """A store that fails every call for a while."""

    def __init__(self, real: Any) -> None:
        self._real, self.is_silent = real, False

    def __getattr__(self, name: str) -> Any:
        if self.is_silent:
            raise ConnectionError("no route to host")
        return getattr(self._real, name)


def test_what_is_lost_altogether_is_told(park: DataPark) -> None:
    made, keeper = park.repository(), Keeper(park)
    park.commit(made, {"a": b"content"})
    (park.folder / "store" / park.objects_kept()[0]).unlink()
    keeper.work()
    assert len(keeper.told) == 1 and "lost" in keeper.told[0].reason
    with pytest.raises(NotFound):
        park.objects.open("lab", keeper.told[0].content_hash).content()
    park.commit(made, {"b": b"content"})
    assert park.files(park.versions.at(made, "main")) == {"a": b"content", "b": b"content"}
    assert keeper.upkeep.status(park.owner).n_damaged == 0
