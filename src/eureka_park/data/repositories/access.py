"""Who may do what with a repository: the table of roles at its project, and what the repository itself opens."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from eureka_park.accounts.service import Act, Organisation, Principal, Project, may
from eureka_park.data.core.repository import Gate, Repository, Visibility
from eureka_park.foundation.errors import Forbidden, NotFound


class Want(StrEnum):
    """What somebody wants with a repository."""

    KNOW = "know"  # that it is there, its name and settings
    READ = "read"  # its files
    WRITE = "write"
    MANAGE = "manage"  # settings, name, end


def can_know(who: Principal | None, repository: Repository, project: Project) -> bool:
    """Whether a repository is there for somebody."""
    if repository.visibility is Visibility.PUBLIC or is_inside(who, project):
        return True
    if repository.visibility is Visibility.PRIVATE or not project.organisation_id:
        return False
    organisation = Organisation(project.organisation_id, "", "", 0.0)
    return may(Act.SEE, who, organisation).is_allowed


def is_inside(who: Principal | None, project: Project) -> bool:
    """Whether somebody sees the project by a role, not because it is public."""
    return may(Act.SEE, who, replace(project, is_public=False)).is_allowed


def require(
    want: Want, who: Principal | None, repository: Repository, project: Project, *, is_let_in: bool = False
) -> None:
    """Raise NotFound for what is not there for `who`, Forbidden (`gated`) for what they may know but not that.

    `is_let_in`: whether a request of theirs at the gate was accepted.
    """
    if not can_know(who, repository, project):
        raise no_repository(repository.full_name)
    if want is Want.READ and repository.gate is not Gate.OPEN and not is_let_in and not is_inside(who, project):
        raise Forbidden(
            f"Who wants to read {repository.full_name} has to ask for it.",
            fix="Ask for access, then wait for the answer." if who else "Sign in, then ask for access.",
            code="gated",
        )
    if want in (Want.WRITE, Want.MANAGE):
        answer = may(Act.STORE if want is Want.WRITE else Act.MANAGE, who, project)
        if not answer.is_allowed:
            raise Forbidden(answer.why, fix=answer.fix)


def no_repository(name: str) -> NotFound:
    """The same answer for what is not there and for what one may not know of."""
    return NotFound(
        f"There is no repository {name[:200]!a} that you can see.",
        fix="Check its name and kind, or use a token of somebody who sees its project.",
        code="no_such_repository",
    )
