"""Who may do what, as one function that also says why: the answer is data, and pages and errors print its sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from eureka_park.foundation.errors import BadInput

_PROJECT_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


class Act(StrEnum):
    """What a person may want to do."""

    SEE = "see"  # a project's jobs, logs, receipts and outputs
    SUBMIT = "submit"  # run jobs in a project and cancel them
    OPERATE = "operate"  # run the park itself


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who is signed in. `projects` are those the person is a member of."""

    person_id: str
    name: str
    is_operator: bool
    projects: frozenset[str]


@dataclass(frozen=True, slots=True)
class Project:
    """A project: jobs run in one, and who sees them follows from it."""

    project_id: str
    title: str
    is_public: bool
    created_at_s: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether it is allowed, and the one sentence that says why."""

    is_allowed: bool
    why: str


def may(act: Act, who: Principal | None, project: Project | None) -> Answer:
    """Whether `who` (None: nobody signed in) may do `act` in `project` (None: in the park itself)."""
    if act is Act.SEE and project is not None and project.is_public:
        return Answer(True, f"The project {project.project_id} is public.")
    if who is None:
        return Answer(False, "Nobody is signed in.")
    if who.is_operator:
        return Answer(True, f"{who.name} operates this park.")
    if project is None or act is Act.OPERATE:
        return Answer(False, f"{who.name} does not operate this park.")
    if project.project_id in who.projects:
        return Answer(True, f"{who.name} is a member of {project.project_id}.")
    return Answer(False, f"{who.name} is not a member of {project.project_id}.")


def check_project_id(text: str) -> None:
    """Raise BadInput unless the text can name a project: 1 to 63 small letters, digits and inner dashes."""
    if not _PROJECT_ID.fullmatch(text):
        raise BadInput(
            f"'{text[:80]}' cannot name a project.",
            fix="Use 1 to 63 small letters, digits and dashes, with a letter or digit at both ends.",
            code="bad_project",
            field="project",
        )
