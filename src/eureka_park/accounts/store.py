"""Rows of accounts: people, organisations, projects, groups, and who holds which role where.

A person's id is their pseudonym: name and e-mail stand in `people` alone, and erasing a person empties them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Double,
    ForeignKey,
    Index,
    MetaData,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from eureka_park.accounts.core.permissions import (
    AT_PARK,
    Held,
    Organisation,
    Principal,
    Project,
    projects_held,
)
from eureka_park.accounts.core.roles import Role
from eureka_park.foundation.store import insert_or_ignore

metadata = MetaData()

people = Table(
    "people",
    metadata,
    Column("person_id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("created_at_s", Double, nullable=False),
    Column("kind", String(8), nullable=False),  # person, or service: a machine's account
    Column("email", String(254)),
    Column("email_key", String(254)),  # see `core.naming.email_key`
    Column("email_verified_at_s", Double),
    Column("is_verified", Boolean, nullable=False),  # by e-mail, by a provider elsewhere, or by an operator
    Column("language", String(8), nullable=False),
    Column("responsible_id", String(64)),  # who answers for a machine
    Column("disabled_at_s", Double),
    Column("erased_at_s", Double),
    Column("screened", String(8), nullable=False),  # '', clear or refused: see the operator's screening
    Column("screened_at_s", Double),
    Index("people_by_email", "email_key", unique=True),
)
organisations = Table(
    "organisations",
    metadata,
    Column("organisation_id", String(63), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("country", String(2), nullable=False),
    Column("billing", Text, nullable=False),  # JSON: ice, tax_id, email, address, currency
    Column("created_at_s", Double, nullable=False),
)
projects = Table(
    "projects",
    metadata,
    Column("project_id", String(63), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("is_public", Boolean, nullable=False),
    Column("created_at_s", Double, nullable=False),
    Column("organisation_id", ForeignKey("organisations.organisation_id", name="projects_of_organisation")),
    Column("created_by", String(64), nullable=False),
    Column("closed_at_s", Double),
)
groups = Table(
    "people_groups",
    metadata,
    Column("group_id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("organisation_id", ForeignKey("organisations.organisation_id")),
    Column("created_at_s", Double, nullable=False),
)
group_people = Table(
    "group_people",
    metadata,
    Column("group_id", ForeignKey("people_groups.group_id"), primary_key=True),
    Column("person_id", ForeignKey("people.person_id"), primary_key=True, index=True),
    Column("joined_at_s", Double, nullable=False),
)
roles = Table(
    "roles",
    metadata,
    Column("holder_id", String(64), primary_key=True),  # a person or a group
    Column("role", String(16), primary_key=True),
    Column("scope", String(80), primary_key=True),  # park, organisation:ID, project:ID
    Column("since_s", Double, nullable=False),
    Column("given_by", String(64), nullable=False),
    Index("roles_by_scope", "scope", "role"),
)
consents = Table(
    "consents",
    metadata,
    Column("person_id", ForeignKey("people.person_id"), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("version", String(32), primary_key=True),  # of the text that was agreed to
    Column("given_at_s", Double, nullable=False),
    Column("withdrawn_at_s", Double),
)
_PERSONAL: Final[Mapping[str, Any]] = {
    "name": "",
    "email": None,
    "email_key": None,
    "email_verified_at_s": None,
    "language": "",
}


@dataclass(frozen=True, slots=True)
class Person:
    """A person or a machine as the park knows them. `name` and `email` are empty once they are erased."""

    person_id: str
    name: str
    kind: str
    email: str
    is_verified: bool
    language: str
    responsible_id: str
    created_at_s: float
    is_disabled: bool
    is_erased: bool
    screened: str


@dataclass(frozen=True, slots=True)
class Group:
    """People who hold roles together; of an organisation, or ('') of the park."""

    group_id: str
    name: str
    organisation_id: str
    created_at_s: float


# -- people ------------------------------------------------------------------------------------------------------------
def add_person(conn: Connection, person_id: str, name: str, now_s: float, **more: Any) -> None:
    """Add a person; `more` are further columns."""
    row = {
        "person_id": person_id, "name": name, "created_at_s": now_s, "kind": "person", "is_verified": False,
        "language": "", "screened": "", **more,
    }  # fmt: skip
    conn.execute(insert(people), row)


def change_person(conn: Connection, person_id: str, **values: Any) -> bool:
    """Set columns of a person; False where there is none."""
    return conn.execute(update(people).where(people.c.person_id == person_id).values(**values)).rowcount == 1


def empty_person(conn: Connection, person_id: str, now_s: float) -> None:
    """Forget who a person is: the id stays, and stands for nobody."""
    change_person(conn, person_id, **_PERSONAL, is_verified=False, erased_at_s=now_s)
    conn.execute(delete(roles).where(roles.c.holder_id == person_id))
    conn.execute(delete(group_people).where(group_people.c.person_id == person_id))
    conn.execute(delete(consents).where(consents.c.person_id == person_id))


def person(conn: Connection, person_id: str) -> Person | None:
    """A person by id."""
    row = conn.execute(select(people).where(people.c.person_id == person_id)).one_or_none()
    return None if row is None else _person(row)


def person_by_email(conn: Connection, email_key: str) -> Person | None:
    """Whose e-mail address this is."""
    row = conn.execute(select(people).where(people.c.email_key == email_key)).one_or_none()
    return None if row is None else _person(row)


def all_people(conn: Connection, after: str, limit: int, text: str = "") -> list[Person]:
    """People by id after one, whose name or address holds a text."""
    query = select(people).where(people.c.person_id > after, people.c.erased_at_s.is_(None))
    if text:
        like = f"%{text.casefold().replace('%', '').replace('_', '')}%"
        query = query.where(or_(func.lower(people.c.name).like(like), people.c.email_key.like(like)))
    return [_person(row) for row in conn.execute(query.order_by(people.c.person_id).limit(limit))]


def names_of(conn: Connection, ids: Iterable[str]) -> dict[str, str]:
    """The names of people and groups by their ids."""
    wanted = sorted(set(ids))
    found = conn.execute(select(people.c.person_id, people.c.name).where(people.c.person_id.in_(wanted)))
    named = {row.person_id: row.name for row in found}
    rest = conn.execute(select(groups.c.group_id, groups.c.name).where(groups.c.group_id.in_(wanted)))
    return named | {row.group_id: row.name for row in rest}


def first_operator(conn: Connection) -> str | None:
    """The person who has had an account longest of those who operate this park, by themselves or as one of a group."""
    found = {name for name, item in holders(conn, [AT_PARK], kind="person") if item.role is Role.OPERATOR}
    query = select(people.c.person_id).where(people.c.person_id.in_(sorted(found)))
    return conn.execute(query.order_by(people.c.created_at_s, people.c.person_id).limit(1)).scalar()


def counts(conn: Connection) -> tuple[int, int]:
    """How many people and machines have an account, and how many of them are shut out."""
    row = conn.execute(
        select(func.count(), func.count(people.c.disabled_at_s)).where(people.c.erased_at_s.is_(None))
    ).one()
    return int(row[0]), int(row[1])


def principal(conn: Connection, person_id: str) -> Principal | None:
    """A person with all their roles, those of their groups too; None for one who is shut out or erased."""
    row = conn.execute(select(people).where(people.c.person_id == person_id)).one_or_none()
    if row is None or row.disabled_at_s is not None or row.erased_at_s is not None:
        return None
    held = roles_of(conn, person_id)
    is_operator = any(item.role is Role.OPERATOR and item.scope == AT_PARK for item in held)
    return Principal(person_id, row.name, is_operator, projects_held(held), held, row.kind, is_verified=row.is_verified)


def _person(row: Row[Any]) -> Person:
    return Person(
        row.person_id, row.name, row.kind, row.email or "", row.is_verified, row.language, row.responsible_id or "",
        row.created_at_s, row.disabled_at_s is not None, row.erased_at_s is not None, row.screened,
    )  # fmt: skip


# -- roles and groups --------------------------------------------------------------------------------------------------
def roles_of(conn: Connection, person_id: str) -> tuple[Held, ...]:
    """The roles of a person, and those of the groups that they are in."""
    mine = select(group_people.c.group_id).where(group_people.c.person_id == person_id)
    query = select(roles, groups.c.name).outerjoin(groups, groups.c.group_id == roles.c.holder_id)
    query = query.where(or_(roles.c.holder_id == person_id, roles.c.holder_id.in_(mine)))
    rows = conn.execute(query.order_by(roles.c.scope, roles.c.role, roles.c.holder_id))
    return tuple(
        Held(Role(row.role), row.scope, "" if row.holder_id == person_id else row.holder_id, row.name or "")
        for row in rows
    )


def give_role(conn: Connection, holder_id: str, role: Role, scope: str, now_s: float, given_by: str) -> bool:
    """Let somebody hold a role; whether it is new to them: once more changes nothing."""
    if conn.execute(select(1).where(_one_role(holder_id, role, scope))).scalar() is not None:
        return False
    row = {"holder_id": holder_id, "role": str(role), "scope": scope, "since_s": now_s, "given_by": given_by}
    insert_or_ignore(conn, roles, [row])
    return True


def take_role(conn: Connection, holder_id: str, role: Role, scope: str) -> bool:
    """End a role; whether it was held."""
    return conn.execute(delete(roles).where(_one_role(holder_id, role, scope))).rowcount == 1


def _one_role(holder_id: str, role: Role, scope: str) -> ColumnElement[bool]:
    return (roles.c.holder_id == holder_id) & (roles.c.role == str(role)) & (roles.c.scope == scope)


def held_by(conn: Connection, holder_id: str) -> list[tuple[Role, str]]:
    """The roles that a person or a group holds itself, with their scopes."""
    query = select(roles.c.role, roles.c.scope).where(roles.c.holder_id == holder_id)
    return [(Role(row.role), row.scope) for row in conn.execute(query.order_by(roles.c.scope, roles.c.role))]


def holders(conn: Connection, scopes: Sequence[str], kind: str = "") -> list[tuple[str, Held]]:
    """Everybody who holds a role at one of these scopes, the people of groups one by one: (person, what is held).

    `kind`: `person` or `service` alone; '' for both.
    """
    own = select(
        roles.c.holder_id.label("person_id"), roles.c.role, roles.c.scope, roles.c.holder_id.label("via")
    ).join(people, people.c.person_id == roles.c.holder_id)
    through = select(group_people.c.person_id, roles.c.role, roles.c.scope, roles.c.holder_id.label("via")).join(
        group_people, group_people.c.group_id == roles.c.holder_id
    )
    present = people.c.disabled_at_s.is_(None) & people.c.erased_at_s.is_(None)
    present = present & (people.c.kind == kind) if kind else present
    found = []
    for query in (own, through.join(people, people.c.person_id == group_people.c.person_id)):
        named = query.where(roles.c.scope.in_(scopes), present)
        rows = conn.execute(named.order_by(roles.c.since_s, roles.c.holder_id))
        found += [(row[0], Held(Role(row[1]), row[2], "" if row[3] == row[0] else row[3])) for row in rows]
    return found


def add_group(conn: Connection, group_id: str, name: str, organisation_id: str, now_s: float) -> None:
    """Add a group of people."""
    row = {"group_id": group_id, "name": name, "organisation_id": organisation_id or None, "created_at_s": now_s}
    conn.execute(insert(groups), row)


def group(conn: Connection, group_id: str) -> Group | None:
    """A group by id."""
    row = conn.execute(select(groups).where(groups.c.group_id == group_id)).one_or_none()
    return None if row is None else _group(row)


def all_groups(conn: Connection) -> list[Group]:
    """Every group, by name."""
    return [_group(row) for row in conn.execute(select(groups).order_by(groups.c.name, groups.c.group_id))]


def groups_with(conn: Connection, person_id: str) -> list[str]:
    """The groups that a person is in."""
    query = select(group_people.c.group_id).where(group_people.c.person_id == person_id)
    return list(conn.execute(query.order_by(group_people.c.group_id)).scalars())


def groups_holding(conn: Connection, scope: str) -> list[tuple[str, str, Role]]:
    """The groups that hold a role at a scope: (group, name, role)."""
    query = select(groups.c.group_id, groups.c.name, roles.c.role).join(roles, roles.c.holder_id == groups.c.group_id)
    rows = conn.execute(query.where(roles.c.scope == scope).order_by(groups.c.name, roles.c.role))
    return [(row.group_id, row.name, Role(row.role)) for row in rows]


def people_in(conn: Connection, group_id: str) -> list[tuple[str, str]]:
    """The people of a group, in the order in which they came: (person, name)."""
    query = select(people.c.person_id, people.c.name).join(group_people, group_people.c.person_id == people.c.person_id)
    rows = conn.execute(
        query.where(group_people.c.group_id == group_id).order_by(group_people.c.joined_at_s, people.c.name)
    )
    return [(row.person_id, row.name) for row in rows]


def rename_group(conn: Connection, group_id: str, name: str) -> None:
    """Give a group another name."""
    conn.execute(update(groups).where(groups.c.group_id == group_id).values(name=name))


def drop_group(conn: Connection, group_id: str) -> None:
    """Forget a group, who is in it, and the roles that it holds."""
    conn.execute(delete(roles).where(roles.c.holder_id == group_id))
    conn.execute(delete(group_people).where(group_people.c.group_id == group_id))
    conn.execute(delete(groups).where(groups.c.group_id == group_id))


def _group(row: Row[Any]) -> Group:
    return Group(row.group_id, row.name, row.organisation_id or "", row.created_at_s)


def join_group(conn: Connection, group_id: str, person_id: str, now_s: float) -> bool:
    """Put a person into a group; whether they were not in it before."""
    here = (group_people.c.group_id == group_id) & (group_people.c.person_id == person_id)
    if conn.execute(select(1).where(here)).scalar() is not None:
        return False
    insert_or_ignore(conn, group_people, [{"group_id": group_id, "person_id": person_id, "joined_at_s": now_s}])
    return True


def leave_group(conn: Connection, group_id: str, person_id: str) -> bool:
    """Take a person out of a group; whether they were in it."""
    table = group_people.c
    here = (table.group_id == group_id) & (table.person_id == person_id)
    return conn.execute(delete(group_people).where(here)).rowcount == 1


# -- organisations and projects ----------------------------------------------------------------------------------------
def add_organisation(conn: Connection, made: Organisation) -> None:
    """Add an organisation."""
    row = {
        "organisation_id": made.organisation_id, "name": made.name, "kind": made.kind, "country": made.country,
        "billing": json.dumps(dict(made.billing), ensure_ascii=False), "created_at_s": made.created_at_s,
    }  # fmt: skip
    conn.execute(insert(organisations), row)


def change_organisation(conn: Connection, organisation_id: str, **values: Any) -> None:
    """Set columns of an organisation; `billing` is given as a mapping."""
    if "billing" in values:
        values["billing"] = json.dumps(values["billing"], ensure_ascii=False)
    conn.execute(update(organisations).where(organisations.c.organisation_id == organisation_id).values(**values))


def organisation(conn: Connection, organisation_id: str) -> Organisation | None:
    """An organisation by its id."""
    query = select(organisations).where(organisations.c.organisation_id == organisation_id)
    row = conn.execute(query).one_or_none()
    return None if row is None else _organisation(row)


def all_organisations(conn: Connection) -> list[Organisation]:
    """Every organisation by its id."""
    return [_organisation(row) for row in conn.execute(select(organisations).order_by(organisations.c.organisation_id))]


def _organisation(row: Row[Any]) -> Organisation:
    return Organisation(
        row.organisation_id, row.name, row.kind, row.created_at_s, row.country, dict(json.loads(row.billing))
    )


def ensure_project(conn: Connection, project: Project, created_by: str = "") -> None:
    """Add a project unless one of that id is there."""
    row = {
        "project_id": project.project_id,
        "title": project.title,
        "is_public": project.is_public,
        "created_at_s": project.created_at_s,
        "organisation_id": project.organisation_id or None,
        "created_by": created_by,
    }
    insert_or_ignore(conn, projects, [row])


def change_project(conn: Connection, project_id: str, **values: Any) -> None:
    """Set columns of a project."""
    conn.execute(update(projects).where(projects.c.project_id == project_id).values(**values))


def project(conn: Connection, project_id: str) -> Project | None:
    """A project by its id."""
    row = conn.execute(select(projects).where(projects.c.project_id == project_id)).one_or_none()
    return None if row is None else _project(row)


def all_projects(conn: Connection) -> list[Project]:
    """Every project by its id."""
    return [_project(row) for row in conn.execute(select(projects).order_by(projects.c.project_id))]


def _project(row: Row[Any]) -> Project:
    is_closed = row.closed_at_s is not None
    return Project(row.project_id, row.title, row.is_public, row.created_at_s, row.organisation_id or "", is_closed)


# -- consents ----------------------------------------------------------------------------------------------------------
def add_consent(conn: Connection, person_id: str, kind: str, version: str, now_s: float) -> None:
    """Note that a person agreed to a text; once more changes nothing."""
    row = {"person_id": person_id, "kind": kind, "version": version, "given_at_s": now_s}
    insert_or_ignore(conn, consents, [row])


def consents_of(conn: Connection, person_id: str) -> list[dict[str, Any]]:
    """What a person agreed to, and when."""
    query = select(consents).where(consents.c.person_id == person_id).order_by(consents.c.given_at_s)
    return [dict(row._mapping) for row in conn.execute(query)]


def consent_counts(conn: Connection) -> list[dict[str, Any]]:
    """How many agreed to each text and did not withdraw: kind, version, n."""
    table = consents.c
    query = select(table.kind, table.version, func.count().label("n")).where(table.withdrawn_at_s.is_(None))
    rows = conn.execute(query.group_by(table.kind, table.version).order_by(table.kind, table.version))
    return [dict(row._mapping) for row in rows]
