"""Use cases of keeping: rules of how long versions stay, legal holds, and how much a project may keep."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.service import AccountsService, Act, Organisation, Principal, may
from eureka_park.data.core.lasting import (
    REASON_CHARS_MAX,
    LastingRule,
    Line,
    Ref,
    check_rule,
    ended_branches,
    ended_versions,
)
from eureka_park.data.core.repository import Repository, clean_text
from eureka_park.data.keeping import store
from eureka_park.data.keeping.store import Hold, Lost
from eureka_park.data.objects import store as objects
from eureka_park.data.objects.limits import limit_of
from eureka_park.data.repositories import store as repositories
from eureka_park.data.repositories.access import Want, is_inside
from eureka_park.data.repositories.service import RepositoriesService
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import BadInput, Forbidden, NotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection

LIMIT_BYTES_MAX: Final = 2**60
_SHOWN: Final = 500
_BLOCK: Final = 200


@dataclass(frozen=True, slots=True)
class Going:
    """What a rule would take from a repository now. `newest_at_s`: when the newest version of that was made."""

    n_versions: int
    branches: tuple[str, ...]
    newest_at_s: float | None


@dataclass(frozen=True, slots=True)
class RepositoryUse:
    """A repository of a project: its newest version's files, as one reads them."""

    repository_id: str
    kind: str
    name: str
    n_files: int
    size_bytes: int
    is_on_hold: bool


@dataclass(frozen=True, slots=True)
class ProjectUse:
    """What a project keeps. `used_bytes` counts each content once, with all versions; `going_bytes` of that is needed
    by nothing any more and goes with a next collection. `repositories`: the largest first, newest versions only.
    """

    project_id: str
    used_bytes: int
    limit_bytes: int
    is_default_limit: bool
    going_bytes: int
    repositories: tuple[RepositoryUse, ...]


