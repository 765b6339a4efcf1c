"""What the parts of the ledger stand on: the database, the site's calendar, and who may do what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.core.roles import Act
from eureka_park.foundation.bus import Bus
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import Forbidden
from eureka_park.foundation.ids import ENTROPY_BYTES, new_id
from eureka_park.foundation.zones import ZoneInfo
from eureka_park.ledger.books import store as books
from eureka_park.ledger.core.days import day_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from eureka_park.accounts.service import AccountsService
    from eureka_park.ledger.core.posting import Transaction

Detail = Mapping[str, str | int | float | bool | None]


class Gate(Protocol):
    """Asks accounts whether somebody may, and notes what was done."""

    def park(self, act: Act, who: Principal) -> None:
        """Raise unless `who` may do this to the park."""

    def project(self, act: Act, who: Principal | None, project: str) -> str:
        """Raise unless `who` may do this to a project; the organisation that it belongs to, or ''."""

    def organisation(self, act: Act, who: Principal, organisation: str) -> None:
        """Raise unless `who` may do this to an organisation."""

    def note(self, conn: Connection, act: str, who: Principal | str, thing: str, detail: Detail) -> None:
        """Add an entry to the audit log."""


class ClosedGate:
    """Lets nobody do anything: for a ledger that stands alone."""

    def park(self, act: Act, who: Principal) -> None:
        """Refuse."""
        raise Forbidden(f"{who.person_id} may not {act} here.", fix="Ask the park.")

    def project(self, act: Act, who: Principal | None, project: str) -> str:
        """Refuse."""
        raise Forbidden(f"Nobody may {act} in {project} here.", fix="Ask the park.")

    def organisation(self, act: Act, who: Principal, organisation: str) -> None:
        """Refuse."""
        raise Forbidden(f"{who.person_id} may not {act} {organisation} here.", fix="Ask the park.")

    def note(self, conn: Connection, act: str, who: Principal | str, thing: str, detail: Detail) -> None:
        """There is nothing to note it in."""


@dataclass(frozen=True, slots=True)
class AccountsGate:
    """The gate of a park with accounts."""

    accounts: AccountsService

    def park(self, act: Act, who: Principal) -> None:
        """Raise Forbidden unless `who` may do this to the park."""
        self.accounts.require_park(act, who)

    def project(self, act: Act, who: Principal | None, project: str) -> str:
        """Raise Forbidden or NotFound unless `who` may do this to a project; its organisation, or ''."""
        return self.accounts.require(act, who, project).organisation_id

    def organisation(self, act: Act, who: Principal, organisation: str) -> None:
        """Raise Forbidden or NotFound unless `who` may do this to an organisation."""
        self.accounts.places.organisation(act, who, organisation)

    def note(self, conn: Connection, act: str, who: Principal | str, thing: str, detail: Detail) -> None:
        """Add an entry to the audit log, in the same transaction."""
        self.accounts.audit.note(conn, act, who=who, thing=thing, detail=detail)


@dataclass(slots=True)
class LedgerGround:
    """Shared by the parts of one ledger."""

    db: Database
    zone: ZoneInfo
    clock: Clock
    entropy: Callable[[int], bytes]
    gate: Gate = field(default_factory=ClosedGate)
    bus: Bus = field(default_factory=Bus)

    def new_id(self, prefix: str) -> str:
        """A fresh id."""
        return new_id(prefix, self.entropy(ENTROPY_BYTES))

    def day_of(self, at_s: float) -> int:
        """The day by the site's calendar that holds an instant."""
        return day_of(at_s, self.zone)

    def post(self, conn: Connection, deeds: Sequence[Transaction]) -> int:
        """Book deeds, each once however often it is said; how many were new. Balances and sums by day go with them."""
        unique = {deed.idempotency_key: deed for deed in deeds}
        done = books.known(conn, list(unique))
        fresh = [(deed, self.day_of(deed.at_s)) for key, deed in unique.items() if key not in done]
        books.add(conn, fresh)
        return len(fresh)
