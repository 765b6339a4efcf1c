"""Bodies of the API of people, organisations, projects, tokens, sessions and the audit log."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from eureka_park.accounts.core.roles import Act, Role
from eureka_park.web.request_schemas import Body

Name = Annotated[str, Field(min_length=1, max_length=200)]
Id = Annotated[str, Field(min_length=1, max_length=80)]
Scope = Literal["read", "jobs", "data", "manage", "operate", "account", "all"]
OrganisationKind = Literal["university", "startup", "company", "public_body", "individual"]
ActName = Literal[
    "see", "submit", "store", "label", "teach", "review", "see_bill", "spend", "manage", "found", "grant", "price",
    "see_people", "audit", "operate", "account",
]  # fmt: skip
RoleName = Literal["learner", "annotator", "teacher", "reviewer", "member", "lead", "operator", "auditor"]
assert set(ActName.__args__) == set(Act) and {*RoleName.__args__, "visitor"} == set(Role)  # type: ignore[attr-defined]


# -- tokens and sessions -----------------------------------------------------------------------------------------------
class TokenRequest(Body):
    """A token to be made."""

    name: Name = Field(description="What it is for, such as a laptop")
    scopes: list[Scope] | None = Field(None, max_length=6, description="What it is good for; default: read and jobs")
    project: Id | None = Field(None, description="The one project that it is good for; default: all of yours")
    expires: str | None = Field(
        None, max_length=64, description="How long it lasts, such as 30d; default 90d, at most what the operator says"
    )
    of: Id | None = Field(None, description="The machine's account that it is for; default: your own")


class TokenView(BaseModel):
    """A token without its secret."""

    token_id: str
    name: str
    scopes: list[str]
    project: str | None
    created_at: str
    expires_at: str | None
    last_used_at: str | None = Field(description="Known to the hour")


class TokenMade(TokenView):
    """A token, shown this once."""

    token: str


class TokenPage(BaseModel):
    """Tokens, the newest first."""

    items: list[TokenView]
    next: str | None


class SessionView(BaseModel):
    """A browser that is signed in."""

    session_id: str
    method: str
    client: str = Field(description="What the browser calls itself")
    address: str
    created_at: str
    seen_at: str = Field(description="Known to the hour")
    expires_at: str
    is_this: bool


class SessionPage(BaseModel):
    """Sessions, the newest first."""

    items: list[SessionView]
    next: str | None


class Ended(BaseModel):
    """How many were ended."""

    n_ended: int


# -- who may -----------------------------------------------------------------------------------------------------------
class AnswerView(BaseModel):
    """Whether one may, why, and what would change it."""

    is_allowed: bool
    why: str
    code: str
    fix: str
    roles: list[str] = Field(description="Roles there of which one would turn a no into a yes")


class HolderView(BaseModel):
    """Somebody, the role that they hold, where, and through which group (its id, and what it is called)."""

    person_id: str
    name: str
    role: str
    at: str
    through: str
    group: str


class PermissionView(BaseModel):
    """Who may do an act to an object: the rule, the asker's own answer, and everybody who may."""

    act: str
    object: str
    rule: str
    you: AnswerView
    people: list[HolderView] | None = Field(description="Null for whoever may not know who is there")


class RoleAt(BaseModel):
    """A role, and where it is held."""

    role: str
    at: str


class TableRow(BaseModel):
    """The rule of an act on one kind of object, in words and as roles by where they are held."""

    act: str
    of: str
    rule: str
    roles: list[RoleAt]


class PermissionTable(BaseModel):
    """The one table of roles and acts, and what the scopes of tokens are good for."""

    items: list[TableRow]
    scopes: dict[str, list[str]]
    roles_at: dict[str, list[str]]


# -- people ------------------------------------------------------------------------------------------------------------
class PersonRequest(Body):
    """Somebody to be added; the answer has a link with which they come in once."""

    name: Name
    email: str = Field("", max_length=254)
    language: Literal["", "ar_MA", "en", "fr", "zgh"] = ""


class PersonChange(Body):
    """What is to change of a person."""

    name: Name | None = None
    language: Literal["", "ar_MA", "en", "fr", "zgh"] | None = None
    email: str | None = Field(None, max_length=254, description="For operators: another address, '' for none")
    is_disabled: bool | None = Field(None, description="For operators: shut out, or let in again")


class RoleView(BaseModel):
    """A role that somebody holds."""

    role: str
    at: str
    through: str


class PersonView(BaseModel):
    """A person or a machine, as operators and they themselves see them."""

    person_id: str
    name: str
    kind: Literal["person", "service"]
    email: str
    is_verified: bool
    language: str
    responsible_id: str
    created_at: str
    is_disabled: bool
    is_erased: bool
    screened: str
    roles: list[RoleView]


