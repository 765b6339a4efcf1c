"""Bodies of the API of notices."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field

from eureka_park.web.request_schemas import Body

Word = Annotated[str, Field(min_length=1, max_length=64)]


class ChoiceRequest(Body):
    """One kind of notice by one way."""

    kind: Word = Field(description="What one hears of, such as budget.reached")
    way: Word = Field("email", description="email, or the id of a webhook")
    is_on: bool


class KindView(BaseModel):
    """A kind of notice, and the ways by which one hears of it."""

    kind: str
    group: str
    ways: list[str]


class WebhookRequest(Body):
    """A webhook to be added."""

    url: str = Field(min_length=1, max_length=500, description="An https address")
    name: str = Field("", max_length=200)
    kinds: list[Word] = Field(default_factory=list, max_length=50, description="What it hears of")


class WebhookChange(Body):
    """Turn a webhook on or off."""

    is_on: bool


class WebhookView(BaseModel):
    """A webhook without its secret."""

    webhook_id: str
    name: str
    url: str
    is_on: bool
    n_failures: int = Field(description="Tries in a row that did not succeed")
    created_at: str


class WebhookMade(WebhookView):
    """A webhook with its secret, shown this once."""

    secret: str


class SecretMade(BaseModel):
    """A new secret, shown this once; for a day the one before signs too."""

    secret: str


class NoticeSettings(BaseModel):
    """What one chose, and one's webhooks."""

    items: list[KindView]
    webhooks: list[WebhookView]
    has_mail: bool


class WayRequest(Body):
    """A way by which a test is sent."""

    way: Word = "email"


class DeliveryMade(BaseModel):
    """A message that waits."""

    delivery_id: str


class DeliveryView(BaseModel):
    """One message by one way."""

    delivery_id: str
    notice_id: str = Field(description="The webhook-id of its calls")
    kind: str
    way: str
    state: str = Field(description="waiting, sent or failed")
    answer: str = Field(description="Of the last try")
    n_tries: int = Field(description="Tries that failed")
    created_at: str
    next_at: str | None
    ended_at: str | None
    object: str
    detail: dict[str, Any]


class DeliveryPage(BaseModel):
    """Messages, the newest first."""

    items: list[DeliveryView]
    next: str | None
