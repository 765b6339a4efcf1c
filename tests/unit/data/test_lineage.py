"""Lineage on both databases: up and down through histories, without circles, and silent about what one may not see."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.helpers.data_park import DataPark

from eureka_park.adapters.database import SqlDatabase
from eureka_park.data.core.lineage import clean_outside
from eureka_park.data.core.repository import RepositoryKind
from eureka_park.data.lineage.service import Declared, Making, Relation, Source, Way
from eureka_park.foundation.errors import NotFound


@pytest.fixture
def park(database: SqlDatabase, tmp_path: Path) -> Iterator[DataPark]:
    return DataPark(database, tmp_path / "blobs")


class Scene:
    """Repositories of both projects with makings between them."""

    def __init__(self, park: DataPark) -> None:
        self.park, self.lineage = park, park.data.lineage
        self.rows = self.repository("dataset", "lab", "rows")
        self.secret = self.repository("dataset", "other", "secret")
        self.net = self.repository("model", "lab", "net")

    def repository(self, kind: str, project: str, name: str, visibility: str = "private") -> Any:
        who = self.park.ada if project == "lab" else self.park.ben
        return self.park.repositories.create(who, RepositoryKind(kind), project, name, visibility)

    def made(self, of: Any, content: bytes, *sources: tuple[Any, Any], job: str = "job_1") -> Any:
        version = self.park.commit(of, {"w": content})
        told = tuple(Source(Relation.INPUT, one.repository_id, at.commit_id) for one, at in sources)
        making = Making(of.repository_id, version.commit_id, Way.JOB, 5.0, told, job, of.project_id)
        with self.park.db.write() as conn:
            self.lineage.note(conn, making)
            self.lineage.note(conn, making)  # a second word changes nothing
        return version

    def told(self, who: Any, of: Any, revision: str = "", **more: int) -> tuple[set[str], set[tuple[str, str, str]]]:
        """Names of nodes, and edges as (source, way and job, to)."""
        found = self.lineage.of(who, of.kind, of.project_id, of.name, revision=revision, **more)
        names = {
            one["node_id"]: f"{one['name']}@{one['commit_id'][:6]}" if one["name"] else one["text"]
            for one in found["nodes"]
        }
        edges = {(names[e["source"]], f"{e['way']} {e['job_id'] or '-'}", names[e["to"]]) for e in found["edges"]}
        return set(names.values()), edges


def at(of: Any, version: Any) -> str:
    return f"{of.name}@{version.commit_id[:6]}"


def test_lineage_goes_up_and_down_through_histories(park: DataPark) -> None:
    scene = Scene(park)
    rows, net = scene.rows, scene.net
    one = park.commit(rows, {"a": b"1"})
    two = park.commit(rows, {"a": b"2"})
    first = scene.made(net, b"first", (rows, two))
    mended = park.commit(net, {"README.md": b"# Net"})
    tuned = scene.repository("model", "lab", "tuned")
    last = scene.made(tuned, b"tuned", (net, mended), job="job_2")
    made_net = (at(rows, two), "job job_1", at(net, first))
    grown, made_tuned = (at(net, first), "history -", at(net, mended)), (at(net, mended), "job job_2", at(tuned, last))
    assert scene.told(park.ada, tuned)[1] == {made_net, grown, made_tuned}
    assert scene.told(park.ada, net, "main")[1] == {made_net, grown, made_tuned}
    assert scene.told(park.ada, rows)[1] == {made_net, grown, made_tuned}
    older = (at(rows, one), "history -", at(rows, two))
    assert scene.told(park.ada, rows, one.commit_id)[1] == {older, made_net, grown, made_tuned}
    assert scene.told(park.ada, tuned, up=1)[1] == {made_tuned}
    assert scene.told(park.ada, tuned, up=2)[1] == {made_net, grown, made_tuned}, "going back a history costs no depth"
    assert scene.told(park.ada, rows, up=0, down=1)[1] == {made_net}
    made = scene.lineage.made_by(park.ada, net, [first.commit_id, mended.commit_id])
    assert {name: one["job_id"] for name, one in made.items()} == {first.commit_id: "job_1"}


def test_what_one_may_not_see_has_no_name(park: DataPark) -> None:
    scene = Scene(park)
    secret, net = scene.secret, scene.net
    hidden = park.commit(secret, {"a": b"1"})
    own = park.commit(scene.rows, {"a": b"2"})
    scene.made(secret, b"derived", (scene.rows, own), job="job_x")
    version = scene.made(net, b"net", (secret, hidden), (secret, park.versions.at(secret, "main")), (scene.rows, own))
    names, edges = scene.told(park.ada, net)
    something = "something not visible to you"
    assert names == {at(net, version), something, at(scene.rows, own)}
    assert edges >= {(something, "job job_1", at(net, version)), (at(scene.rows, own), "job job_1", at(net, version))}
    assert "secret" not in repr(scene.lineage.of(park.ada, "model", "lab", "net"))
    downward = scene.told(park.ada, scene.rows, down=5)[1]
    assert (at(scene.rows, own), "job -", something) in downward, "not even the job of a project that one does not see"
    assert scene.told(park.owner, net)[0] >= {at(secret, hidden)}
    with pytest.raises(NotFound):
        scene.told(park.ben, net)
    park.repositories.change(park.lea, scene.rows, visibility="public")
    assert scene.told(None, scene.rows)[1] == {(at(scene.rows, own), "job -", something)}, "one node for all of them"


def test_a_word_can_be_taken_back_and_closes_no_circle(park: DataPark) -> None:
    scene = Scene(park)
    rows, net = scene.rows, scene.net
    version = park.commit(rows, {"a": b"1"})
    model = scene.made(net, b"net", (rows, version))
    words = [
        Declared(Relation.DATASET, "lab/rows"),
        Declared(Relation.BASE_MODEL, "far/away", "model", "v2"),
        Declared(Relation.DATASET, "other/secret"),
    ]
    assert scene.lineage.declare(park.ada, net, model, words) == words
    names, edges = scene.told(park.ada, net)
    assert names == {at(net, model), at(rows, version), "far/away@v2", "other/secret"}
    assert (at(rows, version), "declared -", at(net, model)) in edges and len(edges) == 4
    assert scene.told(park.ben, scene.secret)[1] == set(), "a name that one may not see leads nowhere"
    circle = [Declared(Relation.BASE_MODEL, "lab/net", "model"), Declared(Relation.DATASET, "lab/rows")]
    assert scene.lineage.declare(park.ada, rows, version, circle) == []
    assert scene.lineage.declare(park.ada, net, model, []) == []
    assert scene.told(park.ada, net)[1] == {(at(rows, version), "job job_1", at(net, model))}
    later = park.commit(rows, {"a": b"2"})
    assert scene.lineage.declare(park.ada, rows, later, circle[:1]) == circle[:1], "a later version may come of it"
    scene.lineage.note_import(rows, later, park.ada, "https://me:pw@far.org/rows.csv?sig=abc#x")
    assert "https://far.org/rows.csv" in scene.told(park.ada, rows)[0]


def test_a_card_declares(park: DataPark) -> None:
    scene = Scene(park)
    version = park.commit(scene.rows, {"a": b"1"})
    card = b"---\nbase_model: far/away\ndatasets:\n- lab/rows\n- other/secret\n---\n# Net\n"
    made = park.commit(scene.net, {"README.md": card})
    names, edges = scene.told(park.ada, scene.net)
    assert names == {at(scene.net, made), at(scene.rows, version), "far/away", "other/secret"}
    assert {edge[1] for edge in edges} == {"declared -"} and len(edges) == 3
    assert scene.told(park.ada, scene.rows)[1] == {(at(scene.rows, version), "declared -", at(scene.net, made))}


def test_a_crowd_of_makings_is_cut(park: DataPark) -> None:
    scene = Scene(park)
    version = park.commit(scene.rows, {"a": b"1"})
    scene.made(scene.net, b"net", (scene.rows, version))
    head = park.versions.at(scene.net, "main")
    with park.db.write() as conn:
        for index in range(300):
            source = (Source(Relation.INPUT, scene.rows.repository_id, version.commit_id),)
            made = Making(
                scene.net.repository_id, f"{index:040x}", Way.JOB, float(index), source, f"job_{index}", "lab"
            )
            scene.lineage.note(conn, made)
    found = scene.lineage.of(park.ada, "dataset", "lab", "rows")
    assert found["is_cut"] and 50 < len(found["nodes"]) <= 200
    assert scene.lineage.of(park.ada, "model", "lab", "net", revision=head.commit_id)["edges"]


def test_addresses_lose_what_they_hide() -> None:
    assert clean_outside("s3://key:secret@bucket/a?X-Amz-Signature=1") == "s3://bucket/a"
    assert clean_outside(" a\0b \n c ") == "ab c" and len(clean_outside("x" * 999)) == 300
