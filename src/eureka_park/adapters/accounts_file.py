"""accounts.toml of a home, read anew when it changed; the secrets that belong to it."""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Mapping
from typing import Final

from eureka_park.accounts.settings_file import FILE, Settings, read_settings
from eureka_park.adapters.home import Home
from eureka_park.adapters.mail import PASSWORD_VARIABLE
from eureka_park.adapters.settings_text import Values, changed
from eureka_park.foundation.errors import BadInput

_log = logging.getLogger("eureka_park")
_NONE: Final = (0, 0)
MAIL_SECRET: Final = "keys/smtp.secret"
Receiver = tuple[str | int, ...]


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
                    try:
                        self._settings = self._read()
                    except BadInput as error:
                        _log.error("the settings stay as they were: %s", error.line())
                    self._stamp = stamp  # last: who sees it sees the settings that belong to it
        return self._settings

    def mail_password(self) -> str:
        """The secret of the mail server: of the environment, else of the home."""
        return os.environ.get(PASSWORD_VARIABLE) or (self._home.read(MAIL_SECRET) or "").strip()

    def change(
        self, tables: Mapping[str, Values | None], providers: Mapping[str, Values | None] | None = None
    ) -> Settings:
        """Set fields and keep all else, comments too; what the file says then. See `settings_text.changed`.

        A secret that is kept goes to nobody new: where the mail server, its user or its line, or a provider's issuer or
        client change, it is emptied first. What would not be taken at the next start is not written. Raises BadInput
        that names the field.
        """
        with self._lock, (self._home.folder / f".{FILE}.lock").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            old = self._home.read(FILE) or ""
            text = changed(old, tables, providers or {})
            settings = read_settings(text)
            self._empty_secrets(_receivers(self._read_or_last(old)), _receivers(settings))
            self._home.write(FILE, text)
            self._settings, self._stamp = settings, self._stamped()
        return settings

    @property
    def has_password_outside(self) -> bool:
        """Whether the environment says the secret of the mail server, which no page can empty or replace."""
        return bool(os.environ.get(PASSWORD_VARIABLE))

    def set_mail_password(self, secret: str) -> None:
        """Keep the secret of the mail server in the home, readable by the park alone."""
        self._home.write(MAIL_SECRET, secret)

    def set_provider_secret(self, provider_id: str, secret: str) -> None:
        """Keep the park's secret at a provider, readable by the park alone."""
        self._home.write(_secret_of(provider_id), secret)

    def provider_secret(self, provider_id: str) -> str:
        """The park's secret at a provider; '' for a public client."""
        return (self._home.read(_secret_of(provider_id)) or "").strip()

    def _stamped(self) -> tuple[int, int]:
        try:
            found = (self._home.folder / FILE).stat()
        except OSError:
            return _NONE
        return found.st_mtime_ns, found.st_size

    def _read(self) -> Settings:
        return read_settings(self._home.read(FILE) or "")

    def _read_or_last(self, text: str) -> Settings:
        try:
            return read_settings(text)
        except BadInput:
            return self._settings

    def _empty_secrets(self, before: Mapping[str, Receiver], after: Mapping[str, Receiver]) -> None:
        for name in sorted({*before, *after}):
            if before.get(name) != after.get(name) and self._home.read(name):
                self._home.write(name, "")


def _receivers(settings: Settings) -> dict[str, Receiver]:
    """To whom the secrets of the home are told, by the file that holds each."""
    found: dict[str, Receiver] = {
        _secret_of(item.provider_id): (item.issuer, item.client_id) for item in settings.providers
    }
    if settings.mail is not None:
        mail = settings.mail
        found[MAIL_SECRET] = (mail.host, mail.port, mail.tls, mail.user)
    return found


def _secret_of(provider_id: str) -> str:
    return f"keys/oidc-{provider_id}.secret"
