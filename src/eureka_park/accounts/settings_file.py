"""accounts.toml of a home: how people sign in, through which mail server letters go, which providers are asked.

Secrets are not in it: PARK_SMTP_PASSWORD, and keys/oidc-ID.secret in the home.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from eureka_park.accounts.core.entrance import Lasting
from eureka_park.accounts.core.naming import email_key
from eureka_park.accounts.core.oidc import is_fit, role_at
from eureka_park.foundation.errors import BadInput
from eureka_park.foundation.units import DAY_S, HOUR_S, MIB

FILE: Final = "accounts.toml"
LANGUAGES: Final = ("fr", "ar", "en", "zgh")
SIGN_UP: Final = ("open", "invited", "closed")
_PROVIDER_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,29}[a-z0-9])?")
_TLS: Final = ("starttls", "tls", "none")
_TABLES: Final = frozenset(
    {
        "sign_in",
        "mail",
        "oidc",
        "try",
        "texts",
        "screening",
        "money",
        "sessions",
        "tokens",
        "notices",
        "park",
        "storage",
    }
)


@dataclass(frozen=True, slots=True)
class MailSettings:
    """A mail server. `tls`: starttls, tls (from the first byte), or none (on this machine alone)."""

    host: str
    sender: str
    port: int = 587
    tls: str = "starttls"
    user: str = ""


@dataclass(frozen=True, slots=True)
class Provider:
    """An OpenID Connect provider. `links_by_email`: its word on an address is enough to be the person of that address
    here; `makes_people`: who is new here gets an account; `roles`: role@scope by the name of a group there.
    """

    provider_id: str
    title: str
    issuer: str
    client_id: str
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    groups_claim: str = "groups"
    roles: Mapping[str, str] = field(default_factory=dict)
    links_by_email: bool = False
    makes_people: bool = True


@dataclass(frozen=True, slots=True)
class Storing:
    """How the store is kept: how long stays what nothing needs any more, in what time everything is read and compared
    once, and how fast at most.
    """

    grace_s: float = DAY_S
    scrub_s: float = 30 * DAY_S
    scrub_bytes_s: float = 8.0 * MIB


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator has said; the defaults are those of a park on one's own machine."""

    has_passwords: bool = True
    has_passkeys: bool = True
    sign_up: str = "closed"
    url: str = ""  # the park's own address, for letters; else as the browser calls it
    mail: MailSettings | None = None
    providers: tuple[Provider, ...] = ()
    try_credits: float = 20.0
    try_days: float = 30.0
    texts: Mapping[str, str] = field(default_factory=dict)
    screening: tuple[str, ...] = ()
    money: Mapping[str, Any] = field(default_factory=dict)  # as it stands; the ledger reads it
    name: str = ""  # of the park, for its pages; '' is what the site file says
    languages: tuple[str, ...] = ()  # in which pages are offered; none named: all
    webhook_hosts: tuple[str, ...] = ()  # those that may stand inside of the operator's own network
    lasting: Lasting = field(default_factory=Lasting)
    storing: Storing = field(default_factory=Storing)

    def provider(self, provider_id: str) -> Provider | None:
        """The provider of an id."""
        return next((item for item in self.providers if item.provider_id == provider_id), None)


def read_settings(text: str) -> Settings:
    """What a file says. Raises BadInput that names the table and the field."""
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _bad("", str(error)) from None
    unknown = sorted(set(found) - _TABLES)
    if unknown:
        raise _bad(unknown[0], f"there is no such table; tables: {', '.join(sorted(_TABLES))}")
    entry, trial, sessions, tokens, notices, park, storage = (
        _Table(found, name) for name in ("sign_in", "try", "sessions", "tokens", "notices", "park", "storage")
    )
    settings = Settings(
        has_passwords=entry.flag("passwords", True),
        has_passkeys=entry.flag("passkeys", True),
        sign_up=entry.choice("sign_up", "closed", SIGN_UP),
        url=_url(entry),
        mail=_mail(found),
        providers=_providers(found),
        try_credits=trial.number("credits", 20.0),
        try_days=trial.number("days", 30.0),
        texts=_Table(found, "texts").all_texts(),
        screening=_Table(found, "screening").words("command"),
        money=_Table(found, "money").whole(),
        name=park.text("name")[:80],
        languages=_languages(park),
        webhook_hosts=tuple(host.lower() for host in notices.words("webhook_hosts")),
        lasting=Lasting(
            sessions.within("days", 14.0, 1 / 24, 90.0) * DAY_S,
            sessions.within("idle_hours", 72.0, 0.25, 90 * 24.0) * HOUR_S,
            tokens.within("days", 366.0, 1.0, 3660.0) * DAY_S,
        ),
        storing=Storing(
            storage.within("grace_days", 1.0, 0.25, 366.0) * DAY_S,
            storage.within("scrub_days", 30.0, 1.0, 3660.0) * DAY_S,
            storage.within("scrub_mib_s", 8.0, 0.25, 4096.0) * MIB,
        ),
    )
    for table in (entry, trial, sessions, tokens, notices, park, storage):
        table.done()
    return settings


