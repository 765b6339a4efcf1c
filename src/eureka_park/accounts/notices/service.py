"""Telling people: who hears of what by which way, as they chose. What is told is queued in the transaction of the fact;
`outbox` has it sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from eureka_park.accounts import store as people
from eureka_park.accounts.core.naming import clean_name
from eureka_park.accounts.core.notices import (
    EMAIL,
    GATHER_S,
    KINDS,
    LETTER,
    SECRET_BYTES,
    TEST,
    Kind,
    place_of,
    shown_secret,
    target_of,
)
from eureka_park.accounts.core.permissions import AT_PARK, Principal
from eureka_park.accounts.core.roles import Role
from eureka_park.accounts.events import PersonErased
from eureka_park.accounts.notices import store
from eureka_park.accounts.notices.ground import NoticeGround
from eureka_park.accounts.notices.outbox import OF_USE_S, Outbox
from eureka_park.accounts.notices.store import WAITING, Delivery, Notice, Webhook
from eureka_park.foundation.errors import BadInput, Conflict, NotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection

WEBHOOKS_MAX: Final = 10  # of one person
OLD_SECRET_S: Final = 86400.0  # how long the secret of before signs too
SHOWN: Final = 50
_JOB_KINDS: Final = ("job.ended", "job.failed")


@dataclass(frozen=True, slots=True)
class JobOver:
    """A job that came to an end; `state` as its view names it."""

    job_id: str
    project: str
    person_id: str
    state: str


class Notices:
    """The notices of one park."""

    def __init__(self, ground: NoticeGround) -> None:
        self._in = ground
        self.outbox = Outbox(ground)
        ground.ground.bus.on(PersonErased, lambda conn, event: store.forget(conn, event.person_id))

    # -- telling -------------------------------------------------------------------------------------------------------
    def tell_person(self, conn: Connection, kind: str, person_id: str, thing: str, /, **detail: Any) -> int:
        """Tell one person; how many messages that makes."""
        return self._tell(conn, KINDS[kind], {person_id: KINDS[kind].by_email}, thing, detail)

    def tell_project(self, conn: Connection, kind: str, project: str, thing: str, /, **detail: Any) -> int:
        """Tell who leads a project, and others in it who chose to hear of that."""
        found = people.project(conn, project)
        scopes = [f"project:{project}"]
        if found is not None and found.organisation_id:
            scopes.append(f"organisation:{found.organisation_id}")
        told: dict[str, bool] = {}
        for person_id, held in people.holders(conn, scopes):
            told[person_id] = told.get(person_id, False) or (held.role is Role.LEAD and KINDS[kind].by_email)
        return self._tell(conn, KINDS[kind], told, thing, {"project": project, **detail})

    def tell_operators(self, conn: Connection, kind: str, thing: str, /, **detail: Any) -> int:
        """Tell everybody who operates the park."""
        found = [name for name, held in people.holders(conn, [AT_PARK]) if held.role is Role.OPERATOR]
        return self._tell(conn, KINDS[kind], dict.fromkeys(found, KINDS[kind].by_email), thing, detail)

    def role_given(self, conn: Connection, holder_id: str, role: str, scope: str) -> int:
        """Tell a person, or everybody in a group, of a role, unless it is their own doing."""
        if store.is_own_doing(conn, holder_id, role, scope):
            return 0
        kind, found = KINDS["role.given"], store.people_in(conn, holder_id)
        return self._tell(conn, kind, dict.fromkeys(found, kind.by_email), scope, {"role": role})

    def jobs_over(self, conn: Connection, jobs: Sequence[JobOver]) -> int:
        """Tell those who chose to hear of the ends of their jobs. A few statements, however many end together."""
        if not jobs:
            return 0
        chosen = store.choices_of(conn, {job.person_id for job in jobs}, _JOB_KINDS)
        wanted = {person_id for (person_id, _lane, _kind), is_on in chosen.items() if is_on}
        if not wanted:
            return 0
        lanes = [(hook.person_id, hook.webhook_id) for hook in store.webhooks_of(conn, wanted, only_on=True)]
        if self._in.settings().mail is not None:
            lanes += [(person_id, EMAIL) for person_id in store.with_address(conn, wanted)]
        by_person: dict[str, list[str]] = {}
        for person_id, lane in lanes:
            by_person.setdefault(person_id, []).append(lane)
        made = []
        for job in jobs:
            kind = "job.ended" if job.state == "finished" else "job.failed"
            to = [lane for lane in by_person.get(job.person_id, ()) if chosen.get((job.person_id, lane, kind), False)]
            if to and job.state != "cancelled":
                detail = {"project": job.project, "state": job.state}
                made.append(self._made(kind, [(job.person_id, lane) for lane in to], job.job_id, detail))
        return self._save(conn, made)

    def signed_in(self, conn: Connection, person_id: str, address: str, client: str, method: str) -> None:
        """Note where somebody signed in from, and tell them where that is new."""
        mark = self._in.mark_of(place_of(address, client))
        if store.is_new_place(conn, person_id, mark, self._in.now_s):
            self.tell_person(conn, "session.new_place", person_id, person_id, method=method)

    def _tell(
        self, conn: Connection, kind: Kind, by_email: Mapping[str, bool], thing: str, detail: Mapping[str, Any]
    ) -> int:
        if not by_email:
            return 0
        chosen = store.choices_of(conn, list(by_email), [kind.name])
        wanted = [name for name, is_on in by_email.items() if chosen.get((name, EMAIL, kind.name), is_on)]
        if wanted and self._in.settings().mail is not None:
            reached = store.with_address(conn, wanted)
            lanes = [(name, EMAIL) for name in wanted if name in reached]
        else:
            lanes = []
        for hook in store.webhooks_of(conn, list(by_email), only_on=True):
            if chosen.get((hook.person_id, hook.webhook_id, kind.name), False):
                lanes.append((hook.person_id, hook.webhook_id))
        return self._save(conn, [self._made(kind.name, lanes, thing, detail)] if lanes else [])

    def _made(
        self, kind: str, lanes: Sequence[tuple[str, str]], thing: str, detail: Mapping[str, Any]
    ) -> tuple[Notice, list[Delivery]]:
        """A notice and its messages, one for each (person, lane)."""
        ground, now_s = self._in.ground, self._in.now_s
        gathers = kind in KINDS and KINDS[kind].gathers
        notice = Notice(ground.fresh_id("notice"), kind, now_s, thing, detail)
        return notice, [
            Delivery(
                ground.fresh_id("delivery"), notice.notice_id, person_id, lane, kind, WAITING, 0, now_s,
                now_s + (GATHER_S if gathers and lane == EMAIL else 0.0), now_s + OF_USE_S, None, "", "",
            )
            for person_id, lane in lanes
        ]  # fmt: skip

    @staticmethod
    def _save(conn: Connection, made: Sequence[tuple[Notice, list[Delivery]]]) -> int:
        messages = [message for _, found in made for message in found]
        store.add_notices(conn, [notice for notice, _ in made])
        store.add_deliveries(conn, messages)
        return len(messages)

    # -- what one chose ------------------------------------------------------------------------------------------------
    def kinds_for(self, who: Principal) -> list[Kind]:
        """What somebody can hear of."""
        return [kind for kind in KINDS.values() if kind.audience != "operators" or who.is_operator]

    def chosen(self, who: Principal) -> dict[tuple[str, str], bool]:
        """By (lane, kind), whether one hears of it; members of a project hear of its matters where they chose to."""
        with self._in.ground.db.read() as conn:
            kept = store.choices_of(conn, [who.person_id], list(KINDS))
            hooks = store.webhooks_of(conn, [who.person_id])
        return {
            (lane, kind.name): kept.get((who.person_id, lane, kind.name), kind.by_email and lane == EMAIL)
            for kind in self.kinds_for(who)
            for lane in (EMAIL, *(hook.webhook_id for hook in hooks))
        }

    def choose(self, who: Principal, wanted: Mapping[tuple[str, str], bool]) -> None:
        """Keep what one wants, by (lane, kind). Raises BadInput for a kind or a way that there is not."""
        offered = self.chosen(who)
        for lane, kind in wanted:
            if kind not in KINDS:
                raise BadInput(
                    f"'{kind[:40]}' is no kind of notice.", fix=f"Choose among: {', '.join(KINDS)}.",
                    code="bad_notice_kind", field="kind",
                )  # fmt: skip
            if (lane, kind) not in offered:
                raise BadInput(
                    f"There is no way '{lane[:64]}' for {kind}.", fix="Use email, or the id of a webhook of yours.",
                    code="bad_notice_way", field="way",
                )  # fmt: skip
        with self._in.ground.db.write() as conn:
            store.choose(conn, who.person_id, wanted)

    # -- webhooks ------------------------------------------------------------------------------------------------------
    def webhooks(self, who: Principal) -> list[Webhook]:
        """One's webhooks."""
        with self._in.ground.db.read() as conn:
            return store.webhooks_of(conn, [who.person_id])

    def add_webhook(self, who: Principal, url: str, name: str = "", kinds: Iterable[str] = ()) -> tuple[str, Webhook]:
        """Have notices sent to an address; its secret, shown this once. Raises BadInput, Conflict."""
        target = target_of(url.strip(), self._in.settings().webhook_hosts)
        ground, now_s, raw = self._in.ground, self._in.now_s, self._in.ground.entropy(SECRET_BYTES)
        webhook_id, wanted = ground.fresh_id("webhook"), list(kinds)
        wrong = next((kind for kind in wanted if kind not in {item.name for item in self.kinds_for(who)}), None)
        if wrong is not None:
            raise BadInput(f"'{wrong[:40]}' is no kind of notice.", fix="List them.", code="bad_notice_kind")
        made = Webhook(
            webhook_id, who.person_id, clean_name(name.strip() or target.host, "name"), url.strip(),
            self._in.seal(raw, webhook_id), "", 0.0, True, 0, None, now_s,
        )  # fmt: skip
        with ground.db.write() as conn:
            if len(store.webhooks_of(conn, [who.person_id])) >= WEBHOOKS_MAX:
                raise Conflict(f"You have {WEBHOOKS_MAX} webhooks.", fix="End one first.", code="too_many_webhooks")
            store.save_webhook(conn, made)
            store.choose(conn, who.person_id, {(webhook_id, kind): True for kind in wanted})
            ground.audit.note(conn, "webhook.added", who=who, thing=webhook_id, detail={"host": target.host[:100]})
        return shown_secret(raw), made

    def renew_secret(self, who: Principal, webhook_id: str) -> str:
        """A new secret, shown this once; for a day both sign. Raises NotFound."""
        raw = self._in.ground.entropy(SECRET_BYTES)
        with self._in.ground.db.write() as conn:
            hook = self._own(conn, who, webhook_id)
            kept = replace(
                hook, secret=self._in.seal(raw, webhook_id), old_secret=hook.secret,
                old_until_s=self._in.now_s + OLD_SECRET_S,
            )  # fmt: skip
            store.save_webhook(conn, kept)
            self._in.ground.audit.note(conn, "webhook.secret_renewed", who=who, thing=webhook_id)
        return shown_secret(raw)

    def set_on(self, who: Principal, webhook_id: str, is_on: bool) -> None:
        """Turn a webhook off, or on again; what waited for it goes on. Raises NotFound."""
        with self._in.ground.db.write() as conn:
            self._own(conn, who, webhook_id)
            store.change_webhook(conn, webhook_id, is_on=is_on, n_failures=0, failing_since_s=None)
            store.wake_lane(conn, webhook_id, self._in.now_s)
            act = "webhook.turned_on" if is_on else "webhook.turned_off"
            self._in.ground.audit.note(conn, act, who=who, thing=webhook_id)

    def end_webhook(self, who: Principal, webhook_id: str) -> None:
        """Forget a webhook and what waits for it. Raises NotFound."""
        with self._in.ground.db.write() as conn:
            self._own(conn, who, webhook_id)
            store.drop_webhook(conn, webhook_id)
            self._in.ground.audit.note(conn, "webhook.ended", who=who, thing=webhook_id)

    def _own(self, conn: Connection, who: Principal, webhook_id: str) -> Webhook:
        found = store.webhook(conn, webhook_id[:64])
        if found is None or found.person_id != who.person_id:
            raise NotFound(f"There is no webhook {webhook_id[:64]}.", fix="List yours.", code="no_such_webhook")
        return found

    # -- messages ------------------------------------------------------------------------------------------------------
    def send_test(self, who: Principal, lane: str) -> str:
        """Queue a message that says nothing but that it arrives; its id. Raises NotFound, Conflict."""
        with self._in.ground.db.write() as conn:
            if lane == EMAIL:
                self._check_email(conn, who)
            elif not self._own(conn, who, lane).is_on:
                raise Conflict("This webhook is off.", fix="Turn it on first.", code="webhook_off")
            made = self._made(TEST, [(who.person_id, lane)], who.person_id, {})
            self._save(conn, [made])
        return made[1][0].delivery_id

    def _check_email(self, conn: Connection, who: Principal) -> None:
        person = people.person(conn, who.person_id)
        if self._in.settings().mail is None:
            raise Conflict("This park sends no e-mail.", fix="Use a webhook.", code="no_mail_server")
        if person is None or not person.email:
            raise Conflict("No e-mail address of yours is known.", fix="Ask an operator.", code="no_address")

    def deliveries(self, who: Principal, limit: int = SHOWN) -> list[tuple[Delivery, Notice | None]]:
        """What was sent to somebody or waits to be, the newest first, each with what it tells."""
        with self._in.ground.db.read() as conn:
            found = store.deliveries_of(conn, who.person_id, min(max(1, limit), 500))
            told = store.notices_of(conn, {item.notice_id for item in found})
        return [(item, told.get(item.notice_id)) for item in found]

    def send_again(self, who: Principal, delivery_id: str) -> None:
        """Have one message sent once more, now; it keeps its id, by which its receiver knows it. Raises NotFound."""
        with self._in.ground.db.write() as conn:
            found = store.delivery(conn, delivery_id[:64])
            if found is None or found.person_id != who.person_id or found.lane == LETTER:
                raise NotFound(
                    f"There is no message {delivery_id[:64]}.", fix="List yours.", code="no_such_delivery"
                )  # fmt: skip
            store.change_deliveries(
                conn,
                [found.delivery_id],
                state=WAITING,
                n_tries=0,
                due_at_s=self._in.now_s,
                ended_at_s=None,
                until_s=self._in.now_s + OF_USE_S,
            )

    def export(self, person_id: str) -> dict[str, Any]:
        """What stands here of a person: choices, webhooks without secrets, messages."""
        with self._in.ground.db.read() as conn:
            kept = store.choices_of(conn, [person_id], list(KINDS))
            hooks = store.webhooks_of(conn, [person_id])
            sent = store.deliveries_of(conn, person_id, 1000)
        return {
            "choices": [{"way": lane, "kind": kind, "is_on": is_on} for (_, lane, kind), is_on in sorted(kept.items())],
            "webhooks": [{"webhook_id": hook.webhook_id, "name": hook.name, "url": hook.url} for hook in hooks],
            "messages": [{"kind": item.kind, "way": item.lane, "state": item.state} for item in sent],
        }
