"""Tokens of people and machines: shown once, kept as a hash, good for as much and as long as was asked for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from eureka_park.accounts import store as people
from eureka_park.accounts.core.naming import clean_name
from eureka_park.accounts.core.permissions import Principal, narrowed
from eureka_park.accounts.core.roles import SCOPES, acts_of
from eureka_park.accounts.events import TokenMade
from eureka_park.accounts.ground import SECRET_CHARS_MAX, Ground, no_person
from eureka_park.accounts.secrets import store
from eureka_park.accounts.secrets.store import Token
from eureka_park.foundation.errors import BadInput, Forbidden, NotFound, ParkError, Unauthorised
from eureka_park.foundation.units import DAY_S, HOUR_S

if TYPE_CHECKING:
    from sqlalchemy import Connection

TOKEN_PREFIX: Final = "park_"
TTL_S: Final = 90 * 86400.0  # where nobody says how long
NOTED_EVERY_S: Final = HOUR_S  # when a token was used last is known to the hour


class Tokens:
    """The tokens of one park."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._noted_s: dict[str, float] = {}

    def new(
        self,
        person_id: str,
        label: str,
        *,
        scopes: Iterable[str] | None = None,
        project_id: str = "",
        ttl_s: float | None = None,
        made_by: Principal | str | None = None,
    ) -> tuple[str, Token]:
        """A fresh token, shown this once, and what is kept of it. `scopes` None: all that the person may; `ttl_s` None:
        until it is ended, which is for the park's own machine alone. Raises NotFound for an unknown person, BadInput.
        """
        with self._ground.db.write() as conn:
            return self.add(conn, person_id, label, scopes=scopes, project_id=project_id, ttl_s=ttl_s, made_by=made_by)

    def add(
        self,
        conn: Connection,
        person_id: str,
        label: str,
        *,
        scopes: Iterable[str] | None = None,
        project_id: str = "",
        ttl_s: float | None = None,
        made_by: Principal | str | None = None,
    ) -> tuple[str, Token]:
        """As `new`, inside the caller's transaction."""
        chosen = None if scopes is None else check_scopes(scopes)
        if people.principal(conn, person_id) is None:
            raise no_person(person_id)
        ground, now_s = self._ground, self._ground.clock.real_s()
        secret, end_s = ground.secret(TOKEN_PREFIX), _end_s(now_s, ttl_s, ground.lasting().token_s)
        name = clean_name(label or "token", "label")
        token = Token(ground.fresh_id("token"), person_id, name, chosen, project_id, now_s, end_s, None)
        store.add_token(conn, secret, token)
        detail = {"scopes": "all" if chosen is None else " ".join(chosen), "project": project_id, "until_s": end_s}
        who = made_by or person_id
        ground.audit.note(conn, "token.made", who=who, thing=token.token_id, detail={**detail, "of": person_id})
        maker = who if isinstance(who, str) else who.person_id
        ground.bus.tell(conn, TokenMade(token.token_id, person_id, name, maker, now_s))
        return secret, token

    def principal(self, secret: str) -> Principal:
        """Who presents this token, with what it is good for. Raises Unauthorised."""
        if secret.startswith(TOKEN_PREFIX) and len(secret) <= SECRET_CHARS_MAX:
            now_s = self._ground.clock.real_s()
            with self._ground.db.read() as conn:
                token = store.token_of(conn, secret, now_s)
                who = _holder(conn, token)
            if token is not None and who is not None:
                self._note_use(token, now_s)
                return who
        raise Unauthorised(
            "The token is not one of this park.", fix="Set PARK_TOKEN to a valid token.", code="bad_token"
        )

    def principal_by_id(self, token_id: str) -> Principal:
        """Who holds a token that was presented before, with what both are good for now.

        Raises Unauthorised for one that has ended, and for somebody who is shut out.
        """
        with self._ground.db.read() as conn:
            token = store.token_by_id(conn, token_id)
            who = _holder(conn, token)
        is_over = token is None or (
            token.expires_at_s is not None and token.expires_at_s <= self._ground.clock.real_s()
        )
        if who is None or is_over:
            raise Unauthorised("The token is no longer good.", fix="Make another one.", code="bad_token")
        return who

    def of(self, person_id: str) -> list[Token]:
        """A person's tokens without their secrets, the newest first."""
        with self._ground.db.read() as conn:
            return store.tokens_of(conn, person_id)

    def end(self, who: Principal, token_id: str, *, may_all: bool = False) -> None:
        """End a token of one's own, or anybody's. Raises NotFound for what is not one's to end."""
        with self._ground.db.write() as conn:
            token = store.token_by_id(conn, token_id)
            if token is None or not (may_all or token.person_id == who.person_id):
                raise NotFound(f"There is no token {token_id[:80]}.", fix="See: park token list", code="no_such_token")
            self._drop(conn, token, who)

    def end_secret(self, secret: str) -> None:
        """End the token of this secret; one that is no more is no error."""
        with self._ground.db.write() as conn:
            token = store.token_of(conn, secret[:SECRET_CHARS_MAX], -math.inf)
            if token is not None:
                self._drop(conn, token, token.person_id)

    def end_labelled(self, person_id: str, label: str) -> int:
        """End all tokens of a person that carry this label; how many there were."""
        with self._ground.db.write() as conn:
            found = [token for token in store.tokens_of(conn, person_id) if token.label == label]
            for token in found:
                self._drop(conn, token, person_id)
        return len(found)

    def _drop(self, conn: Connection, token: Token, who: Principal | str) -> None:
        store.drop_token(conn, token.token_id)
        self._ground.audit.note(conn, "token.ended", who=who, thing=token.token_id, detail={"of": token.person_id})

    def _note_use(self, token: Token, now_s: float) -> None:
        """Once an hour; a database that is busy costs only that."""
        last_s = self._noted_s.get(token.token_id, token.last_used_at_s or 0.0)
        if now_s - last_s < NOTED_EVERY_S:
            return
        self._noted_s[token.token_id] = now_s
        with suppress(ParkError), self._ground.db.write() as conn:
            store.use_token(conn, token.token_id, now_s)


