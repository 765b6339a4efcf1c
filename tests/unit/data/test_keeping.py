"""Rules of how long versions stay, legal holds, and what a project may keep; on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.helpers.data_park import DataPark
from tests.unit.data.test_repositories import refused

from eureka_park.accounts.core.roles import Role
from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.core.lasting import LOOSE_S, LastingRule, Line, Ref, ended_branches, ended_versions
from eureka_park.foundation.units import DAY_S


@pytest.fixture
def park(database: SqlDatabase, tmp_path: Path) -> Iterator[DataPark]:
    return DataPark(database, tmp_path / "blobs")


def applied(park: DataPark) -> None:
    """Let the deciding process have its turns, some days later."""
    for _ in range(10):
        with park.db.write() as conn:
            if not park.data.keeping.apply_due(conn, park.clock.real_s() - 1.0):
                return


def test_a_rule_takes_what_it_says_and_tells_it(park: DataPark) -> None:
    made = park.repository()
    versions = []
    for number in range(6):
        park.clock.step(DAY_S)
        versions.append(park.commit(made, {"a": b"%d" % number}))
    park.versions.add_ref(made, "tag", "v1", versions[1].commit_id)
    park.versions.add_ref(made, "branch", "tmp/try", "main")
    park.versions.add_ref(made, "branch", "kept", "main")
    park.clock.step(5 * DAY_S)
    rule, keeping = LastingRule(n_versions=2, branches_s=3 * DAY_S), park.data.keeping
    refused("forbidden", keeping.set_rule, park.ada, made, rule)
    refused("no_such_repository", keeping.rule, park.ben, made)
    going = keeping.preview(park.lea, made, rule)
    assert (going.n_versions, going.branches) == (4, ("tmp/try",)) and going.newest_at_s == versions[3].made_at_s
    assert keeping.rule(park.lea, made).is_empty, "nothing is changed by looking"
    assert keeping.set_rule(park.lea, made, rule) == going and keeping.rule(park.ada, made) == rule
    applied(park)
    assert [one.title for one in park.versions.history(made, park.versions.at(made, "main"), 10)] == ["Test"] * 2
    assert park.files(park.versions.at(made, "v1")) == {"a": b"1"}, "what a tag names stays"
    refused("no_such_revision", park.versions.at, made, versions[2].commit_id)
    refused("no_such_revision", park.versions.at, made, "tmp/try")
    assert park.versions.at(made, "kept") == versions[5]
    lost = keeping.lost(park.ada, made)
    assert (lost.n_versions, lost.n_branches, lost.newest_at_s) == (4, 1, versions[3].made_at_s)
    park.clock.step(3 * DAY_S)
    park.data.collector.collect(DAY_S)
    park.clock.step(3 * DAY_S)
    park.data.collector.collect(DAY_S)
    assert len(park.objects_kept()) == 3 and park.data.collector.scrub().findings == []
    assert keeping.use(park.ada, "lab").used_bytes == 3
    park.commit(made, {"a": b"6"})
    assert park.versions.last_changes(made, park.versions.at(made, "main"), ["a"])["a"].made_at_s > lost.lost_at_s  # type: ignore[operator]
    keeping.set_rule(park.lea, made, LastingRule())
    assert keeping.rule(park.ada, made).is_empty
    for bad in (LastingRule(n_versions=0), LastingRule(history_s=1.0), LastingRule(branches_s=DAY_S, branch_prefix="")):
        refused("bad_input", keeping.set_rule, park.lea, made, bad)


def test_nothing_of_a_repository_on_hold_goes(park: DataPark) -> None:
    made, keeping = park.repository(), park.data.keeping
    for number in range(3):
        park.commit(made, {"a": b"%d" % number})
    park.versions.add_ref(made, "tag", "v1", "main")
    park.versions.add_ref(made, "branch", "tmp/x", "main")
    keeping.set_rule(park.lea, made, LastingRule(n_versions=1, branches_s=DAY_S))
    refused("forbidden", keeping.set_hold, park.lea, made, "A lead of the project alone")
    refused("no_such_repository", keeping.set_hold, park.ben, made, "Somebody else")
    refused("bad_input", keeping.set_hold, park.owner, made, "  ")
    dean = park.somebody("Dean", role=Role.LEAD, organisation="um6p")
    assert keeping.may_hold(dean, made) and not keeping.may_hold(park.ada, made)
    on = keeping.set_hold(dean, made, "Audit 2026-17")
    assert keeping.hold(park.ada, made) == on and on.reason == "Audit 2026-17"
    refused("on_hold", park.repositories.delete, park.lea, made)
    refused("on_hold", park.repositories.move, park.lea, made, "lab", "other")
    refused("on_hold", park.versions.squash, made, park.lea, "main", "")
    refused("on_hold", park.versions.drop_ref, made, "tag", "v1")
    refused("on_hold", park.versions.drop_ref, made, "branch", "tmp/x")
    refused("on_hold", keeping.set_rule, park.lea, made, LastingRule(n_versions=1))
    park.clock.step(9 * DAY_S)
    applied(park)
    park.data.collector.collect(DAY_S)
    assert len(park.versions.history(made, park.versions.at(made, "main"), 10)) == 4
    assert park.versions.at(made, "tmp/x") == park.commit(made, {"a": b"2"}), "work goes on"
    assert [one.is_on_hold for one in keeping.use(park.ada, "lab").repositories] == [True]
    refused("forbidden", keeping.lift_hold, park.lea, made)
    keeping.lift_hold(dean, made)
    assert keeping.hold(park.ada, made) is None
    refused("no_hold", keeping.lift_hold, park.owner, made)
    park.clock.step(2 * DAY_S)
    applied(park)
    assert len(park.versions.history(made, park.versions.at(made, "main"), 10)) == 1
    park.repositories.delete(park.lea, made)
    acts = [entry["act"] for entry in park.accounts.audit.newest()]
    wanted = {"repository.hold_set", "repository.hold_lifted", "repository.rule_set", "repository.rule_applied"}
    assert wanted <= set(acts)


def test_what_a_project_keeps_and_may_keep(park: DataPark) -> None:
    keeping = park.data.keeping
    park.commit(park.repository("small"), {"a": b"x"})
    gone = park.repository("gone")
    park.commit(gone, {"a": b"y" * 50})
    park.commit(park.repository("large"), {"a": b"z" * 90, "b": b"x"})
    use = keeping.use(park.ada, "lab")
    assert [(one.name, one.size_bytes, one.n_files) for one in use.repositories] == [
        ("large", 91, 2), ("gone", 50, 1), ("small", 1, 1),
    ]  # fmt: skip
    assert (use.used_bytes, use.limit_bytes, use.is_default_limit, use.going_bytes) == (141, 2**40, True, 0)
    refused("no_such_project", keeping.use, park.ben, "lab")
    for who in (park.ada, park.lea):
        refused("forbidden", keeping.set_limit, who, "lab", 10)
    refused("bad_input", keeping.set_limit, park.owner, "lab", -1)
    refused("no_such_project", keeping.set_limit, park.owner, "nowhere", 10)
    keeping.set_limit(park.owner, "lab", 142)
    said = refused("quota", park.objects.put, "lab", [b"12"])
    assert "park data quota lab" in f"{said.fix}" and keeping.use(park.ada, "lab").used_bytes == 141
    park.repositories.delete(park.lea, gone)
    park.clock.step(2 * DAY_S)
    park.data.collector.collect(DAY_S)
    assert keeping.use(park.ada, "lab").going_bytes == 50
    park.clock.step(2 * DAY_S)
    park.data.collector.collect(DAY_S)
    use = keeping.use(park.ada, "lab")
    assert (use.used_bytes, use.going_bytes) == (91, 0) and park.objects.put("lab", [b"1" * 51]).size_bytes == 51
    keeping.set_limit(park.owner, "lab", None)
    assert keeping.use(park.ada, "lab").is_default_limit


NAMES = [f"c{n}" for n in range(8)]


@given(
    st.lists(st.tuples(st.integers(-1, 6), st.integers(0, 20)), min_size=1, max_size=8),
    st.lists(st.tuples(st.booleans(), st.integers(0, 7)), min_size=1, max_size=4),
    st.one_of(st.none(), st.integers(1, 4)),
    st.one_of(st.none(), st.integers(1, 15)),
)
def test_what_goes_is_what_a_plain_count_says(
    given_lines: list[tuple[int, int]], given_refs: list[tuple[bool, int]], n: int | None, days: int | None
) -> None:
    """Each version by itself: is it named, among the newest of a branch, young, or loose and young?"""
    lines = {
        NAMES[i]: Line(NAMES[i], NAMES[parent] if 0 <= parent < i else "", age * DAY_S)
        for i, (parent, age) in enumerate(given_lines)
    }
    refs = [Ref(b, f"r{i}", NAMES[at % len(lines)], 0.0) for i, (b, at) in enumerate(given_refs)]
    now_s, rule = 20 * DAY_S, LastingRule(n, None if days is None else days * DAY_S)
    gone = {line.commit_id for line in ended_versions(rule, lines, refs, now_s)}
    expected = set()
    for line in lines.values():
        chains = [_chain(lines, ref.commit_id) for ref in refs]
        at = [
            (ref.is_branch, chain.index(line.commit_id))
            for ref, chain in zip(refs, chains, strict=True)
            if line.commit_id in chain
        ]
        age_s = now_s - line.made_at_s
        is_young = days is not None and age_s <= days * DAY_S
        stays = any(
            index == 0 or (is_branch and (is_young or (n is not None and index < n))) for is_branch, index in at
        )
        if not at:
            stays = age_s <= max(LOOSE_S, (days or 0) * DAY_S)
        if (n is not None or days is not None) and not stays:
            expected.add(line.commit_id)
    assert gone == expected


def _chain(lines: dict[str, Line], at: str) -> list[str]:
    found = []
    while at:
        found.append(at)
        at = lines[at].parent_id
    return found


def test_main_and_what_is_young_are_no_temporary_branches() -> None:
    refs = [
        Ref(True, "main", "c", 0.0),
        Ref(True, "tmp/a", "c", 0.0),
        Ref(True, "tmp/b", "c", 9.9 * DAY_S),
        Ref(False, "tmp/c", "c", 0.0),
    ]
    found = ended_branches(LastingRule(branches_s=2 * DAY_S), refs, 10 * DAY_S)
    assert [ref.name for ref in found] == ["tmp/a"]
    assert ended_branches(LastingRule(branches_s=DAY_S, branch_prefix="m"), refs, 10 * DAY_S) == []
