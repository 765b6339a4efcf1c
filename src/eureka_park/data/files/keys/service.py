"""Access keys: an id and a secret with which S3 clients sign requests, for one person in one project.

A key is good for at most what its person may do there now: roles are looked up with each request, as for a token. The
secret is shown once; it is kept sealed, as a signature can be checked only with the secret itself.
"""

from __future__ import annotations

import base64
import math
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.core.naming import clean_name
from eureka_park.accounts.sealing import Cipher
from eureka_park.accounts.secrets.tokens import NOTED_EVERY_S, TTL_S
from eureka_park.accounts.service import Act, Principal, may
from eureka_park.data.files.ground import Ground
from eureka_park.data.files.keys import store
from eureka_park.data.files.keys.store import AccessKey
from eureka_park.data.repositories.access import is_inside
from eureka_park.foundation.errors import BadInput, Conflict, Forbidden, NotFound, ParkError, Unauthorised
from eureka_park.foundation.units import DAY_S

if TYPE_CHECKING:
    from sqlalchemy import Connection

READ, WRITE = "read", "write"
SCOPES: Final = {READ: frozenset({Act.SEE}), WRITE: frozenset({Act.SEE, Act.STORE})}
KEYS_MAX: Final = 100  # of a person in a project
_PREFIX: Final = "PARK"
_ID_BYTES, _SECRET_BYTES = 10, 30
_KEPT_S: Final = 30 * DAY_S  # how long an ended key is still listed


@dataclass(frozen=True, slots=True)
class KeyOf:
    """A key that signs a request: who it acts as, narrowed to its project and scope, and the secret to check with."""

    principal: Principal
    project_id: str
    scope: str
    access_key_id: str
    secret: str = field(repr=False)