def _holder(conn: Connection, token: Token | None) -> Principal | None:
    """Who holds a token, no more than it is good for; None for none, and for somebody who is shut out."""
    who = people.principal(conn, token.person_id) if token is not None else None
    if token is None or who is None:
        return None
    acts = None if token.scopes is None else acts_of(token.scopes)
    return narrowed(who, acts, token.project_id, token.token_id)


def check_wider(who: Principal, scopes: Iterable[str] | None) -> None:
    """Raise Forbidden where a token would be good for more than the one that asks for it."""
    if who.acts is None:
        return
    if scopes is None or not acts_of(check_scopes(scopes)) <= who.acts:
        raise Forbidden(
            "A token cannot make one that is good for more than itself.",
            fix="Sign in with a browser, or name fewer scopes.",
            code="wider_token",
        )


def check_scopes(scopes: Iterable[str]) -> tuple[str, ...]:
    """Scopes in their order, each once. Raises BadInput for none, and for what is no scope."""
    chosen = tuple(dict.fromkeys(scopes))
    wrong = next((scope for scope in chosen if scope not in SCOPES), None)
    if wrong is not None or not chosen:
        raise BadInput(
            f"'{(wrong or '')[:40]}' is no scope of a token.",
            fix=f"Choose among: {', '.join(SCOPES)}.",
            code="bad_scope",
            field="scopes",
        )
    return chosen


def _end_s(now_s: float, ttl_s: float | None, most_s: float) -> float | None:
    if ttl_s is None:
        return None
    if not 0 < ttl_s <= most_s:
        raise BadInput(
            f"A token of this park lasts at most {most_s / DAY_S:.0f} days.", fix="Write how long, as 90d.",
            code="bad_expiry", field="expires",
        )  # fmt: skip
    return now_s + ttl_s
