"""Rows of repositories, commits, refs and nodes of trees. Each function is a part of its caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from eureka_park.data.cards.store import drop as drop_card
from eureka_park.data.cards.store import few, having
from eureka_park.data.core.lasting import Line, Ref
from eureka_park.data.core.repository import MAIN, Commit, Gate, Repository, RepositoryKind, Visibility
from eureka_park.data.core.sealed_form import plain_name, realm_of
from eureka_park.data.core.tree import Node, read_node
from eureka_park.data.keeping import store as keeping
from eureka_park.data.objects import store as objects
from eureka_park.data.store import metadata
from eureka_park.foundation.store import insert_or_replace

BRANCH, TAG = "branch", "tag"
_BLOCK: Final = 500

repositories = Table(
    "repositories",
    metadata,
    Column("repository_id", String(40), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("project_id", String(80), nullable=False),
    Column("name", String(96), nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("gate", String(8), nullable=False),
    Column("made_by", String(80), nullable=False),
    Column("made_at_s", Double, nullable=False),
    Column("changed_at_s", Double, nullable=False),
    Column("deleted_at_s", Double),
    Index("repositories_of_project", "project_id", "kind", "name"),
    Index("repositories_changed", "kind", "changed_at_s"),
    Index("repositories_deleted", "deleted_at_s"),
)
repository_names = Table(
    "repository_names",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("project_id", String(80), primary_key=True),
    Column("name_key", String(96), primary_key=True),  # without capitals: no two names differ in them alone
    Column("repository_id", String(40), nullable=False),
    Column("is_former", Integer, nullable=False),  # 1: it was moved away from here
    Index("names_of_repository", "repository_id"),
)
commits = Table(
    "commits",
    metadata,
    Column("repository_id", String(40), primary_key=True),
    Column("commit_id", String(40), primary_key=True),
    Column("parent_id", String(40), nullable=False),
    Column("root_id", String(objects.NAME_CHARS), nullable=False),
    Column("n_files", BigInteger, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("title", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("person_id", String(80), nullable=False),
    Column("made_at_s", Double, nullable=False),
)
refs = Table(
    "refs",
    metadata,
    Column("repository_id", String(40), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("commit_id", String(40), nullable=False),
    Column("message", Text, nullable=False),
    Column("made_at_s", Double, nullable=False),
)
tree_nodes = Table(
    "tree_nodes",
    metadata,
    Column("node_id", String(objects.NAME_CHARS), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("n_refs", Integer, nullable=False),  # nodes and commits that mention it
    Column("idle_since_s", Double),
    Index("nodes_idle", "idle_since_s"),
)
gate_requests = Table(
    "gate_requests",
    metadata,
    Column("repository_id", String(40), primary_key=True),
    Column("person_id", String(80), primary_key=True),
    Column("state", String(16), nullable=False),  # pending, accepted, rejected
    Column("asked_at_s", Double, nullable=False),
    Column("decided_at_s", Double),
    Column("decided_by", String(80)),
)


# -- repositories ------------------------------------------------------------------------------------------------------
def add(conn: Connection, made: Repository, made_by: str) -> None:
    """Keep a repository under its name."""
    row = {
        "repository_id": made.repository_id,
        "kind": str(made.kind),
        "project_id": made.project_id,
        "name": made.name,
        "visibility": str(made.visibility),
        "gate": str(made.gate),
        "made_by": made_by,
        "made_at_s": made.made_at_s,
        "changed_at_s": made.changed_at_s,
    }
    conn.execute(insert(repositories), row)
    name(conn, made.repository_id, made.kind, made.project_id, made.name)


def name(conn: Connection, repository_id: str, kind: str, project_id: str, new_name: str) -> None:
    """Let a name mean this repository; a former name of another one is taken over."""
    row = {
        "kind": str(kind),
        "project_id": project_id,
        "name_key": new_name.casefold(),
        "repository_id": repository_id,
        "is_former": 0,
    }
    insert_or_replace(conn, repository_names, [row])


def named(conn: Connection, kind: str, project_id: str, asked: str) -> tuple[Repository, bool] | None:
    """What a name means, and whether it is a former one."""
    of = repository_names.c
    query = select(repositories, of.is_former).join(repository_names, of.repository_id == repositories.c.repository_id)
    here = (of.kind == str(kind), of.project_id == project_id, of.name_key == asked.casefold())
    row = conn.execute(query.where(*here, repositories.c.deleted_at_s.is_(None))).one_or_none()
    return None if row is None else (_repository(row), bool(row.is_former))


def change(conn: Connection, repository_id: str, **values: Any) -> None:
    """Change columns of a repository."""
    conn.execute(update(repositories).where(repositories.c.repository_id == repository_id).values(**values))


def move(conn: Connection, moved: Repository, project_id: str, new_name: str) -> None:
    """Give a repository another name; the one before goes on leading to it."""
    of = repository_names.c
    former = update(repository_names).where(of.repository_id == moved.repository_id)
    conn.execute(former.values(is_former=1))
    name(conn, moved.repository_id, moved.kind, project_id, new_name)
    change(conn, moved.repository_id, project_id=project_id, name=new_name)


def delete_repository(conn: Connection, repository_id: str, now_s: float) -> None:
    """Take a repository out of sight; what it holds goes when the grace is over."""
    conn.execute(delete(repository_names).where(repository_names.c.repository_id == repository_id))
    change(conn, repository_id, deleted_at_s=now_s)


def page(
    conn: Connection,
    kind: str,
    project_ids: Sequence[str] | None,
    text: str,
    before: tuple[float, str],
    most: int,
    facets: Sequence[tuple[str, str]] = (),
) -> list[Repository]:
    """Repositories, the last changed first; of these projects, or of all; whose cards say all of `facets`."""
    of = repositories.c
    rare = few(conn, facets)
    if rare is not None:
        found = [
            one for one in _among(conn, rare, facets) if one.kind == kind and text.lower() in one.full_name.lower()
        ]
        fit = [one for one in found if project_ids is None or one.project_id in project_ids]
        keyed = {(-one.changed_at_s, one.repository_id): one for one in fit}
        return [keyed[key] for key in sorted(keyed) if key > (-before[0], before[1])][:most]
    query = select(repositories).where(of.kind == str(kind), of.deleted_at_s.is_(None))
    if project_ids is not None:
        query = query.where(of.project_id.in_(project_ids))
    if text:
        query = query.where((of.project_id + "/" + of.name).icontains(text, autoescape=True))
    query = query.where(*having(of.repository_id, facets))
    at_s, after_id = before
    query = query.where((of.changed_at_s < at_s) | ((of.changed_at_s == at_s) & (of.repository_id > after_id)))
    rows = conn.execute(query.order_by(of.changed_at_s.desc(), of.repository_id).limit(most))
    return [_repository(row) for row in rows]


def _among(conn: Connection, ids: Sequence[str], facets: Sequence[tuple[str, str]]) -> list[Repository]:
    """Those of a few repositories whose cards say all of `facets`. By their ids alone: with other conditions a planner
    without statistics reads the whole list.
    """
    of, found = repositories.c, list[Repository]()
    for at in range(0, len(ids), _BLOCK):
        chosen = of.repository_id.in_(ids[at : at + _BLOCK])
        rows = conn.execute(select(repositories).where(chosen, *having(of.repository_id, facets)))
        found += [_repository(row) for row in rows if row.deleted_at_s is None]
    return found


def _repository(row: Row[Any]) -> Repository:
    return Repository(
        row.repository_id, RepositoryKind(row.kind), row.project_id, row.name, Visibility(row.visibility),
        Gate(row.gate), row.made_at_s, row.changed_at_s,
    )  # fmt: skip


# -- commits and refs --------------------------------------------------------------------------------------------------
def add_commit(conn: Connection, repository_id: str, made: Commit) -> None:
    """Keep a commit, and count its root."""
    row = {
        "repository_id": repository_id,
        "commit_id": made.commit_id,
        "parent_id": made.parent_id,
        "root_id": made.root_id,
        "n_files": made.n_files,
        "size_bytes": made.size_bytes,
        "title": made.title,
        "message": made.message,
        "person_id": made.person_id,
        "made_at_s": made.made_at_s,
    }
    conn.execute(insert(commits), row)
    if made.root_id:
        objects.count(conn, tree_nodes, tree_nodes.c.node_id, [made.root_id], 1, None)


def commit(conn: Connection, repository_id: str, commit_id: str) -> Commit | None:
    """A commit by its id."""
    of = commits.c
    query = select(commits).where(of.repository_id == repository_id, of.commit_id == commit_id)
    row = conn.execute(query).one_or_none()
    if row is None:
        return None
    return Commit(
        row.commit_id, row.parent_id, row.root_id, row.n_files, row.size_bytes, row.title, row.message, row.person_id,
        row.made_at_s,
    )  # fmt: skip


def ref(conn: Connection, repository_id: str, kind: str, asked: str) -> str | None:
    """The commit that a branch or a tag names."""
    of = refs.c
    query = select(of.commit_id).where(of.repository_id == repository_id, of.kind == kind, of.name == asked)
    return conn.execute(query).scalar()


def set_ref(conn: Connection, repository_id: str, kind: str, new_name: str, commit_id: str, **more: Any) -> None:
    """Let a branch or a tag name a commit."""
    row = {"repository_id": repository_id, "kind": kind, "name": new_name, "commit_id": commit_id}
    insert_or_replace(conn, refs, [{**row, "message": "", **more}])


def drop_ref(conn: Connection, repository_id: str, kind: str, asked: str) -> bool:
    """Take a branch or a tag away; whether there was one."""
    of = refs.c
    chosen = (of.repository_id == repository_id) & (of.kind == kind) & (of.name == asked)
    return conn.execute(delete(refs).where(chosen)).rowcount == 1


def all_refs(conn: Connection, repository_id: str) -> list[tuple[str, str, str]]:
    """Branches and tags: (kind, name, commit)."""
    query = select(refs.c.kind, refs.c.name, refs.c.commit_id).where(refs.c.repository_id == repository_id)
    return [(row.kind, row.name, row.commit_id) for row in conn.execute(query.order_by(refs.c.kind, refs.c.name))]


def lines(conn: Connection, repository_id: str) -> dict[str, Line]:
    """All versions of a repository by id, as rules see them."""
    of = commits.c
    query = select(of.commit_id, of.parent_id, of.made_at_s).where(of.repository_id == repository_id)
    return {row.commit_id: Line(row.commit_id, row.parent_id, row.made_at_s) for row in conn.execute(query)}


def dated_refs(conn: Connection, repository_id: str) -> list[Ref]:
    """Branches and tags, with when they were last set."""
    query = select(refs).where(refs.c.repository_id == repository_id).order_by(refs.c.kind, refs.c.name)
    return [Ref(row.kind == BRANCH, row.name, row.commit_id, row.made_at_s) for row in conn.execute(query)]


def drop_commits(conn: Connection, repository_id: str, ids: Sequence[str], now_s: float) -> int:
    """Take versions away that no branch or tag names, and count down their roots; how many went."""
    of, gone = commits.c, 0
    named = set(conn.execute(select(refs.c.commit_id).where(refs.c.repository_id == repository_id)).scalars())
    left = [name for name in ids if name not in named]
    for at in range(0, len(left), _BLOCK):
        chosen = (of.repository_id == repository_id) & of.commit_id.in_(left[at : at + _BLOCK])
        roots = [root for root in conn.execute(select(of.root_id).where(chosen)).scalars() if root]
        objects.count(conn, tree_nodes, tree_nodes.c.node_id, roots, -1, now_s)
        gone += conn.execute(delete(commits).where(chosen)).rowcount
    return gone


def newest_sizes(conn: Connection, project_id: str, most: int) -> list[Row[Any]]:
    """Repositories of a project with the newest version of their main branch, the largest first: repository_id, kind,
    name, n_files, size_bytes.
    """
    of = repositories.c
    at_main = (refs.c.repository_id == of.repository_id) & (refs.c.kind == BRANCH) & (refs.c.name == MAIN)
    of_ref = (commits.c.repository_id == of.repository_id) & (commits.c.commit_id == refs.c.commit_id)
    query = select(of.repository_id, of.kind, of.name, commits.c.n_files, commits.c.size_bytes)
    query = (
        query.join(refs, at_main).join(commits, of_ref).where(of.project_id == project_id, of.deleted_at_s.is_(None))
    )
    return list(conn.execute(query.order_by(commits.c.size_bytes.desc(), of.name).limit(most)))


def by_ids(conn: Connection, ids: Iterable[str]) -> dict[str, Repository]:
    """Repositories by their ids, without those that were deleted."""
    asked, of, found = list(dict.fromkeys(ids)), repositories.c, dict[str, Repository]()
    for at in range(0, len(asked), _BLOCK):
        query = select(repositories).where(of.repository_id.in_(asked[at : at + _BLOCK]), of.deleted_at_s.is_(None))
        found |= {row.repository_id: _repository(row) for row in conn.execute(query)}
    return found


def by_id(conn: Connection, repository_id: str) -> Repository | None:
    """A repository by its id, unless it was deleted."""
    return by_ids(conn, [repository_id]).get(repository_id)


def of_projects(conn: Connection, project_ids: Sequence[str]) -> list[Repository]:
    """Repositories of some projects that were not deleted, by id."""
    of = repositories.c
    query = select(repositories).where(of.project_id.in_(project_ids), of.deleted_at_s.is_(None))
    return [_repository(row) for row in conn.execute(query.order_by(of.repository_id))]


def roots(conn: Connection, repository_id: str) -> list[tuple[str, str]]:
    """Roots of all versions, each once, with how the version is named: branches and tags first, then the newest."""
    of, named = commits.c, dict[str, str]()
    query = select(of.commit_id, of.root_id).where(of.repository_id == repository_id)
    by_commit = {row.commit_id: row.root_id for row in conn.execute(query.order_by(of.made_at_s.desc()))}
    for _kind, name_of, commit_id in all_refs(conn, repository_id):
        named.setdefault(by_commit.get(commit_id, ""), name_of)
    for commit_id, root_id in by_commit.items():
        named.setdefault(root_id, commit_id[:12])
    return [(root_id, name_of) for root_id, name_of in named.items() if root_id]


# -- nodes -------------------------------------------------------------------------------------------------------------
def nodes(conn: Connection, ids: Iterable[str]) -> dict[str, Node]:
    """Nodes by their ids. Raises KeyError for one that is not here, ValueError for a damaged one."""
    asked = list(dict.fromkeys(ids))
    found = {}
    for at in range(0, len(asked), _BLOCK):
        query = select(tree_nodes.c.node_id, tree_nodes.c.content)
        for row in conn.execute(query.where(tree_nodes.c.node_id.in_(asked[at : at + _BLOCK]))):
            found[row.node_id] = read_node(plain_name(row.node_id), bytes(row.content))
    return {name: found[name] for name in asked}


def node_ids(conn: Connection, ids: Iterable[str]) -> set[str]:
    """Which of these nodes are here."""
    asked, found = list(ids), set[str]()
    for at in range(0, len(asked), _BLOCK):
        query = select(tree_nodes.c.node_id).where(tree_nodes.c.node_id.in_(asked[at : at + _BLOCK]))
        found.update(conn.execute(query).scalars())
    return found


def add_nodes(conn: Connection, made: Mapping[str, Node], now_s: float) -> None:
    """Keep nodes that are new by their names, and count what they mention."""
    known = node_ids(conn, made)
    fresh = {name: node for name, node in made.items() if name not in known}
    if not fresh:
        return
    rows = [
        {"node_id": name, "content": node.content, "n_refs": 0, "idle_since_s": now_s} for name, node in fresh.items()
    ]
    conn.execute(insert(tree_nodes), rows)
    _count_mentions(conn, fresh, 1, None)


def _count_mentions(conn: Connection, of: Mapping[str, Node], by: int, now_s: float | None) -> None:
    files, children = _mentions(of, is_leaf=True), _mentions(of, is_leaf=False)
    objects.count(conn, objects.blobs, objects.blobs.c.sha256, files, by, now_s)
    objects.count(conn, tree_nodes, tree_nodes.c.node_id, children, by, now_s)


def _mentions(of: Mapping[str, Node], *, is_leaf: bool) -> list[str]:
    """What nodes mention, by name: all of it lies in the realm of the node."""
    chosen = [(realm_of(name), node) for name, node in of.items() if (not node.level) is is_leaf]
    return [realm + one for realm, node in chosen for one in node.mentions()]


# -- gates -------------------------------------------------------------------------------------------------------------
def gate_state(conn: Connection, repository_id: str, person_id: str) -> str:
    """How far somebody's request stands; '' for none."""
    of = gate_requests.c
    query = select(of.state).where(of.repository_id == repository_id, of.person_id == person_id)
    return conn.execute(query).scalar() or ""