class AccessKeys:
    """The access keys of one park."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._cipher = Cipher(ground.accounts.key, b"access_keys", ground.entropy)
        self._noted_s: dict[str, float] = {}

    def new(
        self,
        who: Principal,
        project_id: str,
        label: str = "",
        *,
        scope: str = WRITE,
        ttl_s: float | None = None,
        of: str = "",
    ) -> tuple[AccessKey, str]:
        """A fresh key and its secret, shown this once. `of`: a machine that one answers for, '' for oneself; `ttl_s`
        None: 90 days.

        Raises BadInput (`bad_scope`, `bad_expiry`), Forbidden (`wider_token`; what one may not do there), NotFound,
        Conflict (`too_many_keys`).
        """
        ground, accounts = self._ground, self._ground.accounts
        accounts.require_park(Act.ACCOUNT, who)
        acts = _acts(scope)
        if who.acts is not None and not acts <= who.acts:
            raise Forbidden(
                "A token cannot make a key that is good for more than itself.", fix="Use a token for data.",
                code="wider_token",
            )  # fmt: skip
        project = accounts.require(Act.STORE if scope == WRITE else Act.SEE, who, project_id)
        if not is_inside(who, project):
            raise Forbidden("Keys are for those who hold a role in the project.", fix="Ask its lead for one.")
        if of and of != who.person_id:
            accounts.places.require_answers_for(who, of)
        now_s, secret = ground.now_s(), base64.b64encode(ground.entropy(_SECRET_BYTES)).decode()
        made = AccessKey(
            _PREFIX + base64.b32encode(ground.entropy(_ID_BYTES)).decode(), of or who.person_id, project_id,
            clean_name(label or "access key", "label"), scope, now_s, self._end_s(now_s, ttl_s),
        )  # fmt: skip
        with ground.db.write() as conn:
            store.drop_ended(conn, made.person_id, now_s - _KEPT_S)
            if len(store.of_person(conn, made.person_id, project_id)) >= KEYS_MAX:
                raise Conflict(
                    f"There are {KEYS_MAX} keys already.", fix="See: park files key ls", code="too_many_keys"
                )
            store.add(conn, made, self._cipher.seal(secret.encode(), made.access_key_id))
            detail: dict[str, str | int | float | bool | None] = {
                "of": made.person_id, "project": project_id, "scope": scope, "until_s": made.expires_at_s,
            }  # fmt: skip
            accounts.audit.note(conn, "access_key.made", who=who, thing=made.access_key_id, detail=detail)
        return made, secret

    def _end_s(self, now_s: float, ttl_s: float | None) -> float:
        most_s = self._ground.accounts.lasting().token_s
        lasts_s = min(TTL_S, most_s) if ttl_s is None else ttl_s
        if not 0 < lasts_s <= most_s:
            raise BadInput(
                f"A key of this park lasts at most {most_s / DAY_S:.0f} days.", fix="Write how long, as 90d.",
                code="bad_expiry", field="expires",
            )  # fmt: skip
        return now_s + lasts_s

    def all(self, who: Principal, project_id: str = "") -> list[AccessKey]:
        """One's own keys, of all projects or one; of a project that one manages, everybody's. The newest first."""
        with self._ground.db.read() as conn:
            if project_id and self._ground.accounts.answer(Act.MANAGE, who, project_id).is_allowed:
                return store.of_project(conn, project_id)
            return store.of_person(conn, who.person_id, project_id)

    def end(self, who: Principal, access_key_id: str) -> None:
        """End a key of one's own, or of a project that one manages. Raises NotFound for others, Forbidden."""
        with self._ground.db.write() as conn:
            found = store.find(conn, access_key_id) if _is_id(access_key_id) else None
            key = found[0] if found is not None else None
            if key is None or not self._may_end(who, key):
                raise NotFound(
                    f"There is no access key {access_key_id[:40]!a}.", fix="See: park files key ls", code="no_such_key"
                )
            store.drop(conn, access_key_id)
            detail = {"of": key.person_id, "project": key.project_id}
            self._ground.accounts.audit.note(conn, "access_key.ended", who=who, thing=access_key_id, detail=detail)

    def exported(self, person_id: str) -> list[dict[str, Any]]:
        """Somebody's keys, for themselves; no secrets."""
        with self._ground.db.read() as conn:
            return [asdict(key) for key in store.of_person(conn, person_id)]

    def forget(self, conn: Connection, person_id: str) -> None:
        """Somebody is erased: their keys go with them."""
        store.drop_ended(conn, person_id, math.inf)

    def _may_end(self, who: Principal, key: AccessKey) -> bool:
        is_own = key.person_id == who.person_id and may(Act.ACCOUNT, who, None).is_allowed
        return is_own or self._ground.accounts.answer(Act.MANAGE, who, key.project_id).is_allowed

    def key_of(self, access_key_id: str) -> KeyOf:
        """Who signs with this key, and the secret to check with. The request is theirs only once the signature fits:
        call `used` then. Raises Unauthorised (`bad_access_key`) for one that is none or has ended, and where its person
        is shut out.
        """
        with self._ground.db.read() as conn:
            found = store.find(conn, access_key_id) if _is_id(access_key_id) else None
            who = self._principal(conn, found[0]) if found is not None else None
        if found is None or who is None or found[0].expires_at_s <= self._ground.now_s():
            raise Unauthorised("This is no access key of this park.", fix="Make another one.", code="bad_access_key")
        key, sealed = found
        try:
            secret = self._cipher.unseal(sealed, key.access_key_id).decode()
        except ValueError:
            raise Unauthorised(
                "The key cannot be read with the park's own key.", fix="Make another one.", code="bad_access_key"
            ) from None
        return KeyOf(who, key.project_id, key.scope, key.access_key_id, secret)

    def _principal(self, conn: Connection, key: AccessKey) -> Principal | None:
        accounts = self._ground.accounts
        return accounts.principal_for(conn, key.person_id, SCOPES[key.scope], key.project_id, key.access_key_id)

    def used(self, key: KeyOf) -> None:
        """Note that a key was used, once an hour; a database that is busy costs only that."""
        now_s = self._ground.now_s()
        if now_s - self._noted_s.get(key.access_key_id, 0.0) < NOTED_EVERY_S:
            return
        self._noted_s[key.access_key_id] = now_s
        with suppress(ParkError), self._ground.db.write() as conn:
            store.use(conn, key.access_key_id, now_s)


def _acts(scope: str) -> frozenset[Act]:
    if scope not in SCOPES:
        raise BadInput(
            f"{scope[:40]!a} is no scope of a key.", fix=f"Choose among: {', '.join(SCOPES)}.", code="bad_scope",
            field="scope",
        )  # fmt: skip
    return SCOPES[scope]


def _is_id(text: str) -> bool:
    return len(text) <= 32 and text.isascii() and text.isalnum()
