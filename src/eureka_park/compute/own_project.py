"""Which project a job belongs to that names none: the usual one, or the only one to which somebody may send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.core.roles import Act
from eureka_park.foundation.errors import BadInput

if TYPE_CHECKING:
    from eureka_park.accounts.service import AccountsService

USUAL: Final = "welcome"


def own_project(who: Principal) -> str:
    """The project that somebody new gets, with the first grant in it."""
    return f"try-{who.person_id.removeprefix('person-')}"


def owner_of(project_id: str) -> str:
    """Whose own small project this would be, by its id; '' for one that is called otherwise."""
    return f"person-{project_id.removeprefix('try-')}" if project_id.startswith("try-") else ""


def may_send_to(accounts: AccountsService, who: Principal) -> list[str]:
    """The projects to which somebody may send jobs: the usual one, those of others, their own small one last."""
    own = own_project(who)
    seen = [project.project_id for project in accounts.projects(who)]
    mine = [project_id for project_id in seen if accounts.answer(Act.SUBMIT, who, project_id).is_allowed]
    return sorted(mine, key=lambda project_id: (project_id != USUAL, project_id == own, project_id))


def with_project(accounts: AccountsService, who: Principal | None, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request with the project it means. Whoever is in one project beside their own small one means that one; a
    newcomer has none but that.

    Raises BadInput (`which_project`) where several would do and the usual one would not.
    """
    if who is None or request.get("project") or accounts.answer(Act.SUBMIT, who, USUAL).is_allowed:
        return request
    mine = may_send_to(accounts, who)
    n_of_others = sum(project_id != own_project(who) for project_id in mine)
    if n_of_others > 1:
        raise BadInput(
            f"The job names no project, and you may send to {len(mine)}.",
            fix=f"Name one with --project: {', '.join(mine[:8])}.", field="project", code="which_project",
        )  # fmt: skip
    return {**request, "project": mine[0]} if mine else request
