"""What the API says and is told of the bank's lines, payouts and bank accounts."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from eureka_park.web.request_schemas import Body


class BankRequest(Body):
    """A bank's CSV: date, amount, currency, reference; `currency` of the account where no column says it."""

    csv: str = Field(min_length=1, max_length=2_000_000)
    currency: str = Field("", max_length=3)


class BankLineView(BaseModel):
    """A payment. `why` it is open: no_name, unknown_name, other_amount, other_currency, paid_before."""

    line_id: str
    date: str
    amount: float
    currency: str
    reference: str
    invoice: str | None
    invoices: list[str]
    state: str
    why: str
    note: str
    closed_at: str | None
    closed_by: str


class BankLinePage(BaseModel):
    """Lines of the bank in one state: open ones from the oldest on, others with the newest first."""

    items: list[BankLineView]
    counts: dict[str, int]
    next: str | None = None


class BankRead(BaseModel):
    """What a bank's file brought."""

    matched: list[BankLineView]
    open: list[BankLineView]
    n_known: int


class BankAgain(BaseModel):
    """What came of trying all open lines again."""

    matched: list[BankLineView]
    n_open: int


class BankMatchRequest(Body):
    """What open lines pay: invoices or pro-formas by name."""

    lines: list[Annotated[str, Field(max_length=64)]] = Field(min_length=1, max_length=50)
    invoices: list[Annotated[str, Field(max_length=40)]] = Field(min_length=1, max_length=8)
    with_difference: bool = False


class BankMatched(BaseModel):
    """Lines that were matched by hand, and what they brought beyond what was asked for."""

    matched: list[BankLineView]
    difference: float


class AsideRequest(Body):
    """Why a line pays no invoice."""

    note: str = Field("", max_length=200)


class OwedView(BaseModel):
    """Whom the park owes, and whether it is known whereto; `is_fresh`: since less than three days, and not paid yet."""

    person_id: str
    mad: float
    has_account: bool
    is_fresh: bool


class OwedPage(BaseModel):
    """All whom the park owes a centime or more."""

    items: list[OwedView]
    next: str | None = None


class PayoutRequest(Body):
    """Who is to be paid."""

    person_ids: list[Annotated[str, Field(max_length=64)]] = Field(min_length=1, max_length=2000)


class PaymentView(BaseModel):
    """What a batch pays somebody."""

    person_id: str
    mad: float


class BatchView(BaseModel):
    """A batch of payouts."""

    batch_id: str
    made_at: str
    made_by: str
    n: int
    mad: float
    payments: list[PaymentView] = []


class BatchPage(BaseModel):
    """Batches, the newest first."""

    items: list[BatchView]
    next: str | None = None


class BankAccountRequest(Body):
    """Whereto one's own pay goes."""

    iban: str = Field(min_length=5, max_length=60)
    holder: str = Field(min_length=1, max_length=70)


class BankAccountView(BaseModel):
    """One's own bank account, its number with its ends alone; and what one has earned and was not paid yet."""

    holder: str | None
    iban: str | None
    changed_at: str | None
    owed_mad: float
