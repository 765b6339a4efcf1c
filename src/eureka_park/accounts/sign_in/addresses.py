"""Another e-mail address of one's own: proven by a letter to the new one, told to the old one when it is
asked for and when it is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from eureka_park.accounts import store as people_store
from eureka_park.accounts.core.naming import email_key
from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.sign_in import store
from eureka_park.accounts.sign_in.ground import NOBODYS, Browser, Entrance, Letter, bad_link, no_mail
from eureka_park.foundation.errors import BadInput, Conflict

if TYPE_CHECKING:
    from sqlalchemy import Connection

CHANGE_S: Final = 3600.0
PAGE: Final = "/sign-in/address"
_KIND: Final = "address"


@dataclass(frozen=True, slots=True)
class Change:
    """Whose address is to become which."""

    person_id: str
    name: str
    old: str
    new: str


class Addresses:
    """Changing the address under which letters come."""

    def __init__(self, entrance: Entrance) -> None:
        self._in = entrance

    def ask(self, who: Principal, email: str, browser: Browser) -> None:
        """Send a letter to the new address that ends in the change, and one to the old that tells how to stop it.

        The caller has checked that `who` signed in a short while ago. Whether somebody has that address is told to its
        reader alone, and is the same work.

        Raises BadInput for what is no address or is one's own already, Unavailable without a mail server.
        """
        entrance, key, new = self._in, email_key(email), email.strip()
        if entrance.settings().mail is None:
            raise no_mail()
        with entrance.ground.db.write() as conn:
            person = people_store.person(conn, who.person_id)
            other = people_store.person_by_email(conn, key)
            if person is None or (other is not None and other.person_id == who.person_id and other.email == new):
                raise BadInput("This is your address already.", fix="Type a new one.", code="same_email", field="email")
            store.drop_flows(conn, who.person_id, (_KIND, NOBODYS))
            url, is_free = entrance.settings().url or browser.url, other is None or other.person_id == who.person_id
            code = entrance.begin(conn, _KIND if is_free else NOBODYS, {"email": new}, CHANGE_S, who.person_id)
            kind, link = ("address_change", f"{url}{PAGE}?code={code}") if is_free else ("address_in_use", "")
            entrance.note(conn, "email.asked", who.person_id)
            values = {"name": person.name, "link": link, "park": url}
            entrance.post(conn, Letter(new, kind, person.language, values, who.person_id))
            entrance.tell(conn, who.person_id, "address_asked", new=new, park=url, link=f"{url}/recover")

    def opening(self, code: str) -> Change:
        """What a link is for; it stays good. Raises Unauthorised."""
        flow = self._in.peek(code, _KIND)
        if flow is None or flow.person_id is None:
            raise bad_link()
        person = self._in.people.person(flow.person_id)
        return Change(flow.person_id, person.name, person.email, flow.payload["email"])

    def confirm(self, code: str) -> Change:
        """Make the change; the link is spent. Nobody is signed in by it.

        Raises Unauthorised for a link that is over, Conflict (`email_taken`) where somebody else took the address.
        """
        entrance, done = self._in, None
        with entrance.ground.db.write() as conn:
            flow = entrance.take(conn, code, _KIND)
            if flow is not None and flow.person_id is not None and entrance.may_enter(conn, flow.person_id):
                done = self._changed(conn, flow.person_id, flow.payload["email"])
        if done is None:
            raise bad_link()
        return done

    def _changed(self, conn: Connection, person_id: str, new: str) -> Change | None:
        entrance, person, key = self._in, people_store.person(conn, person_id), email_key(new)
        other = people_store.person_by_email(conn, key)
        if other is not None and other.person_id != person_id:
            raise Conflict("Somebody has this e-mail address already.", fix="Use another.", code="email_taken")
        if person is None:
            return None
        entrance.tell(conn, person_id, "address_changed", new=new)  # to the old one, before it is gone
        people_store.change_person(conn, person_id, email=new, email_key=key)
        entrance.people.verify(conn, person_id, by_email=True)
        store.drop_flows(conn, person_id, ("recover", "link"))  # what lies in the old letters is good for nothing now
        entrance.note(conn, "email.changed", person_id)
        return Change(person_id, person.name, person.email, new)
