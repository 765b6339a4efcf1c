"""Handing letters to a mail server. What waits for it stands in the queue of notices (`accounts.notices`)."""

from __future__ import annotations

import smtplib
import ssl
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Final

from eureka_park import __version__
from eureka_park.accounts.settings_file import MailSettings
from eureka_park.accounts.sign_in.letter_texts import Written
from eureka_park.foundation.errors import Unavailable

PASSWORD_VARIABLE: Final = "PARK_SMTP_PASSWORD"
TIMEOUT_S: Final = 20.0
REFUSED: Final = "letter_refused"

_FINAL: Final = 500  # below, a server asks to try again


def deliver(
    settings: MailSettings, password: str, letter: Written, message_id: str, *, timeout_s: float = TIMEOUT_S
) -> None:
    """Hand one letter to the mail server. Raises Unavailable (`mail_server_away`, `letter_refused`)."""
    try:
        with _connected(settings, timeout_s) as server:
            if settings.user:
                server.login(settings.user, password)
            server.send_message(message_of(settings, letter, message_id))
    except (OSError, smtplib.SMTPException) as error:
        if (code := _code_of(error)) >= _FINAL:
            raise Unavailable(f"The mail server {settings.host} refused a letter ({code}).", code=REFUSED) from None
        raise Unavailable(
            f"The mail server {settings.host}:{settings.port} cannot be used ({type(error).__name__}).",
            fix="Check [mail] in accounts.toml and PARK_SMTP_PASSWORD.", code="mail_server_away",
        ) from None  # fmt: skip


def message_of(settings: MailSettings, letter: Written, message_id: str) -> EmailMessage:
    """The letter as it goes over the line. The same id for each try: a mailbox may show a second one as the first."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = settings.sender, letter.to, letter.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{message_id}@{parseaddr(settings.sender)[1].rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's holiday answers it
    message["X-Mailer"] = f"eureka-park/{__version__}"
    message.set_content(letter.body)
    message["Content-Language"] = letter.language.replace("_", "-")
    return message


def _connected(settings: MailSettings, timeout_s: float) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if settings.tls == "tls":
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=timeout_s, context=context)
    server = smtplib.SMTP(settings.host, settings.port, timeout=timeout_s)
    if settings.tls == "starttls":
        server.starttls(context=context)  # raises where the server cannot: nothing goes in the clear
    return server


def _code_of(error: Exception) -> int:
    """The server's answer to this letter; 0 where the connection itself failed."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return max((code for code, _ in error.recipients.values()), default=0)
    is_of_letter = isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused)
    return error.smtp_code if is_of_letter and isinstance(error, smtplib.SMTPResponseException) else 0
