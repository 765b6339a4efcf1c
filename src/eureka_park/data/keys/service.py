"""Use cases of confidential projects: their contents lie sealed under a key of their own.

The key of a project is random and made once; it is wrapped by its keeper: the park itself, a key service of the
operator's (KMS), or the customer, who lends it for a while. Whoever destroys it makes all that lies under it
unreadable, in copies of the store too; only a backup of the database from before still has the wrapped key.
"""

from __future__ import annotations

import base64
import binascii
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from eureka_park.accounts.sealing import Cipher
from eureka_park.accounts.service import AccountsService, Act, Principal
from eureka_park.data.keys import store
from eureka_park.data.keys.ports import Keeper
from eureka_park.data.keys.store import KeyRow
from eureka_park.foundation.clock import Clock
from eureka_park.foundation.database import Database
from eureka_park.foundation.errors import BadInput, Conflict, Forbidden, NotFound, Unavailable
from eureka_park.foundation.units import DAY_S

if TYPE_CHECKING:
    from sqlalchemy import Connection

KEY_BYTES: Final = 32
LENT_S_MAX: Final = 7 * DAY_S
REMEMBERED_S: Final = 5.0  # a key that was taken back is forgotten within so many real seconds in every process
_REALM_BYTES: Final = 5


class KeeperKind(StrEnum):
    """Who keeps the key of a project."""

    PARK = "park"
    KMS = "kms"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Confidential:
    """How a project's contents are sealed. `is_open`: whether the park can read them now."""

    project_id: str
    keeper: KeeperKind
    made_at_s: float
    is_open: bool
    open_until_s: float | None
    open_job_id: str | None
    destroyed_at_s: float | None


class ParkKeeper:
    """Wraps with the park's own key."""

    def __init__(self, key: bytes, entropy: Callable[[int], bytes]) -> None:
        self._cipher = Cipher(key, b"keys of projects", entropy)

    def wrap(self, key: bytes, about: str) -> str:
        """The key, sealed."""
        return self._cipher.seal(key, about)

    def unwrap(self, wrapped: str, about: str) -> bytes:
        """What was sealed. Raises ValueError."""
        return self._cipher.unseal(wrapped, about)


