"""accounts.toml of a home, read anew when it changed; the secrets that belong to it."""

from __future__ import annotations

import logging
import os
import threading
from typing import Final

from eureka_park.accounts.settings_file import FILE, Settings, read_settings
from eureka_park.adapters.home import Home
from eureka_park.adapters.mail import PASSWORD_VARIABLE
from eureka_park.foundation.errors import BadInput

_log = logging.getLogger("eureka_park")
_NONE: Final = (0, 0)


class AccountsFile:
    """The operator's settings as of now. A file that was damaged while the park runs leaves the last good ones."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._lock = threading.Lock()
        self._stamp, self._settings = self._stamped(), self._read()

    def settings(self) -> Settings:
        """What the file says now."""
        stamp = self._stamped()
        if stamp != self._stamp:
            with self._lock:
                if stamp != self._stamp:
                    self._stamp = stamp
                    try:
                        self._settings = self._read()
                    except BadInput as error:
                        _log.error("the settings stay as they were: %s", error.line())
        return self._settings

    def mail_password(self) -> str:
        """The secret of the mail server."""
        return os.environ.get(PASSWORD_VARIABLE, "")

    def provider_secret(self, provider_id: str) -> str:
        """The park's secret at a provider; '' for a public client."""
        return (self._home.read(f"keys/oidc-{provider_id}.secret") or "").strip()

    def _stamped(self) -> tuple[int, int]:
        try:
            found = (self._home.folder / FILE).stat()
        except OSError:
            return _NONE
        return found.st_mtime_ns, found.st_size

    def _read(self) -> Settings:
        return read_settings(self._home.read(FILE) or "")
