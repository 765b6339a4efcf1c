"""The share tree: one tree whatever the order of the list, parents first, one lasting leaf for each who sends jobs."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eureka_park.compute.core.share_paths import NOBODY, ROOT, Declared, ShareRow, ShareTree, share_rows

NAMES = st.sampled_from(["a", "b", "c", "a-b", "a0"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
SHARES = st.lists(
    st.tuples(PATHS, st.floats(0.1, 100.0), st.floats(0.0, 0.2)), max_size=12, unique_by=lambda share: share[0]
)
ASKED = st.lists(st.tuples(NAMES, st.sampled_from(["", "a", "b", "amina"])), max_size=20)
LAB = (
    ("research", 3.0, 0.5),
    ("research/vision", 2.0, 0.3),
    ("research/vision/amina", 4.0, 0.0),
    ("teaching/ml", 1.0, 0.1),
)


def test_a_small_tree_row_by_row() -> None:
    assert share_rows(LAB) == (
        ShareRow("", -1, 1.0, 1.0),
        ShareRow("research", ROOT, 3.0, 0.5),
        ShareRow("research/vision", 1, 2.0, 0.3),
        ShareRow("research/vision/amina", 2, 4.0, 0.0),
        ShareRow("teaching", ROOT, 1.0, 0.1),  # not listed: weight 1 and the floors below it
        ShareRow("teaching/ml", 4, 1.0, 0.1),
    )
    assert share_rows(()) == (ShareRow("", -1, 1.0, 1.0),)


@pytest.mark.parametrize(
    ("project", "person", "path"),
    [
        ("vision", "bob", "research/vision/bob"),
        ("vision", "", "research/vision/-"),
        ("vision", "amina", "research/vision/amina/-"),  # listed: her weight holds above her work
        ("ml", "amina", "teaching/ml/amina"),
        ("research", "amina", "research/amina"),
        ("chess", "", "chess/-"),
        ("chess", "amina", "chess/amina"),
    ],
)
def test_who_counts_where(project: str, person: str, path: str) -> None:
    tree = ShareTree(LAB)
    at = tree.leaf(project, person)
    assert tree.rows[at].path == path and tree.rows[at].weight == 1.0
    assert tree.leaf(project, person) == at


def test_the_highest_of_several_paths_with_a_name_is_the_project() -> None:
    tree = ShareTree([("x/y/vision", 1.0, 0.0), ("b/vision", 1.0, 0.0), ("a/vision", 1.0, 0.0)])
    assert tree.rows[tree.project_row("vision")].path == "a/vision"


def test_leaves_move_when_shares_are_declared_anew() -> None:
    tree = ShareTree()
    before = [tree.leaf("vision", "bob"), tree.leaf("chess")]
    after, moved = tree.redeclared(LAB)
    assert [after.rows[moved[at]].path for at in before] == ["research/vision/bob", "chess/-"]
    assert after.leaves() == {("vision", "bob"): moved[before[0]], ("chess", NOBODY): moved[before[1]]}


@given(SHARES, st.randoms())
def test_the_order_of_the_list_makes_no_difference(shares: list[Declared], chance: object) -> None:
    mixed = list(shares)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert share_rows(mixed) == share_rows(shares)


@given(SHARES)
def test_rows_are_one_tree_parents_first(shares: list[Declared]) -> None:
    rows = share_rows(shares)
    given = {path: (weight, floor_frac) for path, weight, floor_frac in shares}
    assert len({row.path for row in rows}) == len(rows) and given.keys() <= {row.path for row in rows}
    for at, row in enumerate(rows[1:], start=1):
        assert row.parent < at and rows[row.parent].path == row.path.rpartition("/")[0]
        children = [other.floor_frac for other in rows if other.parent == at]
        assert (row.weight, row.floor_frac) == given.get(row.path, (1.0, pytest.approx(sum(children))))


@given(SHARES, ASKED)
def test_every_asker_has_one_leaf_that_stays_a_leaf(shares: list[Declared], asked: list[tuple[str, str]]) -> None:
    tree = ShareTree(shares)
    listed = list(tree.rows)
    found = {key: tree.leaf(*key) for key in asked}
    assert {key: tree.leaf(*key) for key in asked} == found
    for at in set(found.values()):
        askers = {key for key, where in found.items() if where == at}
        assert len(askers) == 1 or tree.rows[tree.rows[at].parent] in listed, "only a listed path is met by two names"
    assert tree.rows[: len(listed)] == listed, "growing changes nothing that was there"
    parents = {row.parent for row in tree.rows}
    assert not parents & set(found.values()), "work lies at leaves alone"
    assert all(row.parent < at for at, row in enumerate(tree.rows))
    for (project, person), at in found.items():
        path = tree.rows[at].path.split("/")
        assert project in path and (person or NOBODY) in path


@given(SHARES, ASKED)
def test_a_snapshot_reads_back_to_the_same_rows(shares: list[Declared], asked: list[tuple[str, str]]) -> None:
    tree = ShareTree(shares)
    for key in asked:
        tree.leaf(*key)
    again = ShareTree.from_json(json.loads(json.dumps(tree.to_json())))
    assert again.rows == tree.rows and again.leaves() == tree.leaves()


def test_a_project_that_only_a_window_names_keeps_its_row_in_a_snapshot() -> None:
    tree = ShareTree(LAB)
    tree.project_row("kept")
    tree.leaf("other", "amina")
    tree.leaf("kept", "amina")
    again = ShareTree.from_json(json.loads(json.dumps(tree.to_json())))
    assert again.rows == tree.rows
    assert again.to_json() == tree.to_json()