class KeysService:
    """Keys of confidential projects. `is_empty(conn, project_id)`: whether a project holds nothing yet."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        accounts: AccountsService,
        entropy: Callable[[int], bytes],
        kms: Keeper | None = None,
    ) -> None:
        self._db, self._clock, self._accounts, self._entropy = db, clock, accounts, entropy
        self._park = ParkKeeper(accounts.key, entropy)
        self._keepers: Mapping[str, Keeper] = {KeeperKind.PARK: self._park, **({KeeperKind.KMS: kms} if kms else {})}
        self._realms: dict[str, str] = {}  # of confidential projects: never taken back
        self._keys: dict[str, tuple[bytes, float]] = {}
        self._lock = threading.Lock()
        self.is_empty: Callable[[Connection, str], bool] = lambda _conn, _project_id: False

    # -- for the store -------------------------------------------------------------------------------------------------
    def realm(self, project_id: str) -> str:
        """How names of a project's contents begin: '' where it is not confidential."""
        found = self._realms.get(project_id)
        if found is not None:
            return found
        with self._db.read() as conn:
            return self.realm_in(conn, project_id)

    def realm_in(self, conn: Connection, project_id: str) -> str:
        """The same inside a transaction."""
        found = self._realms.get(project_id) or store.realm(conn, project_id)
        if found:
            self._realms[project_id] = found
        return found

    def key_of(self, realm: str) -> bytes:
        """The key of a realm. Raises Forbidden (`project_locked`), NotFound (`key_destroyed`), Unavailable."""
        now_s = self._clock.real_s()
        with self._lock:
            key, until_s = self._keys.get(realm, (b"", 0.0))
        if now_s < until_s:
            return key
        with self._db.read() as conn:
            row = store.of_realm(conn, realm)
        if row is None or row.destroyed_at_s is not None:
            raise NotFound("The key of this project was destroyed: its contents are gone.", code="key_destroyed")
        key = self._unwrapped(row, now_s)
        until_s = min(now_s + REMEMBERED_S, row.open_until_s or now_s + REMEMBERED_S)
        with self._lock:
            self._keys[realm] = (key, until_s)
        return key

    def _unwrapped(self, row: KeyRow, now_s: float) -> bytes:
        if row.keeper == KeeperKind.CUSTOMER:
            if row.open_key is None or (row.open_until_s or 0.0) <= now_s:
                raise Forbidden(
                    f"The project {row.project_id} is locked: its key is not here.",
                    fix=f"Its lead opens it: park data key unlock {row.project_id}",
                    code="project_locked",
                )
            return self._opened(self._park, row.open_key, _open_about(row.project_id))
        return self._opened(self._keeper(row.keeper), row.wrapped_key, _about(row.project_id))

    def _opened(self, keeper: Keeper, wrapped: str, about: str) -> bytes:
        try:
            return keeper.unwrap(wrapped, about)
        except ValueError:
            raise Unavailable(
                "The key of the project cannot be opened.",
                fix="Bring back the key with which it was wrapped (keys/secret.key, or that of the key service).",
                code="key_unreadable",
            ) from None

    def _keeper(self, kind: str) -> Keeper:
        found = self._keepers.get(kind)
        if found is None:
            raise Unavailable("This park has no key service.", fix="Set PARK_KMS to its command.", code="keeper_silent")
        return found

    # -- for people ----------------------------------------------------------------------------------------------------
    def state(self, who: Principal | None, project_id: str) -> Confidential | None:
        """How a project's contents are sealed; None where they lie in clear. Raises Forbidden, NotFound."""
        self._accounts.require(Act.SEE, who, project_id)
        with self._db.read() as conn:
            row = store.of_project(conn, project_id)
        return None if row is None else self._told(row)

    def _told(self, row: KeyRow) -> Confidential:
        is_lent = row.open_until_s is not None and row.open_until_s > self._clock.real_s()
        is_open = row.destroyed_at_s is None and (row.keeper != KeeperKind.CUSTOMER or is_lent)
        until_s = row.open_until_s if is_lent else None
        job_id = row.open_job_id if is_lent else None
        return Confidential(
            row.project_id, KeeperKind(row.keeper), row.made_at_s, is_open, until_s, job_id, row.destroyed_at_s
        )

    def begin(self, who: Principal, project_id: str, keeper: str, customer_key: bytes = b"") -> Confidential:
        """Have all that a project will hold lie sealed, for ever; `customer_key`: 32 bytes where the customer keeps it.

        Raises BadInput, Conflict (`not_empty`, `confidential`) for a project that holds something or has a key,
        Forbidden, Unavailable for a silent key service.
        """
        self._accounts.require(Act.MANAGE, who, project_id)
        kind = _kind(keeper)
        key, realm = self._entropy(KEY_BYTES), f"{self._entropy(_REALM_BYTES).hex()}:"
        if kind is KeeperKind.CUSTOMER:
            wrapped = self._customer(customer_key).seal(key, _about(project_id))
        else:
            wrapped = self._keeper(kind).wrap(key, _about(project_id))
        row = KeyRow(project_id, realm, str(kind), wrapped, self._clock.real_s(), who.person_id)
        with self._db.write() as conn:
            if store.of_project(conn, project_id) is not None:
                raise Conflict(f"The project {project_id} has a key already.", code="confidential")
            if not self.is_empty(conn, project_id):
                raise Conflict(
                    f"The project {project_id} holds contents in clear.",
                    fix="Begin a new project for what is confidential, then send it there.",
                    code="not_empty",
                )
            store.add(conn, row)
            self._accounts.audit.note(
                conn, "project.sealed", who=who, thing=f"project:{project_id}", detail={"keeper": str(kind)}
            )
        return self._told(row)

    def unlock(
        self, who: Principal, project_id: str, customer_key: bytes, for_s: float, job_id: str = ""
    ) -> Confidential:
        """Lend the park the customer's key for a while; where a job is named, no longer than until it is over and its
        outputs are kept. Raises BadInput, Forbidden (`wrong_key`), NotFound.
        """
        self._accounts.require(Act.STORE, who, project_id)
        if not 0.0 < for_s <= LENT_S_MAX:
            raise BadInput("A key is lent for up to seven days.", fix="Name a shorter time.", field="for_s")
        cipher = self._customer(customer_key)
        with self._db.write() as conn:
            row = self._lent(conn, project_id)
            try:
                key = cipher.unseal(row.wrapped_key, _about(project_id))
            except ValueError:
                raise Forbidden(
                    f"This is not the key of {project_id}.", fix="Use the one that sealed it.", code="wrong_key"
                ) from None
            until_s = self._clock.real_s() + for_s
            sealed = self._park.wrap(key, _open_about(project_id))
            store.change(conn, project_id, open_key=sealed, open_until_s=until_s, open_job_id=job_id or None)
            self._note(conn, "project.unlocked", who, project_id)
            found = store.of_project(conn, project_id)
        assert found is not None
        return self._told(found)

    def lock(self, who: Principal, project_id: str) -> None:
        """Take the lent key back; other processes forget it within five seconds. Raises Forbidden, NotFound."""
        self._accounts.require(Act.STORE, who, project_id)
        with self._db.write() as conn:
            row = self._lent(conn, project_id)
            store.close(conn, [project_id])
            self._note(conn, "project.locked", who, project_id)
        self._forget(row.realm)

    def rewrap(self, who: Principal, project_id: str, keeper: str) -> Confidential:
        """Have a key that the park or its key service keeps wrapped anew, by either. Raises as `begin`."""
        self._accounts.require(Act.MANAGE, who, project_id)
        kind = _kind(keeper)
        with self._db.read() as conn:
            row = self._row(conn, project_id)
        if KeeperKind.CUSTOMER in (kind, row.keeper):
            raise BadInput(
                "Only the park and its key service can give a key to each other.",
                fix="Begin a new project for another keeper.",
                field="keeper",
            )
        wrapped = self._keeper(kind).wrap(self._unwrapped(row, self._clock.real_s()), _about(project_id))
        with self._db.write() as conn:
            self._row(conn, project_id)
            store.change(conn, project_id, keeper=str(kind), wrapped_key=wrapped)
            self._note(conn, "project.rewrapped", who, project_id)
            return self._told(self._row(conn, project_id))

    def destroy(self, who: Principal, project_id: str, confirm: str) -> Confidential:
        """Destroy a project's key: nothing that it holds can ever be read again. `confirm`: its id once more.

        Raises BadInput, Forbidden, NotFound.
        """
        self._accounts.require(Act.MANAGE, who, project_id)
        if confirm != project_id:
            raise BadInput("The project is not named again.", fix="Write its id once more.", field="confirm")
        with self._db.write() as conn:
            row = self._row(conn, project_id)
            gone = {"wrapped_key": "", "open_key": None, "open_until_s": None, "open_job_id": None}
            store.change(conn, project_id, destroyed_at_s=self._clock.real_s(), **gone)
            self._note(conn, "project.key_destroyed", who, project_id)
            found = store.of_project(conn, project_id)
        self._forget(row.realm)
        assert found is not None
        return self._told(found)

    def close_over(self, is_over: Callable[[str], bool] = lambda _job_id: False) -> int:
        """Forget lent keys whose time or whose job is over; how many. One process calls this, each second."""
        with self._db.read() as conn:
            rows = store.lent(conn)
        now_s = self._clock.real_s()
        over = [
            row
            for row in rows
            if (row.open_until_s or 0.0) <= now_s or (row.open_job_id is not None and is_over(row.open_job_id))
        ]
        if not over:
            return 0
        with self._db.write() as conn:
            current = {row.project_id: row for row in store.lent(conn)}
            names = [row.project_id for row in over if current.get(row.project_id) == row]
            for name in names:
                self._accounts.audit.note(conn, "project.locked", thing=f"project:{name}")
            return store.close(conn, names)

    def _row(self, conn: Connection, project_id: str) -> KeyRow:
        row = store.of_project(conn, project_id)
        if row is None or row.destroyed_at_s is not None:
            raise NotFound(f"The project {project_id} has no key.", fix="See: park data key", code="no_key")
        return row

    def _lent(self, conn: Connection, project_id: str) -> KeyRow:
        row = self._row(conn, project_id)
        if row.keeper != KeeperKind.CUSTOMER:
            raise Conflict(f"The key of {project_id} is not kept by a customer.", code="not_lent")
        return row

    def _customer(self, key: bytes) -> Cipher:
        if len(key) != KEY_BYTES:
            raise BadInput(
                f"A key has {KEY_BYTES} bytes.", fix="Make one: park data key new FILE", code="bad_key", field="key"
            )
        return Cipher(key, b"customer's key", self._entropy)

    def _forget(self, realm: str) -> None:
        with self._lock:
            self._keys.pop(realm, None)

    def _note(self, conn: Connection, act: str, who: Principal, project_id: str) -> None:
        self._accounts.audit.note(conn, act, who=who, thing=f"project:{project_id}")


def key_of_text(text: str) -> bytes:
    """A key from the text of its file. Raises BadInput."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadInput("The key is not in base 64.", fix="Send the text of its file.", field="key") from None


def _kind(text: str) -> KeeperKind:
    try:
        return KeeperKind(text)
    except ValueError:
        choices = ", ".join(KeeperKind)
        raise BadInput(f"{text[:40]!a} keeps no keys.", fix=f"Choose among: {choices}.", field="keeper") from None


def _about(project_id: str) -> str:
    return f"key of {project_id}"


def _open_about(project_id: str) -> str:
    return f"lent key of {project_id}"


__all__ = ["KEY_BYTES", "Confidential", "KeeperKind", "KeysService", "key_of_text"]