class _Table:
    """A table of the file whose fields are taken one by one; what is left over has a wrong name."""

    def __init__(self, parent: Mapping[str, Any], name: str) -> None:
        self.name, value = name, parent.get(name, {})
        if not isinstance(value, dict):
            raise _bad(name, "must be a table")
        self._left: dict[str, Any] = dict(value)

    def _take(self, key: str, default: Any, kind: type | tuple[type, ...], what: str) -> Any:
        value = self._left.pop(key, default)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise _bad(f"{self.name}.{key}", f"must be {what}")
        return value

    def flag(self, key: str, default: bool) -> bool:
        """true or false."""
        return bool(self._take(key, default, bool, "true or false"))

    def text(self, key: str, default: str = "") -> str:
        """A text without surrounding space."""
        return str(self._take(key, default, str, "a text")).strip()

    def needed(self, key: str) -> str:
        """A text that must be there."""
        value = self.text(key)
        if not value:
            raise _bad(f"{self.name}.{key}", "is missing")
        return value

    def number(self, key: str, default: float) -> float:
        """A number that is not negative."""
        value = float(self._take(key, default, (int, float), "a number"))
        if not 0.0 <= value < 1e12:
            raise _bad(f"{self.name}.{key}", "must be 0 or more")
        return value

    def within(self, key: str, default: float, least: float, most: float) -> float:
        """A number between two others."""
        value = self.number(key, default)
        if not least <= value <= most:
            raise _bad(f"{self.name}.{key}", f"must be {least:.4g} to {most:.4g}")
        return value

    def choice(self, key: str, default: str, among: tuple[str, ...]) -> str:
        """One of a few words."""
        value = self.text(key, default)
        if value not in among:
            raise _bad(f"{self.name}.{key}", f"must be one of: {', '.join(among)}")
        return value

    def words(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        """A list of texts."""
        value = self._take(key, list(default), list, "a list of texts")
        if not all(isinstance(item, str) and item for item in value):
            raise _bad(f"{self.name}.{key}", "must be a list of texts")
        return tuple(value)

    def all_texts(self) -> dict[str, str]:
        """Every field, as texts by name."""
        return {key: self.text(key) for key in sorted(self._left)}

    def whole(self) -> dict[str, Any]:
        """The table as it stands."""
        return dict(self._left)

    def done(self) -> None:
        """Raise BadInput where a field is left over."""
        if self._left:
            raise _bad(f"{self.name}.{min(self._left)}", "there is no such field")


def _languages(table: _Table) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(table.words("languages")))
    if not set(found) <= set(LANGUAGES):
        raise _bad("park.languages", f"must be among: {', '.join(LANGUAGES)}")
    return found


def _url(table: _Table) -> str:
    url = table.text("url").rstrip("/")
    if url and not is_fit(url, url):
        raise _bad("sign_in.url", "must be the park's address, as https://park.example.org")
    return url


def _mail(found: Mapping[str, Any]) -> MailSettings | None:
    if "mail" not in found:
        return None
    table = _Table(found, "mail")
    host, sender = table.needed("host"), table.needed("from")
    address = sender.rpartition("<")[2].rstrip(">")
    try:
        email_key(address)
    except BadInput:
        raise _bad("mail.from", "must be an e-mail address, or Name <address>") from None
    if not sender.isprintable():
        raise _bad("mail.from", "must be one line")
    tls = table.choice("tls", "starttls", _TLS)
    port = int(table.number("port", {"starttls": 587, "tls": 465, "none": 25}[tls]))
    mail = MailSettings(host, sender, port, tls, table.text("user"))
    table.done()
    if tls == "none" and (mail.user or host not in {"localhost", "127.0.0.1", "::1"}):
        raise _bad("mail.tls", "may be none for a server on this machine alone, and without a user")
    return mail


def _providers(found: Mapping[str, Any]) -> tuple[Provider, ...]:
    given = found.get("oidc", [])
    if not isinstance(given, list):
        raise _bad("oidc", "must be written [[oidc]]")
    made = [_provider(_Table({"oidc": item}, "oidc")) for item in given]
    ids = [item.provider_id for item in made]
    if len(set(ids)) < len(ids):
        raise _bad("oidc.id", "must be another one for each provider")
    return tuple(made)


def _provider(table: _Table) -> Provider:
    provider_id, issuer = table.needed("id"), table.needed("issuer")
    if not _PROVIDER_ID.fullmatch(provider_id):
        raise _bad("oidc.id", "has 1 to 31 small letters, digits and dashes")
    if not is_fit(issuer, issuer):
        raise _bad("oidc.issuer", "must be an https address")
    scopes = table.words("scopes", ("openid", "email", "profile"))
    roles = _Table({"roles": table._left.pop("roles", {})}, "roles").all_texts()
    for text in roles.values():
        try:
            role_at(text)
        except BadInput as error:
            raise _bad("oidc.roles", error.message) from None
    made = Provider(
        provider_id,
        table.text("title") or provider_id,
        issuer,
        table.needed("client_id"),
        tuple(dict.fromkeys(("openid", *scopes))),
        table.text("groups_claim", "groups"),
        roles,
        table.flag("links_by_email", False),
        table.flag("makes_people", True),
    )
    table.done()
    return made


def _bad(place: str, why: str) -> BadInput:
    where = f" [{place}]" if place else ""
    return BadInput(
        f"{FILE}{where}: {why}.", fix="Change the file; see docs/operate/sign-in.md.", code="bad_accounts_file",
        field=place or None,
    )  # fmt: skip
