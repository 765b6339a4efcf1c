"""pvlib knows how PVGIS and NASA POWER are asked; what it asks goes through our own client.

So trust, proxies, time-outs and limits are the park's own, and the bytes are kept as they came.
"""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from eureka_park.adapters.weather.http import Fetched, Service, fetch
from eureka_park.foundation.errors import ParkError, Unavailable

_LOCK: Final = threading.Lock()


@dataclass(slots=True)
class Carrier:
    """Stands where a module of pvlib has the package `requests`, and keeps what came."""

    service: Service
    came: list[Fetched] = field(default_factory=list)
    HTTPError: type[Exception] = OSError

    def get(self, url: str, params: Mapping[str, object] | None = None, **_options: object) -> Reply:
        """Ask; an answer that is no success has become an error of the park already."""
        self.came.append(fetch(self.service, url, params or {}))
        return Reply(self.came[-1], self.service)


@dataclass(frozen=True, slots=True)
class Reply:
    """As much of a reply as pvlib looks at."""

    fetched: Fetched
    service: Service
    ok: bool = True

    @property
    def content(self) -> bytes:
        """The bytes."""
        return self.fetched.content

    @property
    def text(self) -> str:
        """The bytes as text."""
        return self.fetched.content.decode("utf-8", "replace")

    def json(self) -> Any:
        """The bytes as JSON."""
        return self.fetched.json(self.service)


def asked(service: Service, module: str, call: Callable[[Any], Any]) -> tuple[Any, Fetched]:
    """What `call` gets from a module of `pvlib.iotools`, and the bytes of the answer.

    Raises Unavailable with the fix where pvlib is not installed, and when the answer is not what pvlib expects.
    """
    try:
        found = importlib.import_module(f"pvlib.iotools.{module}")
    except ModuleNotFoundError:
        raise Unavailable(
            f"Fetching from {service.name} needs pvlib.",
            fix="Install it: pip install 'eureka-park[weather]'", code="no_weather_part",
        ) from None  # fmt: skip
    carrier = Carrier(service)
    try:
        with _carried(found, carrier):
            value = call(found)
    except ParkError:
        raise
    except (KeyError, IndexError, ValueError, TypeError, AttributeError, OSError) as error:
        first = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
        raise Unavailable(
            f"{service.name} answered in a form that is not known here ({first}).",
            fix="Check --url, or update pvlib.", code="bad_answer",
        ) from None  # fmt: skip
    return value, carrier.came[-1]


@contextmanager
def _carried(module: Any, carrier: Carrier) -> Iterator[None]:
    with _LOCK:
        own = module.requests
        module.requests = carrier
        try:
            yield
        finally:
            module.requests = own
