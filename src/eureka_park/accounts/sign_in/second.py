"""The second step: a code of a program on one's telephone, or one of ten recovery codes on paper."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts.core.entrance import wait_after_s
from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.core.totp import DIGITS, SECRET_BYTES, link_of, matching_step, shown
from eureka_park.accounts.ground import SECRET_CHARS_MAX
from eureka_park.accounts.sign_in import store
from eureka_park.accounts.sign_in.ground import N_SECOND_TRIES, Browser, Entrance, Opened
from eureka_park.foundation.errors import BadInput, Conflict, NotFound, RateLimited, Unauthorised

if TYPE_CHECKING:
    from sqlalchemy import Connection

ISSUER: Final = "Eureka Park"
N_RECOVERY: Final = 10
_RECOVERY_BYTES: Final = 10  # 80 bits: not to be guessed, whoever reads the database
_NONCE_BYTES: Final = 12


class SecondStep:
    """Codes after a password or a link. A passkey, and a provider elsewhere, need none."""

    def __init__(self, entrance: Entrance) -> None:
        self._in = entrance

    # -- signing in ----------------------------------------------------------------------------------------------------
    def finish(self, flow: str, code: str, browser: Browser) -> Opened:
        """Sign in with the second step's code. Raises Unauthorised: `bad_code`, or `bad_flow` when the first step is
        too long ago or there were too many tries.
        """
        entrance, flow = self._in, flow[:SECRET_CHARS_MAX]
        opened, is_over = None, False
        with entrance.ground.db.write() as conn:
            found = store.flow_of(conn, flow, ["totp"], entrance.now_s)
            person_id = found.person_id if found is not None else None
            if found is None or person_id is None or not entrance.may_enter(conn, person_id):
                is_over = True
            elif self._is_right(conn, person_id, code):
                entrance.take(conn, flow, "totp")
                store.set_guesses(conn, person_id, 0, None)
                method = f"{found.payload['method']}+code"[:16]
                opened = entrance.open(conn, person_id, method, browser, found.payload["next"])
            else:
                is_over = self._count(conn, flow, dict(found.payload), person_id)
                entrance.refuse(conn, "code", "", person_id)
        if opened is not None:
            return opened
        if is_over:
            raise Unauthorised("The first step is too long ago.", fix="Sign in again.", code="bad_flow")
        raise Unauthorised("This code is not right.", fix="Wait for the next one.", code="bad_code")

    def _count(self, conn: Connection, flow: str, payload: dict[str, Any], person_id: str) -> bool:
        """Count a wrong code; whether that was the last try. Then the password rests for a while too, or who knows it
        would try all codes, a few at a time.
        """
        payload["n"] += 1
        if payload["n"] >= N_SECOND_TRIES:
            self._in.take(conn, flow, "totp")
            row = store.password(conn, person_id)
            n_wrong = N_SECOND_TRIES + (row.n_wrong if row is not None else 0)
            store.set_guesses(conn, person_id, n_wrong, self._in.now_s + wait_after_s(n_wrong))
            return True
        store.change_flow(conn, flow, payload)
        return False

    def _is_right(self, conn: Connection, person_id: str, typed: str) -> bool:
        """Whether a code is right, at a time when one is looked at; wrong ones in a row make one wait, whichever page
        they are typed into and whichever letter or password came before.
        """
        row, now_s = store.second_step(conn, person_id), self._in.now_s
        if row is not None and row.locked_until_s is not None and row.locked_until_s > now_s:
            return False  # not even counted: who guesses on does not lengthen the wait
        is_right = self._fits(conn, person_id, typed)
        n_wrong = 0 if is_right or row is None else row.n_wrong + 1
        wait_s = wait_after_s(n_wrong)
        store.set_code_guesses(conn, person_id, n_wrong, now_s + wait_s if wait_s else None)
        return is_right

    def _fits(self, conn: Connection, person_id: str, typed: str) -> bool:
        letters = plain_code(typed)
        if len(letters) != DIGITS:
            is_used = store.use_recovery_code(conn, person_id, letters, self._in.now_s)
            if is_used:
                self._in.note(conn, "recovery_code.used", person_id)
                self._in.tell(conn, person_id, "way_taken", way="recovery code")
            return is_used
        row = store.second_step(conn, person_id)
        if row is None or row.confirmed_at_s is None:
            return False
        step = matching_step(self._unsealed(row.secret, person_id), letters, self._in.now_s, row.last_step)
        return step is not None and store.use_step(conn, person_id, step)

    # -- setting it up -------------------------------------------------------------------------------------------------
    def begin(self, who: Principal) -> tuple[str, str]:
        """A fresh secret, to be confirmed by a first code: for people who type it, and as an otpauth link."""
        entrance, secret = self._in, self._in.ground.entropy(SECRET_BYTES)
        with entrance.ground.db.write() as conn:
            if store.has_second_step(conn, who.person_id):
                raise Conflict("You have a second step already.", fix="Take it away first.", code="has_second_step")
            store.set_second_step(conn, who.person_id, self._sealed(secret, who.person_id))
        return self._told(who, secret)

    def begun(self, who: Principal) -> tuple[str, str] | None:
        """What `begin` said, until it is confirmed."""
        with self._in.ground.db.read() as conn:
            row = store.second_step(conn, who.person_id)
        if row is None or row.confirmed_at_s is not None:
            return None
        return self._told(who, self._unsealed(row.secret, who.person_id))

    def confirm(self, who: Principal, code: str) -> list[str]:
        """Ask for codes from now on; the recovery codes, shown this once. Raises BadInput for a wrong code."""
        entrance = self._in
        with entrance.ground.db.write() as conn:
            row = store.second_step(conn, who.person_id)
            if row is None or row.confirmed_at_s is not None:
                raise NotFound("No second step was begun.", fix="Begin it anew.", code="no_second_step")
            secret = self._unsealed(row.secret, who.person_id)
            step = matching_step(secret, plain_code(code), entrance.now_s, row.last_step)
            if step is None or not store.use_step(conn, who.person_id, step, entrance.now_s):
                raise BadInput(
                    "This code is not right.", fix="Type the one that is shown now.", code="bad_code", field="code"
                )
            entrance.note(conn, "second_step.added", who.person_id)
            entrance.tell(conn, who.person_id, "way_added", way="TOTP")
            return self._fresh_codes(conn, who.person_id)

    def renew_codes(self, who: Principal, code: str) -> list[str]:
        """Ten fresh recovery codes in the place of those that are left, for a code. Raises BadInput."""
        codes = self._with_code(who, code, lambda conn: self._fresh_codes(conn, who.person_id))
        return list(codes)

    def drop(self, who: Principal, code: str) -> None:
        """Do without a second step from now on, for a code. Raises BadInput."""
        self._with_code(who, code, lambda conn: self._drop(conn, who.person_id))

    def _drop(self, conn: Connection, person_id: str) -> tuple[()]:
        entrance = self._in
        store.drop_second_step(conn, person_id)
        entrance.note(conn, "second_step.taken", person_id)
        entrance.tell(conn, person_id, "way_taken", way="TOTP")
        return ()

    def _with_code(self, who: Principal, code: str, deed: Callable[[Connection], Sequence[str]]) -> Sequence[str]:
        """Do something for a code. A wrong one stays counted: it is no reason to undo the transaction."""
        entrance = self._in
        with entrance.ground.db.write() as conn:
            if self._is_right(conn, who.person_id, code):
                return deed(conn)
            entrance.refuse(conn, "code", "", who.person_id)
            row = store.second_step(conn, who.person_id)
        wait_s = (row.locked_until_s or 0.0) - entrance.now_s if row is not None else 0.0
        if wait_s > 0.0:
            error = RateLimited("Too many wrong codes in a row.", fix=f"Wait {wait_s:.0f} s, then try again.")
            error.retry_after_s = wait_s
            raise error
        raise BadInput("This code is not right.", fix="Wait for the next one.", code="bad_code", field="code")

    def _fresh_codes(self, conn: Connection, person_id: str) -> list[str]:
        codes = [base64.b32encode(self._in.ground.entropy(_RECOVERY_BYTES)).decode().lower() for _ in range(N_RECOVERY)]
        store.set_recovery_codes(conn, person_id, codes)
        self._in.note(conn, "recovery_codes.made", person_id)
        return ["-".join(code[start : start + 4] for start in range(0, len(code), 4)) for code in codes]

    # -- the seal ------------------------------------------------------------------------------------------------------
    def _told(self, who: Principal, secret: bytes) -> tuple[str, str]:
        person = self._in.people.person(who.person_id)
        return shown(secret), link_of(secret, person.email or person.name or person.person_id, ISSUER)

    def _sealed(self, secret: bytes, person_id: str) -> bytes:
        nonce = self._in.ground.entropy(_NONCE_BYTES)
        return nonce + bytes(self._cipher().encrypt(nonce, secret, person_id.encode()))

    def _unsealed(self, sealed: bytes, person_id: str) -> bytes:
        nonce, rest = bytes(sealed[:_NONCE_BYTES]), bytes(sealed[_NONCE_BYTES:])
        secret: bytes = self._cipher().decrypt(nonce, rest, person_id.encode())
        return bytes(secret)

    def _cipher(self) -> Any:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        return AESGCM(hashlib.sha256(b"second step\0" + self._in.key).digest())


def plain_code(typed: str) -> str:
    """What was typed without spaces, dashes and capitals; digits of other scripts as ours."""
    letters = (mark for mark in typed[:SECRET_CHARS_MAX].lower() if mark.isalnum())
    return "".join(str(int(mark)) if mark.isdecimal() else mark for mark in letters)
