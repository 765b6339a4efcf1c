"""People say themselves whereto their pay goes; of others only the bank's file reads it."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.core.naming import clean_name
from eureka_park.accounts.core.permissions import Principal, may
from eureka_park.accounts.core.roles import Act
from eureka_park.accounts.events import PayeeChanged
from eureka_park.accounts.ground import Ground
from eureka_park.accounts.payees import store
from eureka_park.accounts.payees.store import Payee
from eureka_park.accounts.sealing import Cipher
from eureka_park.foundation.bank_numbers import check_iban, hidden_iban
from eureka_park.foundation.errors import Forbidden, NotFound
from eureka_park.foundation.units import iso_from_s

if TYPE_CHECKING:
    from sqlalchemy import Connection

FRESH_S: Final = 3 * 86400.0  # whoever got into an account of others is noticed before money goes
SEALED: Final = "sealed:"
HOLDER_CHARS_MAX: Final = 70  # as long as banks take a name


class Payees:
    """Bank accounts of the people of one park. IBANs are sealed by the park's `key`; rows of old hold them in clear."""

    def __init__(self, ground: Ground, key: bytes) -> None:
        self._ground = ground
        self._cipher = Cipher(key, b"payees", ground.entropy)

    def set(self, who: Principal, iban: str, holder: str) -> dict[str, Any]:
        """Say whereto one's own pay goes. Raises BadInput for what is no IBAN or no name, Forbidden."""
        _check(who)
        made = Payee(
            who.person_id, clean_name(holder)[:HOLDER_CHARS_MAX], check_iban(iban), self._ground.clock.real_s()
        )
        with self._ground.db.write() as conn:
            store.save(conn, self._sealed(made))
            self._ground.audit.note(conn, "payee.set", who=who, thing=who.person_id)
            self._ground.bus.tell(conn, PayeeChanged(who.person_id, hidden_iban(made.iban), made.changed_at_s))
        return payee_view(made)

    def drop(self, who: Principal) -> None:
        """Forget one's own bank account. Raises NotFound where there is none."""
        _check(who)
        with self._ground.db.write() as conn:
            if not store.drop(conn, who.person_id):
                raise NotFound("No bank account is kept.", fix="Nothing is to do.", code="no_bank_account")
            self._ground.audit.note(conn, "payee.dropped", who=who, thing=who.person_id)

    def mine(self, who: Principal) -> dict[str, Any] | None:
        """One's own bank account as it is shown; None where none is kept."""
        _check(who)
        with self._ground.db.read() as conn:
            found = self._known(conn, [who.person_id]).get(who.person_id)
        return payee_view(found) if found is not None else None

    def forget(self, conn: Connection, person_id: str) -> None:
        """Somebody is erased: their bank account goes with them."""
        store.drop(conn, person_id)

    def exported(self, person_id: str) -> dict[str, Any] | None:
        """All that is kept, for the person themselves."""
        with self._ground.db.read() as conn:
            found = self._known(conn, [person_id]).get(person_id)
        if found is None:
            return None
        return {"holder": found.holder, "iban": found.iban, "changed_at": iso_from_s(found.changed_at_s)}

    def of(self, conn: Connection, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """Name and IBAN by person, for the bank's file alone."""
        return {name: {"name": item.holder, "iban": item.iban} for name, item in self._known(conn, ids).items()}

    def fresh(self, conn: Connection, ids: Sequence[str]) -> Set[str]:
        """Those of some people whose account was named or changed a short while ago: nothing is paid there yet."""
        since_s = self._ground.clock.real_s() - FRESH_S
        return {name for name, item in store.of(conn, ids).items() if item.changed_at_s > since_s}

    # -- seals ---------------------------------------------------------------------------------------------------------
    def _sealed(self, payee: Payee) -> Payee:
        return replace(payee, iban=SEALED + self._cipher.seal(payee.iban.encode(), payee.person_id))

    def _known(self, conn: Connection, ids: Sequence[str]) -> dict[str, Payee]:
        """Accounts by person, in clear; what another key has sealed is as if nobody had said it."""
        found: dict[str, Payee] = {}
        for name, item in store.of(conn, ids).items():
            try:
                found[name] = self._open(item)
            except ValueError:
                continue
        return found

    def _open(self, payee: Payee) -> Payee:
        if not payee.iban.startswith(SEALED):
            return payee
        return replace(payee, iban=self._cipher.unseal(payee.iban.removeprefix(SEALED), payee.person_id).decode())


def payee_view(payee: Payee) -> dict[str, Any]:
    """A bank account as its owner is shown it: the ends of its number are enough to know it by."""
    return {
        "holder": payee.holder, "iban": hidden_iban(payee.iban), "changed_at": iso_from_s(payee.changed_at_s),
    }  # fmt: skip


def _check(who: Principal) -> None:
    answer = may(Act.ACCOUNT, who, None)
    if not answer.is_allowed:
        raise Forbidden(answer.why, fix=answer.fix)
