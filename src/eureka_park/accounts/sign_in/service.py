"""How people come in: `passwords`, `second` (codes after a password), `letters` (e-mail), `addresses` (another e-mail
address), `invitations`, `providers` (OpenID Connect), `devices` (terminals), `passkeys`.

Every success opens a session with a fresh secret; every failure is noted without what was typed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.settings_file import Provider, Settings
from eureka_park.accounts.sign_in import store
from eureka_park.accounts.sign_in.addresses import Addresses
from eureka_park.accounts.sign_in.devices import Devices
from eureka_park.accounts.sign_in.ground import Browser, Entrance, Letter, NeedTotp, Opened
from eureka_park.accounts.sign_in.invitations import Invitations
from eureka_park.accounts.sign_in.letters import Letters
from eureka_park.accounts.sign_in.passkeys import Passkeys
from eureka_park.accounts.sign_in.passwords import Hasher, Passwords
from eureka_park.accounts.sign_in.providers import Line, Providers
from eureka_park.accounts.sign_in.second import SecondStep
from eureka_park.foundation.errors import Conflict

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.accounts.service import AccountsService

RECENT_S = 1800.0  # how long after signing in one may change the ways in


@dataclass(frozen=True, slots=True)
class Methods:
    """What a park offers to somebody who wants in."""

    has_passwords: bool
    has_passkeys: bool
    has_mail: bool
    may_sign_up: bool
    providers: tuple[Provider, ...]


@dataclass(frozen=True, slots=True)
class Ways:
    """In which ways a person can sign in now."""

    has_password: bool
    has_second_step: bool
    n_recovery_codes: int
    passkeys: tuple[Any, ...]  # rows: credential_id, label, created_at_s, last_used_at_s
    identities: tuple[Any, ...]  # rows: provider, email, last_seen_at_s


class SignIn:
    """The entrance of one park. `settings()` are the operator's as of now, `post(conn, letter)` queues and sends."""

    def __init__(
        self,
        accounts: AccountsService,
        *,
        key: bytes,
        settings: Callable[[], Settings],
        post: Callable[[Connection, Letter], None],
        line: Line,
        provider_secret: Callable[[str], str],
        hasher: Hasher | None = None,
    ) -> None:
        ground = accounts.ground
        self.entrance = Entrance(ground, accounts.people, accounts.sessions, key, settings, post)
        self.settings = settings
        self.passwords = Passwords(self.entrance, hasher or Hasher(ground.entropy))
        self.second = SecondStep(self.entrance)
        self.letters = Letters(self.entrance, self.passwords)
        self.addresses = Addresses(self.entrance)
        self.invitations = Invitations(self.entrance, accounts.places, self.passwords)
        self.passkeys = Passkeys(self.entrance)
        self.devices = Devices(self.entrance, accounts.tokens)
        self.providers = Providers(self.entrance, accounts.places, line, provider_secret)

    def methods(self) -> Methods:
        """What this park offers."""
        settings = self.settings()
        has_mail = settings.mail is not None
        may_sign_up = has_mail and settings.sign_up == "open"
        return Methods(settings.has_passwords, settings.has_passkeys, has_mail, may_sign_up, settings.providers)

    def ways(self, who: Principal) -> Ways:
        """In which ways a person can sign in now."""
        person_id = who.person_id
        with self.entrance.ground.db.read() as conn:
            return Ways(
                store.password(conn, person_id) is not None,
                store.has_second_step(conn, person_id),
                store.n_recovery_codes(conn, person_id),
                tuple(store.passkeys_of(conn, person_id)),
                tuple(store.identities_of(conn, person_id)),
            )

    def check_other_way(self, who: Principal) -> None:
        """Raise Conflict where one way in is the only one that a person has: it may not be taken away."""
        ways, person = self.ways(who), self.entrance.people.person(who.person_id)
        has_letters = bool(person.email) and self.settings().mail is not None
        if ways.has_password + has_letters + len(ways.passkeys) + len(ways.identities) < 2:
            raise Conflict("This is your only way to sign in.", fix="Add another one first.", code="last_way")

    def is_recent(self, who: Principal, session: str) -> bool:
        """Whether that person opened the session a short while ago: what lets one in is changed by who has just proved
        it, in a browser. A token proves nothing, whatever session comes with it.
        """
        return not who.token_id and self.entrance.sessions.age_s(who.person_id, session) <= RECENT_S


__all__ = ["Browser", "Letter", "Methods", "NeedTotp", "Opened", "SignIn", "Ways"]
