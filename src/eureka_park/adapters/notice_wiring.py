"""Notices of one park put together: their queue, whom they hear, and the sender of this process."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eureka_park.accounts import store as people
from eureka_park.accounts.events import PayeeChanged
from eureka_park.accounts.notices.ground import NoticeGround
from eureka_park.accounts.notices.service import Notices
from eureka_park.accounts.sign_in.ground import Letter
from eureka_park.adapters.accounts_file import AccountsFile
from eureka_park.adapters.notice_sources import listen
from eureka_park.adapters.sender import LETTERS, Sender

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from eureka_park.accounts.service import AccountsService


class Telling:
    """`notices`; `letters` sends what lets people in, at once, by any process; `sender()` sends everything; `file` has
    the operator's settings.
    """

    def __init__(self, accounts: AccountsService, file: AccountsFile, key: bytes) -> None:
        self._accounts, self.file = accounts, file
        self.notices = Notices(NoticeGround(accounts.ground, key, file.settings))
        self.letters = self._sender(LETTERS)
        listen(accounts.ground.bus, self.notices)
        accounts.ground.bus.on(PayeeChanged, self._tell_pay)
        accounts.people.on_export("notices", self.notices.export)

    def post(self, conn: Connection, letter: Letter) -> None:
        """Have a letter sent when the transaction ends."""
        self.notices.outbox.add_letter(conn, letter)
        self.letters.soon()

    def sender(self) -> Sender:
        """For the one process that sends all that waits."""
        return self._sender(None)

    def close(self) -> None:
        """Send nothing further from here."""
        self.letters.stop()

    def _tell_pay(self, conn: Connection, event: PayeeChanged) -> None:
        """A letter, which nobody turns off: who changes where somebody's pay goes may not be they."""
        person = people.person(conn, event.person_id)
        if person is not None and person.email and self.file.settings().mail is not None:
            values = {"name": person.name, "iban": event.shown}
            self.post(conn, Letter(person.email, "pay_changed", person.language, values, person.person_id))

    def _sender(self, lanes: tuple[str, ...] | None) -> Sender:
        outbox, file = self.notices.outbox, self.file
        return Sender(outbox, file.settings, file.mail_password, self._accounts.ground.clock, lanes)
