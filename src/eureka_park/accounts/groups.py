"""Groups: people who hold roles together. Who leads the organisation of a group decides who is in it; those of the park
itself are looked after by its operators.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eureka_park.accounts import store
from eureka_park.accounts.core.naming import clean_name
from eureka_park.accounts.core.permissions import AT_PARK, Principal, Thing, may, scope_of
from eureka_park.accounts.core.roles import Act, Kind, Role
from eureka_park.accounts.events import RoleTaken
from eureka_park.accounts.ground import Ground
from eureka_park.accounts.last import somebody_stays
from eureka_park.accounts.places import Places, require
from eureka_park.accounts.store import Group
from eureka_park.foundation.errors import BadInput, Forbidden, NotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection

MEMBERS_MAX: Final = 5_000


@dataclass(frozen=True, slots=True)
class Told:
    """A group with the people in it (id, name), the roles it holds, and who decides about it (id, name)."""

    group: Group
    people: tuple[tuple[str, str], ...]
    roles: tuple[tuple[Role, str], ...]
    managers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HoldingGroup:
    """A group that holds a role somewhere."""

    group_id: str
    name: str
    role: Role


class Groups:
    """The groups of one park. `who` is checked by the table of roles in every call."""

    def __init__(self, ground: Ground, places: Places) -> None:
        self._ground, self._places = ground, places

    # -- looking -------------------------------------------------------------------------------------------------------
    def of(self, who: Principal) -> list[Group]:
        """The groups that `who` may know of, by name: their own, those of their organisations; operators all."""
        with self._ground.db.read() as conn:
            mine = store.groups_with(conn, who.person_id)
            return [item for item in store.all_groups(conn) if self._may_see(conn, who, item, mine)]

    def told(self, who: Principal, group_id: str) -> Told:
        """A group with all that belongs to it. Raises NotFound, alike for one that is hidden."""
        with self._ground.db.read() as conn:
            found = self._seen(conn, who, group_id)
            people = store.people_in(conn, group_id)
            held = tuple(store.held_by(conn, group_id))
            decides = self._decided_by(conn, found)
        managers = self._places.who_can(*decides)
        return Told(found, tuple(people), held, tuple((item.person_id, item.name) for item in managers))

    def may_manage(self, who: Principal | None, group: Group) -> bool:
        """Whether `who` decides about a group."""
        with self._ground.db.read() as conn:
            act, thing = self._decided_by(conn, group)
        return may(act, who, thing).is_allowed

    def holding(self, scope: str) -> list[HoldingGroup]:
        """The groups that hold a role at a scope, by name. The caller checks who may know."""
        with self._ground.db.read() as conn:
            return [HoldingGroup(*row) for row in store.groups_holding(conn, scope)]

    # -- changing ------------------------------------------------------------------------------------------------------
    def new(self, who: Principal, name: str, organisation_id: str = "") -> str:
        """A group of an organisation or of the park; its id. Raises Forbidden, NotFound, BadInput."""
        group_id, clean = self._ground.fresh_id("group"), clean_name(name)
        with self._ground.db.write() as conn:
            if organisation_id:
                self._places.organisation_in(conn, Act.MANAGE, who, organisation_id)
            else:
                require(Act.OPERATE, who, None)
            store.add_group(conn, group_id, clean, organisation_id, self._ground.clock.real_s())
            at = scope_of(Kind.ORGANISATION, organisation_id) if organisation_id else AT_PARK
            self._ground.audit.note(conn, "group.made", who=who, thing=group_id, detail={"at": at})
        return group_id

    def rename(self, who: Principal, group_id: str, name: str) -> None:
        """Give a group another name. Raises NotFound, Forbidden, BadInput."""
        clean = clean_name(name)
        with self._ground.db.write() as conn:
            self._managed(conn, who, group_id)
            store.rename_group(conn, group_id, clean)
            self._ground.audit.note(conn, "group.renamed", who=who, thing=group_id)

    def put_in(self, who: Principal, group_id: str, person_id: str) -> None:
        """Put a person into a group: from then on they hold its roles. Raises NotFound, Forbidden, BadInput."""
        with self._ground.db.write() as conn:
            self._managed(conn, who, group_id)
            self._places.check_person(conn, person_id)
            if len(store.people_in(conn, group_id)) >= MEMBERS_MAX:
                raise BadInput(f"A group has at most {MEMBERS_MAX} people.", fix="Make another.", code="group_full")
            if store.join_group(conn, group_id, person_id, self._ground.clock.real_s()):
                self._ground.audit.note(conn, "group.joined", who=who, thing=group_id, detail={"person": person_id})

    def take_out(self, who: Principal, group_id: str, person_id: str) -> None:
        """Take a person out of a group; everybody may leave one. Raises NotFound, Forbidden, Conflict (`last_lead`,
        `last_operator`) where nobody else would hold what somebody must hold.
        """
        with self._ground.db.write() as conn:
            if person_id == who.person_id and may(Act.ACCOUNT, who, None).is_allowed:
                self._seen(conn, who, group_id)
            else:
                self._managed(conn, who, group_id)
            with somebody_stays(conn, store.held_by(conn, group_id)):
                if not store.leave_group(conn, group_id, person_id):
                    raise NotFound("They are not in this group.", fix="List who is in it.", code="no_such_person")
            self._ground.audit.note(conn, "group.left", who=who, thing=group_id, detail={"person": person_id})

    def end(self, who: Principal, group_id: str) -> None:
        """End a group with the roles it holds. Raises NotFound, Forbidden, Conflict as `take_out`."""
        ground = self._ground
        with ground.db.write() as conn:
            self._managed(conn, who, group_id)
            held = store.held_by(conn, group_id)
            with somebody_stays(conn, held):
                store.drop_group(conn, group_id)
            for role, scope in held:
                detail = {"role": str(role), "scope": scope}
                ground.audit.note(conn, "role.taken", who=who, thing=group_id, detail=detail)
                ground.bus.tell(conn, RoleTaken(group_id, str(role), scope, ground.clock.real_s()))
            ground.audit.note(conn, "group.ended", who=who, thing=group_id)

    # -- who may -------------------------------------------------------------------------------------------------------
    def _decided_by(self, conn: Connection, group: Group) -> tuple[Act, Thing]:
        """The act, and the object, that allow one to decide about a group."""
        if not group.organisation_id:
            return Act.OPERATE, None
        return Act.MANAGE, store.organisation(conn, group.organisation_id)

    def _may_see(self, conn: Connection, who: Principal, group: Group, mine: Sequence[str]) -> bool:
        if group.group_id in mine and not who.only_project:
            return True
        if may(Act.SEE_PEOPLE, who, None).is_allowed:
            return True
        thing = store.organisation(conn, group.organisation_id) if group.organisation_id else None
        return thing is not None and may(Act.SEE, who, thing).is_allowed

    def _seen(self, conn: Connection, who: Principal, group_id: str) -> Group:
        found = store.group(conn, group_id)
        if found is None or not self._may_see(conn, who, found, store.groups_with(conn, who.person_id)):
            raise NotFound(
                f"There is no group {group_id[:80]} that you can see.", fix="See: park group list", code="no_such_group"
            )
        return found

    def _managed(self, conn: Connection, who: Principal, group_id: str) -> Group:
        found = self._seen(conn, who, group_id)
        act, thing = self._decided_by(conn, found)
        answer = may(act, who, thing)
        if not answer.is_allowed:
            raise Forbidden(answer.why, fix=answer.fix)
        return found
