"""The queue of messages: put in with the fact, claimed by one process at a time, sent, and tried again after a failure.

A message is sent at least once: whoever dies between sending and noting it leaves it to be sent again, by the same id.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from eureka_park.accounts import store as people
from eureka_park.accounts.core.notices import EMAIL, KINDS, LETTER, again_s, body_of, is_to_turn_off
from eureka_park.accounts.notices import store
from eureka_park.accounts.notices.ground import NoticeGround
from eureka_park.accounts.notices.store import FAILED, SENT, WAITING, Delivery, Notice
from eureka_park.accounts.notices.texts import notice_letter
from eureka_park.accounts.sign_in.ground import Letter
from eureka_park.accounts.sign_in.letter_texts import Written, written

if TYPE_CHECKING:
    from sqlalchemy import Connection

CLAIM_S: Final = 90.0  # longer than any try lasts
GATHERED_MAX: Final = 100  # messages in one e-mail
KEPT_S: Final = 30 * 86400.0
OF_USE_S: Final = 7 * 86400.0  # a notice is of no use later than that
OFF_S: Final = 6 * 3600.0  # what waits for a webhook that is off is looked at again after it, or when it is turned on
HOOKS_AT_ONCE: Final = 2  # calls of webhooks, which their owners can make slow: letters must not wait for them
LETTER_S: Final = 1800.0  # a letter that lets one in is of no use later than that
_ANSWER_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Mail:
    """A letter to be sent; `message_id` is the same for every try."""

    ids: tuple[str, ...]
    message_id: str
    letter: Written


@dataclass(frozen=True, slots=True)
class Call:
    """A webhook to be called."""

    ids: tuple[str, ...]
    notice_id: str
    url: str
    body: bytes
    secrets: tuple[bytes, ...] = field(repr=False)


Task = Mail | Call


class Outbox:
    """The messages of one park that wait."""

    def __init__(self, ground: NoticeGround) -> None:
        self._in = ground

    # -- in ------------------------------------------------------------------------------------------------------------
    def add_letter(self, conn: Connection, letter: Letter) -> None:
        """Have a letter sent at once. It waits sealed, and nothing of it is left when it has been sent. One to '' is
        kept like any, so that nobody reads from the time it takes who has an account; it is ended, not sent.
        """
        ground, now_s = self._in.ground, self._in.now_s
        delivery_id = ground.fresh_id("delivery")
        sealed = self._in.seal(json.dumps(asdict(letter)).encode(), delivery_id)
        made = Delivery(
            delivery_id, "", letter.person_id, LETTER, letter.kind, WAITING, 0, now_s, now_s, now_s + LETTER_S, None,
            "", sealed,
        )  # fmt: skip
        store.add_deliveries(conn, [made])

    # -- out -----------------------------------------------------------------------------------------------------------
    def claim(self, n_max: int, lanes: Collection[str] | None = None, n_hooks_max: int = HOOKS_AT_ONCE) -> list[Task]:
        """Messages to be sent now, of each lane at most one, of webhooks at most `n_hooks_max` and one of a person;
        nobody else gets them for a while. `lanes`: only these.
        """
        ground, now_s = self._in.ground, self._in.now_s
        with ground.db.read() as conn:
            if not store.is_any_due(conn, now_s, lanes):
                return []
        tasks: list[Task] = []
        with ground.db.write() as conn:
            while not tasks and (found := store.due(conn, now_s, lanes, n_max, n_hooks_max)):
                made = [self._task(conn, item, now_s) for item in found]  # one that cannot be sent any more is ended
                tasks = [task for task in made if task is not None]
            store.claim(conn, [name for task in tasks for name in task.ids], now_s + CLAIM_S)
        return tasks

    def is_any_waiting(self, lanes: Collection[str]) -> bool:
        """Whether a message of some lanes waits, due or not."""
        with self._in.ground.db.read() as conn:
            return store.is_any_waiting(conn, lanes)

    def sent(self, task: Task, answer: str) -> None:
        """Note that a message has arrived."""
        with self._in.ground.db.write() as conn:
            self._end(conn, task.ids, SENT, answer)
            if isinstance(task, Call):
                for lane in self._lanes(conn, task.ids):
                    store.change_webhook(conn, lane, n_failures=0, failing_since_s=None)

    def failed(self, task: Task, answer: str, *, is_final: bool) -> None:
        """Note that a try failed: it is tried again later, or (`is_final`, or after the last) given up."""
        now_s = self._in.now_s
        with self._in.ground.db.write() as conn:
            found = [item for name in task.ids if (item := store.delivery(conn, name)) is not None]
            for item in found:
                wait_s = None if is_final else again_s(item.lane, item.n_tries + 1, item.delivery_id)
                is_late = wait_s is None or (item.until_s is not None and now_s + wait_s > item.until_s)
                if is_late or wait_s is None:
                    self._end(conn, [item.delivery_id], FAILED, answer, item.n_tries + 1)
                else:
                    store.change_deliveries(
                        conn, [item.delivery_id], n_tries=item.n_tries + 1, due_at_s=now_s + wait_s,
                        answer=answer[:_ANSWER_CHARS],
                    )  # fmt: skip
            if isinstance(task, Call) and found:
                self._note_failure(conn, found[0].lane, now_s, is_gone=answer == "410")

    def tidy(self) -> None:
        """Forget what ended a month ago, and give up what is too late."""
        now_s = self._in.now_s
        with self._in.ground.db.write() as conn:
            store.drop_old(conn, now_s - KEPT_S, now_s)

    # -- parts ---------------------------------------------------------------------------------------------------------
    def _end(self, conn: Connection, ids: Sequence[str], state: str, answer: str, n_tries: int | None = None) -> None:
        more = {} if n_tries is None else {"n_tries": n_tries}
        store.change_deliveries(
            conn, ids, state=state, answer=answer[:_ANSWER_CHARS], ended_at_s=self._in.now_s, sealed="", **more
        )

    @staticmethod
    def _lanes(conn: Connection, ids: Sequence[str]) -> set[str]:
        return {item.lane for name in ids if (item := store.delivery(conn, name)) is not None}

    def _note_failure(self, conn: Connection, webhook_id: str, now_s: float, *, is_gone: bool) -> None:
        hook = store.webhook(conn, webhook_id)
        if hook is None or not hook.is_on:
            return
        since_s = hook.failing_since_s if hook.failing_since_s is not None else now_s
        n_failures = hook.n_failures + 1
        store.change_webhook(conn, webhook_id, n_failures=n_failures, failing_since_s=since_s)
        if is_gone or is_to_turn_off(n_failures, since_s, now_s):
            store.change_webhook(conn, webhook_id, is_on=False)
            self._in.ground.audit.note(conn, "webhook.turned_off", who="", thing=webhook_id)
            self._tell_off(conn, hook.person_id, webhook_id, hook.name, now_s)

    def _tell_off(self, conn: Connection, person_id: str, webhook_id: str, name: str, now_s: float) -> None:
        """By e-mail alone, unless its owner wants none of that: the other way is what has just failed."""
        kind = "webhook.disabled"
        is_wanted = store.choices_of(conn, [person_id], [kind]).get((person_id, EMAIL, kind), KINDS[kind].by_email)
        if not is_wanted or self._in.settings().mail is None:
            return
        notice = Notice(self._in.ground.fresh_id("notice"), kind, now_s, webhook_id, {"name": name})
        store.add_notices(conn, [notice])
        made = Delivery(
            self._in.ground.fresh_id("delivery"), notice.notice_id, person_id, EMAIL, kind, WAITING, 0, now_s, now_s,
            now_s + OF_USE_S, None, "", "",
        )  # fmt: skip
        store.add_deliveries(conn, [made])

    def _task(self, conn: Connection, item: Delivery, now_s: float) -> Task | None:
        """What is to be done for a message; None for one that cannot be sent any more, which is noted."""
        if item.until_s is not None and item.until_s < now_s:
            self._end(conn, [item.delivery_id], FAILED, "too late")
            return None
        if item.lane == LETTER:
            return self._letter(conn, item)
        return self._mail(conn, item, now_s) if item.lane == EMAIL else self._call(conn, item, now_s)

    def _letter(self, conn: Connection, item: Delivery) -> Mail | None:
        try:
            values = json.loads(self._in.unseal(item.sealed, item.delivery_id))
        except ValueError:  # the park has another key now
            self._end(conn, [item.delivery_id], FAILED, "cannot be read any more")
            return None
        if not values["to"]:
            self._end(conn, [item.delivery_id], SENT, "to nobody")
            return None
        return Mail((item.delivery_id,), item.delivery_id, written(Letter(**values)))

    def _mail(self, conn: Connection, item: Delivery, now_s: float) -> Mail | None:
        found = store.due_with(conn, item, now_s, GATHERED_MAX)
        ids = tuple(one.delivery_id for one in found)
        person = people.person(conn, item.person_id)
        if person is None or not person.email or person.is_disabled:
            self._end(conn, ids, FAILED, "no address")
            return None
        told = store.notices_of(conn, {one.notice_id for one in found})
        notices = [told[one.notice_id] for one in found if one.notice_id in told]
        letter = notice_letter(person.email, person.name, person.language, notices, self._in.settings().url)
        return Mail(ids, ids[0], letter)

    def _call(self, conn: Connection, item: Delivery, now_s: float) -> Call | None:
        hook = store.webhook(conn, item.lane)
        told = store.notices_of(conn, [item.notice_id]).get(item.notice_id)
        if hook is None or told is None:
            self._end(conn, [item.delivery_id], FAILED, "gone")
            return None
        if not hook.is_on:
            store.change_deliveries(conn, [item.delivery_id], due_at_s=now_s + OFF_S, answer="off")
            return None
        sealed = [hook.secret] + ([hook.old_secret] if hook.old_secret and hook.old_until_s > now_s else [])
        try:
            secrets = tuple(self._in.unseal(one, hook.webhook_id) for one in sealed)
        except ValueError:
            self._end(conn, [item.delivery_id], FAILED, "its secret cannot be read any more")
            return None
        body = body_of(told.kind, told.at_s, told.thing, told.detail)
        return Call((item.delivery_id,), told.notice_id, hook.url, body, secrets)
