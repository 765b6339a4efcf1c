"""Versions of a repository: branches and tags, history, trees, and commits that are whole or not at all.

Whoever calls has found the repository for what they want (`RepositoriesService.find`).
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from eureka_park.accounts.service import Principal
from eureka_park.data.cards.reading import CardReader
from eureka_park.data.core.card import CARD
from eureka_park.data.core.entry import Entry
from eureka_park.data.core.repository import (
    MAIN,
    MESSAGE_CHARS_MAX,
    TITLE_CHARS_MAX,
    Commit,
    Operation,
    Put,
    Repository,
    check_ref,
    clean_path,
    clean_text,
    is_commit_id,
)
from eureka_park.data.core.sealed_form import plain_name, realm_of
from eureka_park.data.core.tree import Node, Tree, differences
from eureka_park.data.keeping.store import check_no_hold
from eureka_park.data.objects.service import Batch, ObjectsService
from eureka_park.data.repositories import store
from eureka_park.data.repositories.store import BRANCH, TAG
from eureka_park.foundation.canonical import canonical_json
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import BadInput, Conflict, NotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection

NODES_KEPT: Final = 1500
OPERATIONS_MAX: Final = 50_000
_TRIES: Final = 8
CHANGES_COMMITS: Final = 100
CHANGES_SEEN: Final = 20_000
CHANGES_KEPT: Final = 128


@dataclass(frozen=True, slots=True)
class Draft:
    """A commit to be made: on which branch, what it changes; `parent_id` '' for whatever the branch is at."""

    branch: str
    title: str
    operations: Sequence[Operation]
    message: str = ""
    parent_id: str = ""


class Versions:
    """Branches, tags, trees and commits of all repositories."""

    def __init__(self, db: Database, clock: Clock, objects: ObjectsService, entropy: Callable[[int], bytes]) -> None:
        self._db, self._clock, self._objects, self._entropy = db, clock, objects, entropy
        self._kept: OrderedDict[str, Node] = OrderedDict()
        self._changes: OrderedDict[tuple[str, ...], dict[str, Commit]] = OrderedDict()
        self._lock = threading.Lock()
        self.cards = CardReader(db, clock, objects)
        self.on_card: Callable[[Principal, Repository, Commit], None] = lambda _who, _repository, _version: None

    # -- refs ----------------------------------------------------------------------------------------------------------
    def at(self, repository: Repository, revision: str) -> Commit:
        """The version that a branch, a tag or a commit's id names. Raises NotFound (`no_such_revision`)."""
        with self._db.read() as conn:
            return self._at(conn, repository.repository_id, revision)

    def _at(self, conn: Connection, repository_id: str, revision: str) -> Commit:
        name = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        found = None
        if 0 < len(name) <= 200 and "\0" not in name:
            if is_commit_id(name):
                found = store.commit(conn, repository_id, name)
            else:
                kinds = (BRANCH, TAG) if not revision.startswith("refs/tags/") else (TAG,)
                ids = (store.ref(conn, repository_id, kind, name) for kind in kinds)
                commit_id = next(filter(None, ids), None)
                found = store.commit(conn, repository_id, commit_id) if commit_id else None
        if found is None:
            raise NotFound(
                f"There is no branch, tag or commit {revision[:80]!a}.", fix="See its refs.", code="no_such_revision"
            )
        return found

    def refs(self, repository: Repository) -> list[tuple[str, str, str]]:
        """Branches and tags: (branch or tag, name, commit), by name."""
        with self._db.read() as conn:
            return store.all_refs(conn, repository.repository_id)

    def add_ref(self, repository: Repository, kind: str, name: str, revision: str, message: str = "") -> Commit:
        """Begin a branch, or set a tag, at a version. Raises BadInput, Conflict (`ref_taken`), NotFound."""
        check_ref(name)
        with self._db.write() as conn:
            start = self._at(conn, repository.repository_id, revision or MAIN)
            if store.ref(conn, repository.repository_id, kind, name) is not None:
                raise Conflict(f"There is a {kind} {name} already.", fix="Choose another name.", code="ref_taken")
            text, now_s = clean_text(message, MESSAGE_CHARS_MAX), self._clock.real_s()
            more = {"message": text, "made_at_s": now_s}
            store.set_ref(conn, repository.repository_id, kind, name, start.commit_id, **more)
        return start

    def drop_ref(self, repository: Repository, kind: str, name: str) -> None:
        """Take a branch or a tag away; its commits stay. Raises BadInput for `main`, Conflict (`on_hold`), NotFound."""
        if kind == BRANCH and name == MAIN:
            raise BadInput(f"The branch {MAIN} stays.", fix="Take another branch away.", code="main_stays")
        with self._db.write() as conn:
            check_no_hold(conn, repository.repository_id, repository.full_name)
            if not store.drop_ref(conn, repository.repository_id, kind, name[:200].replace("\0", "")):
                raise NotFound(f"There is no {kind} {name[:80]!a}.", fix="See its refs.", code="no_such_revision")

    def history(self, repository: Repository, start: Commit, most: int, skip: int = 0) -> list[Commit]:
        """A version and those before it, the newest first, as far as they were kept."""
        found: list[Commit] = []
        here: Commit | None = start
        with self._db.read() as conn:
            for index in range(skip + most):
                if here is None:
                    break
                if index >= skip:
                    found.append(here)
                here = store.commit(conn, repository.repository_id, here.parent_id) if here.parent_id else None
        return found

    # -- trees ---------------------------------------------------------------------------------------------------------
    def tree(self, version: Commit) -> Tree:
        """The files of a version."""
        return self._tree(realm_of(version.root_id), plain_name(version.root_id))

    def _tree(self, realm: str, root_id: str = "") -> Tree:
        return Tree(partial(self._nodes, realm), root_id)

    def entry(self, version: Commit, path: str) -> Entry:
        """A file of a version. Raises NotFound (`no_such_entry`)."""
        try:
            found = self.tree(version).get(clean_path(path))
        except BadInput:
            found = None
        if found is None:
            raise no_entry(path)
        return found

    def differences(self, old: Commit, new: Commit) -> Iterator[tuple[Entry | None, Entry | None]]:
        """The files that differ between two versions, in order, as (before, after)."""
        return differences(self.tree(old), self.tree(new))

    def last_changes(self, repository: Repository, version: Commit, paths: Sequence[str]) -> dict[str, Commit]:
        """Which commit changed each path last, a folder by what is in it. Looked for in the newest commits and a
        bounded number of changes; what is older than that is told by the oldest that was looked at. Kept in memory for
        a while: what a version holds never changes.
        """
        key = (repository.repository_id, version.commit_id, *paths)
        with self._lock:
            known = self._changes.get(key)
        if known is None:
            known = self._last_changes(repository, version, paths)
            with self._lock:
                self._changes[key] = known
                while len(self._changes) > CHANGES_KEPT:
                    self._changes.popitem(last=False)
        return known

    def _last_changes(self, repository: Repository, version: Commit, paths: Sequence[str]) -> dict[str, Commit]:
        open_paths, found, n_seen = set(paths), dict[str, Commit](), 0
        oldest = version
        for oldest, parent in self._steps(repository, version):
            before = self.tree(parent) if parent else self._tree("")
            for old, new in differences(before, self.tree(oldest)):
                n_seen += 1
                entry = old or new
                assert entry is not None
                changed = {entry.path, *_folders_of(entry.path)} & open_paths
                found.update(dict.fromkeys(changed, oldest))
                open_paths -= changed
                if not open_paths or n_seen > CHANGES_SEEN:
                    break
            if not open_paths or n_seen > CHANGES_SEEN:
                break
        return {**dict.fromkeys(open_paths, oldest), **found}

    def _steps(self, repository: Repository, version: Commit) -> Iterator[tuple[Commit, Commit | None]]:
        """The newest versions, each with the one before; None before the first, and where a rule has let it go."""
        here: Commit | None = version
        for _ in range(CHANGES_COMMITS):
            if here is None:
                return
            with self._db.read() as conn:
                before = store.commit(conn, repository.repository_id, here.parent_id) if here.parent_id else None
            yield here, before
            here = before

    def _nodes(self, realm: str, ids: Sequence[str]) -> Mapping[str, Node]:
        """Nodes by their ids, from memory where they were asked for lately: they never change."""
        found = self._named_nodes([realm + one for one in ids])
        return {plain_name(name): node for name, node in found.items()} if realm else found

    def _named_nodes(self, ids: Sequence[str]) -> Mapping[str, Node]:
        with self._lock:
            found = {name: self._kept[name] for name in ids if name in self._kept}
            for name in found:
                self._kept.move_to_end(name)
        missing = [name for name in ids if name not in found]
        if missing:
            with self._db.read() as conn:
                fresh = store.nodes(conn, missing)
            found |= fresh
            self._keep(fresh)
        return found

    def forget_nodes(self) -> None:
        """Begin with nothing in memory, as a new process does."""
        with self._lock:
            self._kept.clear()

    def _keep(self, nodes: Mapping[str, Node]) -> None:
        with self._lock:
            self._kept.update(nodes)
            while len(self._kept) > NODES_KEPT:
                self._kept.popitem(last=False)

    # -- commits -------------------------------------------------------------------------------------------------------
    def begin(self, conn: Connection, repository: Repository, who: Principal, title: str) -> Commit:
        """The first version of a repository, inside the transaction that makes it: no files."""
        first = self._commit(repository, None, "", (0, 0), Draft(MAIN, title, ()), who)
        store.add_commit(conn, repository.repository_id, first)
        store.set_ref(conn, repository.repository_id, BRANCH, MAIN, first.commit_id, made_at_s=self._clock.real_s())
        return first

    def commit(
        self,
        repository: Repository,
        who: Principal,
        draft: Draft,
        batch: Batch | None = None,
        also: Callable[[Connection, Commit], None] | None = None,
    ) -> Commit:
        """Make a commit, whole or not at all; without any change the version that is there.

        `batch`: small contents that come with it. `also`: what is written with it, in its transaction; then there is a
        commit even where nothing changes. Raises BadInput for unsafe paths and clashes (`path_clash`), NotFound
        for what is to be removed and is not there, or for contents that the project was not sent (`no_such_blob`);
        Conflict (`parent_changed`) where the branch is no longer at the parent.
        """
        if len(draft.operations) > OPERATIONS_MAX:
            raise BadInput(f"A commit takes {OPERATIONS_MAX:,} changes.", fix="Make several.", code="too_many_changes")
        batch = batch or Batch()
        self._objects.sync(batch)
        realm = self._objects.name(repository.project_id, "")
        for _ in range(_TRIES):
            head = self._head(repository, draft)
            tree = self.tree(head)
            edits = edited(tree, draft.operations)
            root, fresh = tree.changed(edits)
            root_id, made = realm + root if root else "", {realm + name: node for name, node in fresh.items()}
            if root_id == head.root_id and also is None:
                self._objects.mend(repository.project_id, batch)
                return head
            self._keep(made)
            totals = self._tree(realm, root).totals()
            done = self._commit(repository, head, root_id, totals, draft, who)
            with self._db.write() as conn:
                if store.ref(conn, repository.repository_id, BRANCH, draft.branch) != head.commit_id:
                    continue  # somebody was quicker: the same changes on what is there now
                left = self._apply(conn, repository, draft, done, made, batch, edits)
                if also is not None:
                    also(conn, done)
            self._objects.drop(left)
            self.cards.read(repository.repository_id)
            if draft.branch == MAIN and edits.get(CARD) is not None:
                self.on_card(who, repository, done)
            return done
        raise _changed(draft.branch)

    def squash(self, repository: Repository, who: Principal, branch: str, title: str) -> Commit:
        """Let a branch begin with what it holds now: one commit without any before it. Raises Conflict (`on_hold`)."""
        with self._db.write() as conn:
            check_no_hold(conn, repository.repository_id, repository.full_name)
            commit_id = store.ref(conn, repository.repository_id, BRANCH, branch[:200].replace("\0", ""))
            if commit_id is None:
                raise NotFound(f"There is no branch {branch[:80]!a}.", fix="See its refs.", code="no_such_revision")
            head = store.commit(conn, repository.repository_id, commit_id)
            assert head is not None
            draft = Draft(branch, title or f"Squash {branch}", ())
            done = self._commit(repository, None, head.root_id, (head.n_files, head.size_bytes), draft, who)
            store.add_commit(conn, repository.repository_id, done)
            store.set_ref(conn, repository.repository_id, BRANCH, branch, done.commit_id, made_at_s=done.made_at_s)
        return done

    def _head(self, repository: Repository, draft: Draft) -> Commit:
        """Where the branch is. Raises NotFound, or Conflict where that is not the parent that the draft names."""
        with self._db.read() as conn:
            commit_id = store.ref(conn, repository.repository_id, BRANCH, draft.branch[:200].replace("\0", ""))
            head = store.commit(conn, repository.repository_id, commit_id) if commit_id else None
        if head is None:
            raise NotFound(f"There is no branch {draft.branch[:80]!a}.", fix="Begin it first.", code="no_such_revision")
        if draft.parent_id and head.commit_id != draft.parent_id:
            raise _changed(draft.branch)
        return head

    def _apply(
        self,
        conn: Connection,
        repository: Repository,
        draft: Draft,
        done: Commit,
        made: Mapping[str, Node],
        batch: Batch,
        edits: Mapping[str, Entry | None],
    ) -> list[str]:
        left = self._objects.settle(conn, repository.project_id, batch)
        named = {entry.sha256 for entry in edits.values() if entry is not None}
        missing = named - self._objects.held_in(conn, repository.project_id, named)
        if missing:
            raise NotFound(
                f"The content {min(missing)} was not sent to the project {repository.project_id}.",
                fix="Send it first, or again.",
                code="no_such_blob",
            )
        now_s = self._clock.real_s()
        store.add_nodes(conn, made, now_s)
        store.add_commit(conn, repository.repository_id, done)
        store.set_ref(conn, repository.repository_id, BRANCH, draft.branch, done.commit_id, made_at_s=now_s)
        store.change(conn, repository.repository_id, changed_at_s=now_s)
        self.cards.noted(conn, repository, draft.branch, done, edits)
        return left

    def _commit(
        self,
        repository: Repository,
        parent: Commit | None,
        root_id: str,
        totals: tuple[int, int],
        draft: Draft,
        who: Principal,
    ) -> Commit:
        now_s, parent_id = self._clock.real_s(), parent.commit_id if parent else ""
        title = clean_text(draft.title, TITLE_CHARS_MAX) or "Change files"
        message = clean_text(draft.message, MESSAGE_CHARS_MAX)
        told = [repository.repository_id, parent_id, root_id, title, message, who.person_id, now_s]
        nonce = self._entropy(8).hex()
        commit_id = hashlib.sha256(canonical_json([*told, nonce])).hexdigest()[:40]
        return Commit(commit_id, parent_id, root_id, *totals, title, message, who.person_id, now_s)