def set_gate_state(conn: Connection, repository_id: str, person_id: str, state: str, now_s: float, by: str) -> None:
    """Note a request, or the answer to it."""
    row = {"repository_id": repository_id, "person_id": person_id, "state": state, "asked_at_s": now_s}
    decided = {"decided_at_s": now_s if by else None, "decided_by": by or None}
    insert_or_replace(conn, gate_requests, [{**row, **decided}], fixed=["asked_at_s"])


def gate_states(conn: Connection, repository_id: str, state: str) -> list[tuple[str, float]]:
    """Who asked, and when, by state."""
    of = gate_requests.c
    query = select(of.person_id, of.asked_at_s).where(of.repository_id == repository_id, of.state == state)
    return [(row.person_id, row.asked_at_s) for row in conn.execute(query.order_by(of.asked_at_s))]


# -- collecting --------------------------------------------------------------------------------------------------------
def purge_deleted(conn: Connection, before_s: float, now_s: float, most: int) -> int:
    """Take away commits of repositories that were deleted before; how many rows went."""
    query = select(repositories.c.repository_id).where(repositories.c.deleted_at_s < before_s).limit(1)
    repository_id = conn.execute(query).scalar()
    if repository_id is None:
        return 0
    of = commits.c
    found = select(of.commit_id, of.root_id).where(of.repository_id == repository_id).limit(most)
    rows = conn.execute(found).all()
    gone = [row.root_id for row in rows if row.root_id]
    # Nobody has seen the repository since its grace began, so its trees go at once; contents have their own grace.
    objects.count(conn, tree_nodes, tree_nodes.c.node_id, gone, -1, before_s - 1.0)
    names = [row.commit_id for row in rows]
    for at in range(0, len(names), _BLOCK):
        chosen = (of.repository_id == repository_id) & of.commit_id.in_(names[at : at + _BLOCK])
        conn.execute(delete(commits).where(chosen))
    if not rows:
        drop_card(conn, repository_id)
        keeping.forget(conn, repository_id)
        for table in (refs, gate_requests, repositories):
            conn.execute(delete(table).where(table.c.repository_id == repository_id))
    return len(rows) + 1