class PersonAdded(PersonView):
    """Somebody new, and the code of a link that signs them in once within 15 minutes."""

    sign_in_code: str


class PersonPage(BaseModel):
    """People by id."""

    items: list[PersonView]
    next: str | None


# -- places ------------------------------------------------------------------------------------------------------------
class ProjectRequest(Body):
    """A project to be begun."""

    project_id: str = Field(max_length=63)
    title: Name
    is_public: bool = False
    organisation: str = Field("", max_length=63)


class ProjectChange(Body):
    """What is to change of a project."""

    title: Name | None = None
    is_public: bool | None = None
    is_closed: bool | None = None


class ProjectView(BaseModel):
    """A project."""

    project_id: str
    title: str
    is_public: bool
    is_closed: bool
    organisation: str | None
    created_at: str


class ProjectPage(BaseModel):
    """Projects by id."""

    items: list[ProjectView]
    next: str | None


class HolderPage(BaseModel):
    """People with their roles, in the order in which they came."""

    items: list[HolderView]
    next: str | None


class MachineRequest(Body):
    """An account for a machine."""

    name: Name


class Billing(Body):
    """What invoices need to say."""

    ice: str = Field("", max_length=15, description="Morocco's common identifier of enterprises, 15 digits")
    tax_id: str = Field("", max_length=32)
    email: str = Field("", max_length=254)
    address: str = Field("", max_length=500)
    currency: str = Field("", max_length=3)


class OrganisationRequest(Body):
    """An organisation to be founded."""

    organisation_id: str = Field(max_length=63)
    name: Name
    kind: OrganisationKind
    country: str = Field("", max_length=2)
    billing: Billing | None = None


class OrganisationChange(Body):
    """What is to change of an organisation."""

    name: Name | None = None
    kind: OrganisationKind | None = None
    country: str | None = Field(None, max_length=2)
    billing: Billing | None = None


class OrganisationView(BaseModel):
    """An organisation; `billing` for those who may see its bills."""

    organisation_id: str
    name: str
    kind: str
    country: str
    created_at: str
    billing: dict[str, str] | None


class OrganisationPage(BaseModel):
    """Organisations by id."""

    items: list[OrganisationView]
    next: str | None


# -- invitations and groups --------------------------------------------------------------------------------------------
class InvitationRequest(Body):
    """Somebody to be asked to hold a role."""

    email: str = Field(min_length=1, max_length=254)
    role: RoleName = "member"
    name: str = Field("", max_length=200, description="As the letter greets them; they choose their own")
    language: Literal["", "ar_MA", "en", "fr", "zgh"] = Field("", description="Of the letter")
    days: int = Field(14, ge=1, le=30, description="How long the invitation is good")


class InvitationView(BaseModel):
    """An invitation that nobody has answered."""

    invitation_id: str
    email: str
    name: str
    role: str
    at: str
    invited_by: str
    created_at: str
    expires_at: str


class InvitationMade(InvitationView):
    """A fresh invitation. `link` is there, this once, where the park sends no e-mail."""

    link: str | None


class InvitationPage(BaseModel):
    """Open invitations, the newest first."""

    items: list[InvitationView]
    next: str | None


class GroupRequest(Body):
    """A group to be made."""

    name: Name
    organisation: str = Field("", max_length=63, description="Whose group it is; default: the park's")


class GroupChange(Body):
    """Another name for a group."""

    name: Name


class GroupView(BaseModel):
    """A group of people who hold roles together."""

    group_id: str
    name: str
    organisation: str | None
    created_at: str


class Named(BaseModel):
    """A person by id and name."""

    person_id: str
    name: str


class GroupTold(GroupView):
    """A group with its people, the roles that it holds, and who decides about it."""

    people: list[Named]
    roles: list[RoleAt]
    managers: list[Named]


class GroupPage(BaseModel):
    """Groups by name."""

    items: list[GroupView]
    next: str | None


# -- audit -------------------------------------------------------------------------------------------------------------
class AuditEntry(BaseModel):
    """What somebody did; ids only. `seq` is its place in the chain, null until it is sealed."""

    entry_id: int
    at: str
    who: str
    act: str
    thing: str
    outcome: str
    request_id: str
    address: str = Field(description="A keyed hash: alike for the same address")
    detail: dict[str, Any]
    seq: int | None


class AuditPage(BaseModel):
    """Entries, the newest first."""

    items: list[AuditEntry]
    next: str | None


class AuditCheck(BaseModel):
    """What following the chain found; `fault` is empty when all of it is sound."""

    is_sound: bool
    n_entries: int
    hash: str
    fault: str
    seq: int = Field(description="The first entry that is altered or missing; 0 when none is")