class Keeping:
    """Rules, holds and limits of all projects."""

    def __init__(self, db: Database, clock: Clock, accounts: AccountsService, found: RepositoriesService) -> None:
        self._db, self._clock, self._accounts, self._found = db, clock, accounts, found

    # -- how long versions stay ----------------------------------------------------------------------------------------
    def rule(self, who: Principal | None, repository: Repository) -> LastingRule:
        """A repository's rule; an empty one where all stays. Raises NotFound."""
        self._find(Want.KNOW, who, repository)
        with self._db.read() as conn:
            return store.rule(conn, repository.repository_id)

    def set_rule(self, who: Principal | None, repository: Repository, rule: LastingRule) -> Going:
        """Set a rule, or with an empty one let all stay; what it takes at its next turn, within an hour.

        Raises BadInput, Conflict (`on_hold`), Forbidden, NotFound.
        """
        check_rule(rule)
        found = self._find(Want.MANAGE, who, repository)
        assert who is not None
        with self._db.write() as conn:
            if not rule.is_empty:
                store.check_no_hold(conn, found.repository_id, found.full_name)
            now_s = self._clock.real_s()
            store.set_rule(conn, found.repository_id, rule, who.person_id, now_s)
            self._note(
                conn, "repository.rule_set", who, found, {key: str(value) for key, value in asdict(rule).items()}
            )
            return _going(*_ends(conn, found.repository_id, rule, now_s))

    def preview(self, who: Principal | None, repository: Repository, rule: LastingRule) -> Going:
        """What a rule would take now; nothing is changed. Raises BadInput, Forbidden, NotFound."""
        check_rule(rule)
        found = self._find(Want.MANAGE, who, repository)
        with self._db.read() as conn:
            return _going(*_ends(conn, found.repository_id, rule, self._clock.real_s()))

    def lost(self, who: Principal | None, repository: Repository) -> Lost:
        """What rules have taken from a repository so far. Raises NotFound."""
        self._find(Want.KNOW, who, repository)
        with self._db.read() as conn:
            return store.lost(conn, repository.repository_id)

    def is_any_due(self, before_s: float) -> bool:
        """Whether any rule was not applied since."""
        with self._db.read() as conn:
            return bool(store.due_rules(conn, before_s, 1))

    def apply_due(self, conn: Connection, before_s: float) -> str:
        """Inside a transaction of the deciding process: a step of the rule that waits longest, of those that were not
        applied since; its repository, '' where none is due. A repository on hold loses nothing.
        """
        due = store.due_rules(conn, before_s, 1)
        if not due:
            return ""
        repository_id, now_s = due[0], self._clock.real_s()
        found = repositories.by_id(conn, repository_id)
        if found is None:
            store.set_rule(conn, repository_id, LastingRule(), "", now_s)
            return repository_id
        if store.hold(conn, repository_id) is not None or self._apply(conn, found, now_s):
            store.note_applied(conn, repository_id, now_s)
        return repository_id

    def _apply(self, conn: Connection, found: Repository, now_s: float) -> bool:
        """Take away some of what a rule lets go; whether that was all."""
        rule = store.rule(conn, found.repository_id)
        branches, versions = _ends(conn, found.repository_id, rule, now_s)
        some = versions[:_BLOCK]
        for ref in branches:
            repositories.drop_ref(conn, found.repository_id, repositories.BRANCH, ref.name)
        n_gone = repositories.drop_commits(conn, found.repository_id, [line.commit_id for line in some], now_s)
        if n_gone or branches:
            newest_s = max((line.made_at_s for line in some), default=None)
            store.add_lost(conn, found.repository_id, n_gone, len(branches), newest_s, now_s)
            detail = {"n_versions": str(n_gone), "branches": ", ".join(ref.name for ref in branches)[:500]}
            self._note(conn, "repository.rule_applied", None, found, detail)
        return len(versions) <= _BLOCK

    # -- legal holds ---------------------------------------------------------------------------------------------------
    def hold(self, who: Principal | None, repository: Repository) -> Hold | None:
        """The legal hold on a repository, with its reason, for those who see its project by a role.

        Raises Forbidden, NotFound.
        """
        found = self._find(Want.KNOW, who, repository)
        if not is_inside(who, self._accounts.project(found.project_id)):
            raise Forbidden("Holds are told to those who are in the project.", fix="Ask a lead of the project.")
        with self._db.read() as conn:
            return store.hold(conn, found.repository_id)

    def may_hold(self, who: Principal | None, repository: Repository) -> bool:
        """Whether `who` may set and lift holds: operators, and leads of the project's organisation."""
        project = self._accounts.project(repository.project_id)
        if project.organisation_id:
            return may(Act.MANAGE, who, Organisation(project.organisation_id, "", "", 0.0)).is_allowed
        return may(Act.OPERATE, who, None).is_allowed

    def set_hold(self, who: Principal | None, repository: Repository, reason: str) -> Hold:
        """Put a repository on legal hold: from now on nothing of it can be deleted, squashed, collected or moved away.

        Raises BadInput without a reason, Forbidden, NotFound.
        """
        reason = clean_text(reason, REASON_CHARS_MAX).strip()
        if not reason:
            raise BadInput("A legal hold has a reason.", fix="Say why, with a file number.", field="reason")
        found = self._holding(who, repository)
        assert who is not None
        on = Hold(found.repository_id, reason, who.person_id, self._clock.real_s())
        with self._db.write() as conn:
            store.set_hold(conn, on)
            self._note(conn, "repository.hold_set", who, found, {"reason": reason})
        return on

    def lift_hold(self, who: Principal | None, repository: Repository) -> None:
        """Take a legal hold off. Raises Forbidden, NotFound (`no_hold` where there is none)."""
        found = self._holding(who, repository)
        with self._db.write() as conn:
            if not store.lift_hold(conn, found.repository_id):
                raise NotFound(f"{found.full_name} is not on legal hold.", fix="Nothing is to be done.", code="no_hold")
            self._note(conn, "repository.hold_lifted", who, found, {})

    def _holding(self, who: Principal | None, repository: Repository) -> Repository:
        found = self._find(Want.KNOW, who, repository)
        if not self.may_hold(who, found):
            raise Forbidden(
                "Legal holds are set and lifted by operators and by leads of the project's organisation.",
                fix="Ask one of them.",
            )
        return found

    # -- how much a project may keep -----------------------------------------------------------------------------------
    def use(self, who: Principal | None, project_id: str) -> ProjectUse:
        """What a project keeps and may keep, by repository. For those who see it by a role. Raises NotFound."""
        self._accounts.require(Act.SEE_BILL, who, project_id)
        with self._db.read() as conn:
            used, limit = objects.use_of(conn, project_id)
            rows = repositories.newest_sizes(conn, project_id, _SHOWN)
            held = store.holds(conn, [row.repository_id for row in rows])
            going = objects.idle_bytes(conn, project_id)
        found = [
            RepositoryUse(row.repository_id, row.kind, row.name, row.n_files, row.size_bytes, row.repository_id in held)
            for row in rows
        ]
        return ProjectUse(project_id, used, limit_of(limit), limit is None, going, tuple(found))

    def set_limit(self, who: Principal | None, project_id: str, limit_bytes: int | None) -> None:
        """How many bytes a project may keep; None: the park's default. For operators. What is there stays, also where
        it is more. Raises BadInput, Forbidden, NotFound.
        """
        if limit_bytes is not None and not 0 <= limit_bytes <= LIMIT_BYTES_MAX:
            raise BadInput("The limit is no size.", fix="Say 0 or more, such as 500GiB.", field="limit_bytes")
        self._accounts.require_park(Act.OPERATE, who)
        self._accounts.project(project_id)
        with self._db.write() as conn:
            objects.set_limit(conn, project_id, limit_bytes)
            detail = {"limit_bytes": "default" if limit_bytes is None else str(limit_bytes)}
            self._accounts.audit.note(conn, "project.storage_limited", who=who, thing=project_id, detail=detail)

    # -- inside --------------------------------------------------------------------------------------------------------
    def _find(self, want: Want, who: Principal | None, repository: Repository) -> Repository:
        return self._found.find(want, who, repository.kind, repository.project_id, repository.name)

    def _note(
        self, conn: Connection, act: str, who: Principal | None, found: Repository, detail: dict[str, Any]
    ) -> None:
        more = {"project": found.project_id, "name": found.name}
        self._accounts.audit.note(conn, act, who=who, thing=found.repository_id, detail={**more, **detail})


def _ends(conn: Connection, repository_id: str, rule: LastingRule, now_s: float) -> tuple[list[Ref], list[Line]]:
    """Branches and versions that a rule lets go now."""
    refs = repositories.dated_refs(conn, repository_id)
    branches = ended_branches(rule, refs, now_s)
    left = [ref for ref in refs if ref not in branches]
    return branches, ended_versions(rule, repositories.lines(conn, repository_id), left, now_s)


def _going(branches: list[Ref], versions: list[Line]) -> Going:
    newest = max((line.made_at_s for line in versions), default=None)
    return Going(len(versions), tuple(ref.name for ref in branches), newest)


__all__ = ["Going", "Hold", "Keeping", "LastingRule", "Lost", "ProjectUse", "RepositoryUse"]