def edited(tree: Tree, operations: Sequence[Operation]) -> dict[str, Entry | None]:
    """What a list of changes, one after the other, makes of a tree: files by path, None for those that go.

    Raises BadInput for unsafe paths and where a file and a folder would have one name; NotFound for what is to go and
    is not there.
    """
    edits: dict[str, Entry | None] = {}
    for index, operation in enumerate(operations):
        path = clean_path(operation.path.rstrip("/"), f"operations[{index}].path")
        if isinstance(operation, Put):
            edits[path] = Entry(path, operation.sha256, operation.size_bytes, operation.git_oid)
        elif operation.is_folder:
            below = [entry.path for entry in tree.in_folder(path) if entry.path not in edits]
            below += [name for name, entry in edits.items() if entry is not None and name.startswith(f"{path}/")]
            if not below:
                raise no_entry(path)
            edits.update(dict.fromkeys(below))
        else:
            if edits[path] is None if path in edits else tree.get(path) is None:
                raise no_entry(path)
            edits[path] = None
    _check_clashes(tree, edits)
    return edits


def _folders_of(path: str) -> list[str]:
    pieces = path.split("/")
    return ["/".join(pieces[:depth]) for depth in range(1, len(pieces))]


def _check_clashes(tree: Tree, edits: Mapping[str, Entry | None]) -> None:
    put = {path for path, entry in edits.items() if entry is not None}
    checked: dict[str, bool] = {}

    def is_file(path: str) -> bool:
        if path in edits:
            return path in put
        if path not in checked:
            checked[path] = tree.get(path) is not None
        return checked[path]

    folders: set[str] = set()
    for path in put:
        above = path
        while "/" in above:
            above = above.rpartition("/")[0]
            if above in folders:
                break
            folders.add(above)
            if is_file(above):
                raise _clash(path, above)
    for path in put:
        if path in folders or any(entry.path not in edits for entry in tree.in_folder(path)):
            raise _clash(path, path)


def _clash(path: str, other: str) -> BadInput:
    return BadInput(
        f"{path[:200]!a}: {other[:200]!a} would be a file and a folder.", fix="Rename one of them.", code="path_clash"
    )


def no_entry(path: str) -> NotFound:
    """There is no such file in that version."""
    return NotFound(f"A file with this name doesn't exist: {path[:200]!a}.", fix="See its tree.", code="no_such_entry")


def _changed(branch: str) -> Conflict:
    return Conflict(
        f"The branch {branch[:80]!a} has changed since.",
        fix="Look at what is new, then try again.",
        code="parent_changed",
    )
