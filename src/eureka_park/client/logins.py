"""The parks that this person has logged in to: addresses and tokens in one file that nobody else can read."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from eureka_park.foundation.errors import NotFound, Unavailable


@dataclass(frozen=True, slots=True)
class Login:
    """One park: its address, the token for it, who one is there."""

    url: str
    token: str
    person: str = ""


@dataclass(frozen=True, slots=True)
class Logins:
    """All parks by address, and the one that is asked when none is named."""

    parks: Mapping[str, Login]
    current: str | None = None

    def added(self, login: Login) -> Logins:
        """With this park as well, which becomes the current one."""
        return Logins({**self.parks, login.url: login}, login.url)

    def without(self, url: str) -> Logins:
        """Without this park; the current one stays, or there is none."""
        parks = {name: login for name, login in self.parks.items() if name != url}
        return Logins(parks, self.current if self.current in parks else None)

    def using(self, url: str | None) -> Logins:
        """With another current park; None: the park of this machine."""
        return replace(self, current=url)

    def found(self, word: str) -> Login:
        """The park of this address, or the only one whose address holds the word. Raises NotFound."""
        exact = self.parks.get(word.rstrip("/"))
        alike = [login for url, login in self.parks.items() if word and word in url]
        if exact is None and len(alike) != 1:
            known = ", ".join(self.parks) or "none"
            raise NotFound(
                f"There is no login for '{word}'.", fix=f"Known parks: {known}. See: park login --list", code="no_login"
            )
        return exact or alike[0]


def logins_file() -> Path:
    """Where logins are kept: in the platform's folder for a person's settings."""
    import platformdirs

    return Path(platformdirs.user_config_dir("eureka-park", appauthor=False, roaming=True)) / "logins.json"


def read_logins(file: Path | None = None) -> Logins:
    """The logins that are kept; none where there is no file. Raises Unavailable for one that cannot be used."""
    path = file or logins_file()
    try:
        value: Any = json.loads(path.read_text(encoding="utf-8"))
        parks = {
            str(url): Login(str(url), str(item["token"]), str(item.get("person") or ""))
            for url, item in value["parks"].items()
        }
        current = value.get("current")
        return Logins(parks, str(current) if current in parks else None)
    except (FileNotFoundError, NotADirectoryError):
        return Logins({})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise Unavailable(f"{path} cannot be read.", fix="Remove it, then: park login URL", code="bad_logins") from None


def write_logins(logins: Logins, file: Path | None = None) -> None:
    """Keep the logins: whole or not at all, readable by this person alone. Raises Unavailable."""
    path = file or logins_file()
    parks = {url: {"token": login.token, "person": login.person} for url, login in logins.parks.items()}
    text = json.dumps({"current": logins.current, "parks": parks}, indent=2) + "\n"
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(prefix=".logins-", dir=path.parent)  # made with mode 0600 where modes exist
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise Unavailable(
            f"{path} cannot be written: {error.strerror}.",
            fix="Set PARK_URL and PARK_TOKEN instead.",
            code="bad_logins",
        ) from None
