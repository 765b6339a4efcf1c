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


def with_project(accounts: AccountsService, who: Principal | None, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request with the project it means. A newcomer has one project of their own, and names none.

    Raises BadInput (`which_project`) where several would do and the usual one would not.
    """
    if who is None or request.get("project") or accounts.answer(Act.SUBMIT, who, USUAL).is_allowed:
        return request
    seen = [project.project_id for project in accounts.projects(who)]
    mine = [project_id for project_id in seen if accounts.answer(Act.SUBMIT, who, project_id).is_allowed]
    if len(mine) > 1:
        raise BadInput(
            f"The job names no project, and you may send to {len(mine)}.",
            fix=f"Name one with --project: {', '.join(mine[:8])}.", field="project", code="which_project",
        )  # fmt: skip
    return {**request, "project": mine[0]} if mine else request
