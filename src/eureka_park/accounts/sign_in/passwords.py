"""Passwords: Argon2id, the same work for people who are not there, waits after wrong ones."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts import store as people_store
from eureka_park.accounts.core.entrance import check_password, cut_password, plain_password, wait_after_s
from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.sign_in import store
from eureka_park.accounts.sign_in.ground import Browser, Entrance, NeedTotp, Opened, bad_sign_in, not_offered
from eureka_park.foundation.errors import BadInput, Unavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection

MEMORY_KIB: Final = 19_456  # OWASP's figures: 19 MiB, two rounds, one lane
ROUNDS: Final = 2
_AT_ONCE: Final = 2  # hashes; forty guesses at once must not fill the memory
_WAIT_S: Final = 10.0
_COSTS: Final = re.compile(r"\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$")


class Hasher:
    """Argon2id as PHC strings. Raises Unavailable where too many ask at once."""

    def __init__(self, entropy: Callable[[int], bytes], memory_kib: int = MEMORY_KIB, rounds: int = ROUNDS) -> None:
        self._entropy, self._memory_kib, self._rounds = entropy, memory_kib, rounds
        self._room = threading.BoundedSemaphore(_AT_ONCE)

    def hashed(self, password: str) -> str:
        """A password with a fresh salt."""
        with self._turn():
            phc = self._kdf(self._entropy(16)).derive_phc_encoded(plain_password(password).encode("utf-8", "replace"))
        return str(phc)

    def is_right(self, password: str, phc: str) -> bool:
        """Whether this is the password that was hashed."""
        from cryptography.exceptions import InvalidKey
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

        with self._turn():
            try:
                Argon2id.verify_phc_encoded(plain_password(password).encode("utf-8", "replace"), phc)
            except (InvalidKey, ValueError):
                return False
        return True

    def is_old(self, phc: str) -> bool:
        """Whether it was hashed with less work than now."""
        found = _COSTS.match(phc)
        return found is None or int(found[1]) < self._memory_kib or int(found[2]) < self._rounds

    @cached_property
    def nobodys(self) -> str:
        """What a password is compared with where there is nobody: the same work, never right."""
        return self.hashed(self._entropy(32).hex())

    def _kdf(self, salt: bytes) -> Any:
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

        return Argon2id(salt=salt, length=32, iterations=self._rounds, lanes=1, memory_cost=self._memory_kib)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._room.acquire(timeout=_WAIT_S):
            raise Unavailable("Too many people sign in at this moment.", fix="Try again in a minute.", code="busy")
        try:
            yield
        finally:
            self._room.release()


class Passwords:
    """Signing in with a password, and setting one."""

    def __init__(self, entrance: Entrance, hasher: Hasher) -> None:
        self._in, self._hasher = entrance, hasher

    def start(self, email: str, password: str, browser: Browser, next_path: str = "/") -> Opened | NeedTotp:
        """Sign in, or go on to the second step. Raises Unauthorised in the same words and after the same work whoever
        it was; Forbidden where passwords are not offered.
        """
        entrance, password = self._in, cut_password(password)
        if not entrance.settings().has_passwords:
            raise not_offered("passwords")
        nobodys = self._hasher.nobodys
        with entrance.ground.db.read() as conn:
            person = entrance.people.by_email(conn, email)
            row = store.password(conn, person.person_id) if person else None
        is_right = self._hasher.is_right(password, row.phc if row is not None else nobodys)
        fresh = self._hasher.hashed(password) if is_right and row is not None and self._hasher.is_old(row.phc) else None
        done: Opened | NeedTotp | None = None
        with entrance.ground.db.write() as conn:
            if person is not None and row is not None and self._counted(conn, person.person_id, is_right, fresh):
                done = entrance.open_or_ask(conn, person.person_id, "password", browser, next_path)
            else:
                entrance.refuse(conn, "password", email, person.person_id if person else "")
        if done is None:
            raise bad_sign_in()
        return done

    def change(self, who: Principal, old: str, new: str, but_session: str = "") -> None:
        """Set one's password, with the old one where there is one; all other sessions end. Raises BadInput."""
        entrance = self._in
        with entrance.ground.db.read() as conn:
            row = store.password(conn, who.person_id)
        if row is not None and not self._is_mine(who.person_id, old, row.phc):
            raise BadInput(
                "This is not your password.", fix="Type the present one.", code="wrong_password", field="old"
            )
        self.set(who.person_id, new, but_session)

    def set(self, person_id: str, new: str, but_session: str = "") -> None:
        """Set somebody's password; their other sessions end. Raises BadInput for one that will not do."""
        entrance = self._in
        phc = self.fit(new, person_id)
        with entrance.ground.db.write() as conn:
            self.set_in(conn, person_id, phc, but_session)

    def fit(self, new: str, person_id: str = "", about: tuple[str, ...] = ()) -> str:
        """A password that will do, hashed. Raises BadInput, Forbidden where passwords are not offered."""
        if not self._in.settings().has_passwords:
            raise not_offered("passwords")
        if person_id:
            person = self._in.people.person(person_id)
            about = (person.name, person.email)
        check_password(new, about)
        return self._hasher.hashed(new)

    def set_in(self, conn: Connection, person_id: str, phc: str, but_session: str = "") -> None:
        """Keep a hashed password inside the caller's transaction; what was begun for them is void: letters that would
        set one or let one in, second steps, another address that was asked for.
        """
        entrance, had = self._in, store.password(conn, person_id) is not None
        store.set_password(conn, person_id, phc, entrance.now_s)
        store.drop_flows(conn, person_id, store.OF_ONE_PERSON)
        entrance.note(conn, "password.changed" if had else "password.set", person_id)
        entrance.sessions.end_all(conn, person_id, but=but_session)
        if had:
            entrance.tell(conn, person_id, "password_changed")

    def _is_mine(self, person_id: str, password: str, phc: str) -> bool:
        is_right = self._hasher.is_right(cut_password(password), phc)
        with self._in.ground.db.write() as conn:
            counted = self._counted(conn, person_id, is_right, None)
            if not counted:
                self._in.refuse(conn, "password", "", person_id)
        return counted

    def _counted(self, conn: Connection, person_id: str, is_right: bool, fresh: str | None) -> bool:
        """Whether a right password came at a time when one is looked at; what is kept of guesses follows."""
        row, now_s = store.password(conn, person_id), self._in.now_s
        if row is None or people_store.principal(conn, person_id) is None:
            return False
        if row.locked_until_s is not None and row.locked_until_s > now_s:
            return False  # not even counted: who guesses on does not lengthen the wait
        if is_right:
            n_wrong = row.n_wrong if store.has_second_step(conn, person_id) else 0  # until that has succeeded too
            if n_wrong != row.n_wrong or fresh is not None:
                store.set_guesses(conn, person_id, n_wrong, None, fresh)
            return True
        wait_s = wait_after_s(row.n_wrong + 1)
        store.set_guesses(conn, person_id, row.n_wrong + 1, now_s + wait_s if wait_s else None)
        return False