def drop_idle_nodes(conn: Connection, before_s: float, now_s: float, most: int) -> int:
    """Take away nodes that nothing has mentioned since, and count down what they mention; how many went."""
    of = tree_nodes.c
    query = select(of.node_id, of.content).where(of.idle_since_s < before_s, of.n_refs <= 0)
    rows = conn.execute(query.order_by(of.idle_since_s).limit(most)).all()
    gone = {row.node_id: read_node(plain_name(row.node_id), bytes(row.content)) for row in rows}
    children, files = _mentions(gone, is_leaf=False), _mentions(gone, is_leaf=True)
    names = list(gone)
    # What lies below goes in the same round; contents get their own grace, as somebody may just have been told of them.
    objects.count(conn, tree_nodes, of.node_id, children, -1, before_s - 1.0)
    objects.count(conn, objects.blobs, objects.blobs.c.sha256, files, -1, now_s)
    for at in range(0, len(names), _BLOCK):
        conn.execute(delete(tree_nodes).where(of.node_id.in_(names[at : at + _BLOCK])))
    return len(gone)


def nodes_after(conn: Connection, after: str, most: int) -> list[tuple[str, bytes]]:
    """Nodes by id, as they are kept."""
    query = select(tree_nodes.c.node_id, tree_nodes.c.content).where(tree_nodes.c.node_id > after)
    return [(row.node_id, bytes(row.content)) for row in conn.execute(query.order_by(tree_nodes.c.node_id).limit(most))]
