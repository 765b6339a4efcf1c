"""Signing in at an OpenID Connect provider: code flow with PKCE, the ID token checked, roles by the groups there.

What was begun is bound to the browser by a cookie, ends once, and lasts ten minutes. A provider's word on an e-mail
address joins nobody to an account that is there, unless the operator trusts it with that.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import quote

from eureka_park.accounts import store as people_store
from eureka_park.accounts.core.entrance import safe_next
from eureka_park.accounts.core.naming import clean_name
from eureka_park.accounts.core.oidc import (
    ALGORITHMS,
    Endpoints,
    Identity,
    authorization_url,
    bad_flow,
    check_answer,
    check_claims,
    endpoints_of,
    identity_of,
    roles_for,
)
from eureka_park.accounts.core.permissions import Principal
from eureka_park.accounts.core.roles import Role
from eureka_park.accounts.events import RoleGiven, RoleTaken
from eureka_park.accounts.last import NEEDED, has_holder
from eureka_park.accounts.places import Places
from eureka_park.accounts.settings_file import Provider
from eureka_park.accounts.sign_in import store
from eureka_park.accounts.sign_in.ground import Browser, Entrance, Opened, not_offered
from eureka_park.foundation.errors import BadInput, Conflict, Forbidden, NotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection

FLOW_S: Final = 600.0
BACK: Final = "/sign-in/with/{provider}/back"
_KNOWN_S: Final = 3600.0  # how long a provider's description and keys are believed
_ANEW_S: Final = 60.0  # keys are asked for anew at most so often, for a token signed by a fresh one
_KEY_TYPES: Final = frozenset({"RSA", "EC", "OKP"})


class Line(Protocol):
    """The line to providers. Raises Unavailable."""

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Any:
        """The JSON at an address."""

    def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Any:
        """The JSON that answers a form; Unauthorised (`bad_flow`) where it is refused."""


class Providers:
    """Identities elsewhere. `secret(provider_id)` is the park's own there, '' for a public client."""

    def __init__(self, entrance: Entrance, places: Places, line: Line, secret: Callable[[str], str]) -> None:
        self._in, self._places, self._line, self._secret = entrance, places, line, secret
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, Endpoints]] = {}
        self._keys: dict[str, tuple[float, Any]] = {}

    def start(
        self, provider_id: str, browser: Browser, next_path: str, who: Principal | None = None
    ) -> tuple[str, str]:
        """Where the browser goes, and the secret that it brings back (a cookie). `who`: whose identity it is to become.

        Raises Forbidden for no provider of this park, Unavailable where it does not answer.
        """
        provider, entrance = self._provider(provider_id), self._in
        there = self._endpoints(provider)
        state, nonce, verifier = (entrance.ground.secret() for _ in range(3))
        payload = {
            "provider": provider_id, "state": state, "nonce": nonce, "verifier": verifier,
            "next": safe_next(next_path), "joins": who is not None,
        }  # fmt: skip
        with entrance.ground.db.write() as conn:
            flow = entrance.begin(conn, "oidc", payload, FLOW_S, who.person_id if who else None)
        url = authorization_url(
            there, client_id=provider.client_id, back=self._back(provider_id, browser), scopes=provider.scopes,
            state=state, nonce=nonce, verifier=verifier,
        )  # fmt: skip
        return url, flow

    def finish(self, provider_id: str, query: Mapping[str, str], flow: str, browser: Browser) -> Opened:
        """Sign in by a provider's answer. What was begun is over, however this ends.

        Raises Unauthorised (`bad_flow`), Conflict (`email_taken`), Forbidden (`no_account`), Unavailable.
        """
        provider, entrance = self._provider(provider_id), self._in
        with entrance.ground.db.write() as conn:
            begun = entrance.take(conn, flow, "oidc")
            if begun is None or begun.payload["provider"] != provider_id:
                entrance.refuse(conn, "oidc", query.get("state", ""))
                begun = None
        if begun is None:
            raise bad_flow("Nothing was begun in this browser, or it was ended before.")
        there = self._endpoints(provider)
        code = check_answer(query, begun.payload["state"], there)
        identity = self._identity(provider, there, code, begun.payload, browser)
        with entrance.ground.db.write() as conn:
            person_id = self._whose(conn, provider, identity, begun.person_id)
            self._set_roles(conn, provider, person_id, identity)
            now_s = entrance.now_s
            store.see_identity(conn, provider_id, identity.subject, person_id, identity.email, identity.groups, now_s)
            if not entrance.may_enter(conn, person_id):
                raise _no_account()
            return entrance.open(conn, person_id, f"oidc:{provider_id}"[:16], browser, begun.payload["next"])

    def part(self, who: Principal, provider_id: str) -> None:
        """Have an identity elsewhere be one's no more."""
        with self._in.ground.db.write() as conn:
            if not store.drop_identity(conn, who.person_id, provider_id):
                raise NotFound("You have no identity there.", fix="See your page Security.", code="no_identity")
            self._in.note(conn, "identity.parted", who.person_id, provider=provider_id)
            self._in.tell(conn, who.person_id, "way_taken", way=provider_id)

    # -- who it is -----------------------------------------------------------------------------------------------------
    def _identity(
        self, provider: Provider, there: Endpoints, code: str, begun: Mapping[str, Any], browser: Browser
    ) -> Identity:
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": self._back(provider.provider_id, browser),
            "code_verifier": begun["verifier"],
        }  # fmt: skip
        form, headers = _authenticated(form, provider.client_id, self._secret(provider.provider_id), there.takes_basic)
        tokens = self._line.post(there.token, form, headers)
        if not isinstance(tokens, Mapping) or not isinstance(tokens.get("id_token"), str):
            raise bad_flow("The provider gave no ID token.")
        claims = self._claims(there, tokens["id_token"])
        subject = check_claims(
            claims, issuer=there.issuer, client_id=provider.client_id, nonce=begun["nonce"], now_s=self._in.now_s
        )
        return identity_of(subject, claims, self._more(provider, there, claims, tokens), provider.groups_claim)

    def _more(
        self, provider: Provider, there: Endpoints, claims: Mapping[str, Any], tokens: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """What the provider tells besides, where the ID token does not hold all that is wanted."""
        wanted = {"email", "email_verified", "name", *([provider.groups_claim] if provider.roles else [])}
        token = tokens.get("access_token")
        if wanted <= set(claims) or not there.userinfo or not isinstance(token, str):
            return {}
        found = self._line.get(there.userinfo, {"Authorization": f"Bearer {token}"})
        return found if isinstance(found, Mapping) else {}

    def _claims(self, there: Endpoints, token: str) -> Mapping[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError

        for is_anew in (False, True):
            try:
                decoded = jwt.decode(token, self._key_set(there, is_anew=is_anew), algorithms=list(ALGORITHMS))
            except (JoseError, ValueError, TypeError, KeyError):
                continue
            return decoded.claims
        raise bad_flow("The provider's token is not signed by it.")

    def _key_set(self, there: Endpoints, *, is_anew: bool) -> Any:
        from joserfc.jwk import KeySet

        now_s = self._in.now_s
        with self._lock:
            at_s, keys = self._keys.get(there.keys, (float("-inf"), None))
        if now_s - at_s > (_ANEW_S if is_anew else _KNOWN_S):
            found = self._line.get(there.keys)
            given = found.get("keys", []) if isinstance(found, Mapping) else []
            fit = [
                key for key in given
                if isinstance(key, dict) and key.get("kty") in _KEY_TYPES and key.get("use", "sig") == "sig"
            ]  # fmt: skip
            keys = KeySet.import_key_set({"keys": fit})
            with self._lock:
                self._keys[there.keys] = (now_s, keys)
        return keys

    # -- who that is here ----------------------------------------------------------------------------------------------
    def _whose(self, conn: Connection, provider: Provider, identity: Identity, joins: str | None) -> str:
        entrance = self._in
        known = store.identity(conn, provider.provider_id, identity.subject)
        if joins is not None:
            if known is not None and known != joins:
                raise Conflict(
                    "This identity is somebody else's here.", fix="Sign in with it instead.", code="email_taken"
                )
            if known is None:
                self._join(conn, provider, joins)
            return joins
        if known is not None:
            return known
        person = entrance.people.by_email(conn, identity.email) if identity.is_email_verified else None
        if person is None:
            return self._new_person(conn, provider, identity)
        if not provider.links_by_email:
            raise Conflict(
                "Somebody has an account with this address already.",
                fix="Sign in to it, then connect the two on its page Security.", code="email_taken",
            )  # fmt: skip
        self._join(conn, provider, person.person_id)
        return person.person_id

    def _join(self, conn: Connection, provider: Provider, person_id: str) -> None:
        entrance = self._in
        if not entrance.may_enter(conn, person_id):
            raise _no_account()
        entrance.people.verify(conn, person_id, by_email=False)
        entrance.note(conn, "identity.joined", person_id, provider=provider.provider_id)
        entrance.tell(conn, person_id, "way_added", way=provider.title)

    def _new_person(self, conn: Connection, provider: Provider, identity: Identity) -> str:
        if not provider.makes_people:
            raise _no_account()
        people, email = self._in.people, identity.email if identity.is_email_verified else ""
        try:
            name = clean_name(identity.name)
        except BadInput:
            name = clean_name(f"{provider.title} {identity.subject[:8]}".encode("ascii", "ignore").decode() or "new")
        try:
            return people.add_in(conn, name, email=email, is_verified=True)
        except BadInput:  # an address that passes for another's is left out
            return people.add_in(conn, name, is_verified=True)

    def _set_roles(self, conn: Connection, provider: Provider, person_id: str, identity: Identity) -> None:
        """Give what the groups there give here, and take back what this provider gave before; other roles stay."""
        giver, now_s, ground = f"oidc:{provider.provider_id}", self._in.now_s, self._in.ground
        given = {(Role(role), scope) for role, scope in store.roles_given_by(conn, person_id, giver)}
        wanted = {item for item in roles_for(identity.groups, provider.roles) if self._is_there(conn, item[1])}
        for role, scope in sorted(wanted - given):
            if not people_store.give_role(conn, person_id, role, scope, now_s, giver):
                continue  # people gave it before, and theirs it stays
            detail = {"role": str(role), "scope": scope, "by": giver}
            ground.audit.note(conn, "role.given", who=person_id, thing=person_id, detail=detail)
            ground.bus.tell(conn, RoleGiven(person_id, str(role), scope, now_s))
        for role, scope in sorted(given - wanted):
            if role in NEEDED and not has_holder(conn, role, scope, but=person_id):
                continue  # somebody must hold it
            people_store.take_role(conn, person_id, role, scope)
            detail = {"role": str(role), "scope": scope, "by": giver}
            ground.audit.note(conn, "role.taken", who=person_id, thing=person_id, detail=detail)
            ground.bus.tell(conn, RoleTaken(person_id, str(role), scope, now_s))

    def _is_there(self, conn: Connection, scope: str) -> bool:
        try:
            self._places.thing_in(conn, scope)
        except (NotFound, BadInput):
            return False
        return True

    # -- the provider --------------------------------------------------------------------------------------------------
    def _provider(self, provider_id: str) -> Provider:
        found = self._in.settings().provider(provider_id)
        if found is None:
            raise not_offered(f"provider {provider_id[:31]}")
        return found

    def _endpoints(self, provider: Provider) -> Endpoints:
        now_s = self._in.now_s
        with self._lock:
            at_s, known = self._known.get(provider.issuer, (float("-inf"), None))
        if known is None or now_s - at_s > _KNOWN_S:
            issuer = provider.issuer
            known = endpoints_of(issuer, self._line.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration"))
            with self._lock:
                self._known[provider.issuer] = (now_s, known)
        return known

    def _back(self, provider_id: str, browser: Browser) -> str:
        return (self._in.settings().url or browser.url) + BACK.format(provider=provider_id)


def _authenticated(
    form: dict[str, str], client_id: str, secret: str, takes_basic: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """The form and the headers by which the park says who it is (RFC 6749, 2.3.1)."""
    if not secret:
        return {**form, "client_id": client_id}, {}
    if not takes_basic:
        return {**form, "client_id": client_id, "client_secret": secret}, {}
    pair = f"{quote(client_id, safe='')}:{quote(secret, safe='')}"
    return form, {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _no_account() -> Forbidden:
    return Forbidden(
        "Nobody here belongs to this identity, and it may not make an account.", fix="Ask an operator.",
        code="no_account",
    )  # fmt: skip


__all__ = ["BACK", "Line", "Providers"]
