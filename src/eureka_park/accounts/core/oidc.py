"""OpenID Connect without a line to anybody: what is asked of a provider, what its answers must hold, which roles the
groups there give here. Pure: time and chance are arguments.

Sources: OpenID Connect Core 1.0 (3.1), RFC 7636 (PKCE), RFC 9207 (issuer in the answer).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeGuard
from urllib.parse import urlencode, urlsplit

from eureka_park.accounts.core.roles import ROLES_AT, Kind, Role
from eureka_park.foundation.errors import BadInput, Unauthorised, Unavailable

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
SKEW_S: Final = 60.0
SUBJECT_CHARS_MAX: Final = 255
GROUPS_MAX: Final = 1000
_ENDPOINTS: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What a provider says of itself."""

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str
    says_issuer: bool  # in its answer, RFC 9207
    takes_basic: bool  # the secret in a header; else in the body


@dataclass(frozen=True, slots=True)
class Identity:
    """Who somebody is at a provider."""

    subject: str
    name: str
    email: str
    is_email_verified: bool
    groups: tuple[str, ...]


def endpoints_of(issuer: str, found: Any) -> Endpoints:
    """The endpoints in a provider's discovery document. Raises Unavailable for one that is another issuer's or has
    holes: its word is all that stands between a person and a copy of their provider.
    """
    if not isinstance(found, Mapping) or found.get("issuer") != issuer:
        raise _odd("it names another issuer")
    urls = [found.get(name) for name in _ENDPOINTS]
    userinfo = found.get("userinfo_endpoint") or ""
    if not all(isinstance(url, str) and is_fit(url, issuer) for url in (*urls, *([userinfo] if userinfo else []))):
        raise _odd("its endpoints are missing or without TLS")
    ways = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    says = found.get("authorization_response_iss_parameter_supported") is True
    authorization, token, keys = map(str, urls)
    return Endpoints(issuer, authorization, token, keys, str(userinfo), says, "client_secret_basic" in ways)


def is_fit(url: str, issuer: str) -> bool:
    """Whether secrets may be sent to an address: https, or plain http where the issuer itself is on this machine."""
    try:
        parts, home = urlsplit(url), urlsplit(issuer)
    except ValueError:
        return False
    is_local = home.hostname in {"localhost", "127.0.0.1", "::1"} and parts.hostname == home.hostname
    return bool(parts.hostname) and "@" not in parts.netloc and (parts.scheme == "https" or is_local)


