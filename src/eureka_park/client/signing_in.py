"""Getting a token of one's own from a park for a one-time code, and giving it up."""

from __future__ import annotations

from typing import Any, Final, cast

from eureka_park.client.address import Address, is_loopback
from eureka_park.client.logins import Login
from eureka_park.client.transport import Transport
from eureka_park.client.views import PersonView, StatusView
from eureka_park.foundation.errors import BadInput

CONNECT_PAGE: Final = "/connect"
_PAGES: Final = (CONNECT_PAGE, "/sign-in", "/jobs", "/site")


def park_url(text: str) -> str:
    """The address of a park as a person may paste it: without a scheme, or of one of its pages. Raises BadInput."""
    from eureka_park.client.address import checked_url

    word = text.strip()
    if "://" not in word:
        host = word.split("/", 1)[0]
        word = f"{'http' if is_loopback(f'http://{host}') else 'https'}://{word}"
    word = word.split("?", 1)[0].split("#", 1)[0].rstrip("/")
    page = next((page for page in _PAGES if word.endswith(page)), "")
    return checked_url(word.removesuffix(page))


def is_in_the_clear(url: str) -> bool:
    """Whether a token sent to this address could be read on the way."""
    return url.startswith("http://") and not is_loopback(url)


def greet(url: str, *, timeout_s: float = 10.0) -> StatusView:
    """Ask whether a park answers at an address, before anybody types a secret. Raises Unavailable, BadInput."""
    transport = Transport(Address(url, None), timeout_s=timeout_s)
    try:
        found: Any = transport.json("GET", "/status")
    finally:
        transport.close()
    if not isinstance(found, dict) or "site" not in found:
        raise BadInput(f"What answers at {url} is no park.", fix="Check the address.", code="not_a_park")
    return cast(StatusView, found)


def redeem(url: str, code: str, name: str) -> Login:
    """Spend a one-time code for a token. Raises Unauthorised for one that is wrong, old or spent."""
    transport = Transport(Address(url, None))
    try:
        answer = transport.json("POST", "/login", body={"code": code, "name": name})
    finally:
        transport.close()
    return Login(url, str(answer["token"]), str(answer["person"]["name"]))


def check(url: str, token: str) -> PersonView:
    """Whose token this is, by the park itself. Raises Unauthorised."""
    transport = Transport(Address(url, token))
    try:
        return cast(PersonView, transport.json("GET", "/login"))
    finally:
        transport.close()


def give_up(login: Login) -> None:
    """End a token at its park. Raises Unauthorised when it has ended before."""
    transport = Transport(Address(login.url, login.token), timeout_s=10.0)
    try:
        transport.tell("DELETE", "/login")
    finally:
        transport.close()
