"""What one is told, and by which way: choices, webhooks, messages."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from eureka_park.accounts.notices.store import Delivery, Notice, Webhook
from eureka_park.accounts.service import Act, Principal
from eureka_park.bootstrap import Park
from eureka_park.foundation.units import iso_from_s
from eureka_park.web import notice_schemas, schemas
from eureka_park.web.auth import Someone, ThePark, limits_of

router = APIRouter(tags=["notices"], responses=schemas.ERRORS, prefix="/account")
WebhookId = Annotated[str, Path(max_length=80, description="The webhook's id")]
DeliveryId = Annotated[str, Path(max_length=80, description="The message's id")]


@router.get("/notices", response_model=notice_schemas.NoticeSettings, operation_id="get_notices")
def get_notices(park: ThePark, who: Someone) -> dict[str, Any]:
    """What one can hear of, by which ways one does, and one's webhooks."""
    _check(park, who)
    notices = park.telling.notices
    chosen = notices.chosen(who)
    ways: dict[str, list[str]] = {}
    for (way, name), is_on in chosen.items():
        if is_on:
            ways.setdefault(name, []).append(way)
    kinds = [
        {"kind": kind.name, "group": kind.group, "ways": ways.get(kind.name, [])} for kind in notices.kinds_for(who)
    ]
    hooks = [webhook_view(item) for item in notices.webhooks(who)]
    return {"items": kinds, "webhooks": hooks, "has_mail": park.sign_in.settings().mail is not None}


@router.put("/notices", response_model=notice_schemas.NoticeSettings, operation_id="choose_notice")
def choose_notice(park: ThePark, who: Someone, body: notice_schemas.ChoiceRequest) -> dict[str, Any]:
    """Hear of one kind of notice by one way, or no more."""
    _check(park, who)
    park.telling.notices.choose(who, {(body.way, body.kind): body.is_on})
    return get_notices(park, who)


@router.post("/notices/test", status_code=202, response_model=notice_schemas.DeliveryMade, operation_id="test_notice")
def test_notice(request: Request, park: ThePark, who: Someone, body: notice_schemas.WayRequest) -> dict[str, Any]:
    """Have a test sent by one way; ten at once, then one in two minutes."""
    _check(park, who)
    limits_of(request).take("notice", who.person_id)
    return {"delivery_id": park.telling.notices.send_test(who, body.way)}


@router.post("/webhooks", status_code=201, response_model=notice_schemas.WebhookMade, operation_id="add_webhook")
def add_webhook(park: ThePark, who: Someone, body: notice_schemas.WebhookRequest, response: Response) -> dict[str, Any]:
    """Have notices sent to an address; its secret is shown this once."""
    _check(park, who)
    secret, made = park.telling.notices.add_webhook(who, body.url, body.name, body.kinds)
    response.headers["Cache-Control"] = "no-store"
    return {**webhook_view(made), "secret": secret}


@router.patch("/webhooks/{webhook_id}", response_model=notice_schemas.NoticeSettings, operation_id="change_webhook")
def change_webhook(
    park: ThePark, who: Someone, webhook_id: WebhookId, body: notice_schemas.WebhookChange
) -> dict[str, Any]:
    """Turn a webhook off, or on again."""
    _check(park, who)
    park.telling.notices.set_on(who, webhook_id, body.is_on)
    return get_notices(park, who)


@router.delete("/webhooks/{webhook_id}", status_code=204, operation_id="end_webhook")
def end_webhook(park: ThePark, who: Someone, webhook_id: WebhookId) -> None:
    """Forget a webhook and what waits for it."""
    _check(park, who)
    park.telling.notices.end_webhook(who, webhook_id)


@router.post("/webhooks/{webhook_id}/secret", response_model=notice_schemas.SecretMade, operation_id="renew_secret")
def renew_secret(park: ThePark, who: Someone, webhook_id: WebhookId, response: Response) -> dict[str, str]:
    """A new secret; for a day both sign."""
    _check(park, who)
    response.headers["Cache-Control"] = "no-store"
    return {"secret": park.telling.notices.renew_secret(who, webhook_id)}


@router.get("/deliveries", response_model=notice_schemas.DeliveryPage, operation_id="list_deliveries")
def list_deliveries(park: ThePark, who: Someone, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> dict[str, Any]:
    """What was sent to one, or waits to be, the newest first."""
    _check(park, who)
    return {"items": [delivery_view(*pair) for pair in park.telling.notices.deliveries(who, limit)], "next": None}


@router.post("/deliveries/{delivery_id}/again", status_code=204, operation_id="send_again")
def send_again(request: Request, park: ThePark, who: Someone, delivery_id: DeliveryId) -> None:
    """Have a message sent once more, by the same id; counted with tests."""
    _check(park, who)
    limits_of(request).take("notice", who.person_id)
    park.telling.notices.send_again(who, delivery_id)


def _check(park: Park, who: Principal) -> None:
    park.accounts.require_park(Act.ACCOUNT, who)


def webhook_view(hook: Webhook) -> dict[str, Any]:
    """A webhook as the API shows one."""
    return {
        "webhook_id": hook.webhook_id, "name": hook.name, "url": hook.url, "is_on": hook.is_on,
        "n_failures": hook.n_failures, "created_at": iso_from_s(hook.made_at_s),
    }  # fmt: skip


def delivery_view(item: Delivery, told: Notice | None) -> dict[str, Any]:
    """A message as the API shows one."""
    return {
        "delivery_id": item.delivery_id, "notice_id": item.notice_id, "kind": item.kind, "way": item.lane,
        "state": item.state, "answer": item.answer, "n_tries": item.n_tries, "created_at": iso_from_s(item.made_at_s),
        "next_at": iso_from_s(item.due_at_s) if item.state == "waiting" else None,
        "ended_at": iso_from_s(item.ended_at_s), "object": told.thing if told else "",
        "detail": dict(told.detail) if told else {},
    }  # fmt: skip