def challenge_of(verifier: str) -> str:
    """The PKCE challenge (S256) of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


def authorization_url(
    there: Endpoints, *, client_id: str, back: str, scopes: Sequence[str], state: str, nonce: str, verifier: str
) -> str:
    """Where the browser goes to sign in at the provider."""
    asked = {
        "response_type": "code", "client_id": client_id, "redirect_uri": back, "scope": " ".join(scopes),
        "state": state, "nonce": nonce, "code_challenge": challenge_of(verifier), "code_challenge_method": "S256",
    }  # fmt: skip
    return f"{there.authorization}{'&' if '?' in there.authorization else '?'}{urlencode(asked)}"


def check_answer(query: Mapping[str, str], state: str, there: Endpoints) -> str:
    """The code in a provider's answer. Raises Unauthorised for an answer to no question of this browser, or another
    provider's.
    """
    if not hmac.compare_digest(query.get("state", "").encode(), state.encode()):
        raise bad_flow("The answer is not one to a question of this browser.")
    said = query.get("iss")
    if (said is not None and said != there.issuer) or (said is None and there.says_issuer):
        raise bad_flow("The answer comes from another provider.")
    if query.get("error") == "access_denied":
        raise Unauthorised("Nobody agreed at the provider.", fix="Begin again, or use another way.", code="declined")
    if query.get("error"):
        raise bad_flow(f"The provider signed nobody in ({_plain(query['error'])}).")
    if not query.get("code"):
        raise bad_flow("The answer holds no code.")
    return query["code"]


def check_claims(claims: Mapping[str, Any], *, issuer: str, client_id: str, nonce: str, now_s: float) -> str:
    """The subject of an ID token whose signature was checked. Raises Unauthorised."""
    audience = claims.get("aud")
    audiences = [audience] if isinstance(audience, str) else audience if isinstance(audience, list) else []
    azp = claims.get("azp")
    is_ours = client_id in audiences and (len(audiences) == 1 or azp == client_id) and azp in (None, client_id)
    if claims.get("iss") != issuer or not is_ours:
        raise bad_flow("The provider's token is not meant for this park.")
    ends, made, begins = claims.get("exp"), claims.get("iat"), claims.get("nbf", 0)
    if not (_is_number(ends) and _is_number(made) and _is_number(begins)):
        raise bad_flow("The provider's token has no times.")
    if not _is_now(ends, max(made, begins), now_s):
        raise bad_flow("The provider's token has ended or not begun; compare the clocks.")
    if not isinstance(claims.get("nonce"), str) or not hmac.compare_digest(claims["nonce"].encode(), nonce.encode()):
        raise bad_flow("The provider's token answers another question.")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_CHARS_MAX:
        raise bad_flow("The provider's token names nobody.")
    return subject


def identity_of(subject: str, claims: Mapping[str, Any], more: Mapping[str, Any], groups_claim: str) -> Identity:
    """Who it is, from the ID token and what the provider tells besides (whose subject must be the same)."""
    more = more if more.get("sub") == subject else {}
    both = {**more, **claims}
    name = next((both[key] for key in ("name", "preferred_username", "email") if _is_text(both.get(key))), "")
    email, is_verified = _address(claims, more)
    given = both.get(groups_claim, []) if groups_claim else []
    groups = [given] if isinstance(given, str) else given if isinstance(given, list) else []
    found = tuple(item for item in groups[:GROUPS_MAX] if _is_text(item))
    return Identity(subject, str(name), email, is_verified, found)


def _address(*sources: Mapping[str, Any]) -> tuple[str, bool]:
    """The address, of the first source that has one, and whether any says of this very address that it is verified."""
    email = next((source["email"] for source in sources if _is_text(source.get("email"))), "")
    said = [
        source["email_verified"] for source in sources if source.get("email") == email and "email_verified" in source
    ]
    return str(email), bool(email) and said[:1] == [True]


def role_at(text: str) -> tuple[Role, str]:
    """A role and its scope, written `member@project:lab` or `auditor@park`. Raises BadInput."""
    name, _, scope = text.partition("@")
    kind = scope.partition(":")[0]
    if kind not in set(Kind) or (kind == Kind.PARK) == (":" in scope) or name not in set(ROLES_AT[Kind(kind)]):
        raise BadInput(
            f"'{text[:80]}' is no role at a scope.", fix="Write it as member@project:lab or auditor@park.",
            code="bad_role",
        )  # fmt: skip
    return Role(name), scope


def roles_for(groups: Sequence[str], mapping: Mapping[str, str]) -> set[tuple[Role, str]]:
    """The roles that groups at a provider give here."""
    return {role_at(mapping[name]) for name in groups if name in mapping}


def bad_flow(why: str) -> Unauthorised:
    """A sign-in at a provider that did not come to its end."""
    return Unauthorised(why, fix="Begin again from the sign-in page.", code="bad_flow")


def _odd(why: str) -> Unavailable:
    return Unavailable(
        f"The provider's description of itself cannot be used: {why}.", fix="Check its issuer in accounts.toml.",
        code="provider_odd",
    )  # fmt: skip


def _plain(text: str) -> str:
    return "".join(mark for mark in text[:60] if mark.isascii() and (mark.isalnum() or mark in "_- "))


def _is_now(ends_s: float, begins_s: float, now_s: float) -> bool:
    """Whether a token has begun and not ended, by clocks that may differ by a minute."""
    return begins_s - SKEW_S <= now_s <= ends_s + SKEW_S


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
