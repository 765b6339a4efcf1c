"""Getting a token of one's own from a park for a one-time code, and giving it up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, cast

from eureka_park.client.address import Address, is_loopback
from eureka_park.client.logins import Login
from eureka_park.client.transport import Transport, is_away
from eureka_park.client.views import PersonView, StatusView
from eureka_park.foundation.errors import BadInput, ParkError

CONNECT_PAGE: Final = "/connect"
_PAGES: Final = (CONNECT_PAGE, "/sign-in", "/jobs", "/site", "/device")


@dataclass(frozen=True, slots=True)
class Waiting:
    """This terminal at a park's door: the secret that it keeps, the code that it shows, the page that asks for it."""

    url: str
    secret: str
    code: str
    page: str
    link: str
    interval_s: float


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


def begin(url: str, name: str) -> Waiting | None:
    """Have this terminal wait at a park's door; None for a park that knows only codes of its page /connect."""
    transport = Transport(Address(url, None))
    try:
        found = transport.json("POST", "/login/device", body={"name": name})
    except ParkError as error:
        if error.http_status in (404, 405):
            return None
        raise
    finally:
        transport.close()
    page, link = str(found["verification_uri"]), str(found["verification_uri_complete"])
    return Waiting(url, str(found["device_code"]), str(found["user_code"]), page, link, float(found["interval_s"]))


def wait(waiting: Waiting, pause: Callable[[float], None]) -> Login:
    """Ask until somebody has answered. Raises Forbidden for a no, Unauthorised when it took too long."""
    transport, interval_s = Transport(Address(waiting.url, None)), waiting.interval_s
    try:
        while True:
            pause(interval_s)
            try:
                answer = transport.json("POST", "/login/device/token", body={"device_code": waiting.secret})
            except ParkError as error:
                if error.http_status == 429:
                    interval_s += 5.0
                elif error.code != "device_pending" and not is_away(error):
                    raise
                continue
            return Login(waiting.url, str(answer["token"]), str(answer["person"]["name"]))
    finally:
        transport.close()


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
