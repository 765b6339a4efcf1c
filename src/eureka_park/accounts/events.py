"""What accounts tell other rooms. Everything is named by id."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PersonAdded:
    """Somebody has an account now."""

    person_id: str
    at_real_s: float


@dataclass(frozen=True, slots=True)
class PersonVerified:
    """It is known that this is a person who answers under an address, or somebody's at a provider elsewhere."""

    person_id: str
    at_real_s: float


@dataclass(frozen=True, slots=True)
class PersonErased:
    """The park has forgotten who this was."""

    person_id: str
    at_real_s: float


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Somebody has opened a session: how, with which browser, from which network address."""

    person_id: str
    method: str
    client: str
    address: str
    at_real_s: float


@dataclass(frozen=True, slots=True)
class TokenMade:
    """A token is good for what a person may."""

    token_id: str
    person_id: str
    name: str
    made_by: str
    at_real_s: float


@dataclass(frozen=True, slots=True)
class RoleGiven:
    """A person or a group holds a role at a scope now."""

    holder_id: str
    role: str
    scope: str
    at_real_s: float


@dataclass(frozen=True, slots=True)
class RoleTaken:
    """A person or a group holds a role no more."""

    holder_id: str
    role: str
    scope: str
    at_real_s: float


@dataclass(frozen=True, slots=True)
class ProjectMade:
    """There is a new project."""

    project_id: str
    organisation_id: str
    made_by: str
    at_real_s: float


@dataclass(frozen=True, slots=True)
class PayeeChanged:
    """Somebody's pay goes to another bank account now; `shown`: the ends of its number."""

    person_id: str
    shown: str
    at_real_s: float
