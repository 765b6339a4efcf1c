"""Pages of money: what is moved, bought, matched and paid out on them is done, once, and they say why not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, update
from tests.helpers.live_park import LivePark

from eureka_park.accounts.core.roles import Role
from eureka_park.accounts.payees.service import FRESH_S
from eureka_park.accounts.payees.store import payees
from eureka_park.web.app import make_app
from eureka_park.web.auth import COOKIE

URL = "http://localhost:8386"
IBAN = "MA64011519000001205000534921"
MONEY = (
    '[money]\nvat_percent = 10\n[money.seller]\nname = "Our park"\nice = "001234567000089"\n[money.mad_per]\nEUR = 10\n'
)


def plain(text: str) -> str:
    """A page without the signs that keep figures apart."""
    return re.sub("[\u2068\u2069]", "", text)


class Desk:
    """A park with an operator (`owner`), and a lead of two projects of an organisation (`ada`)."""

    def __init__(self, live: LivePark) -> None:
        self.live, self.park = live, live.park
        (live.folder / "accounts.toml").write_text(MONEY)
        self.app, accounts = make_app(self.park), self.park.accounts
        self.owner = live.owner
        self.ada = accounts.people.add("ada", is_verified=True)
        accounts.places.give_role(self.owner, self.ada, Role.MEMBER, "park")
        accounts.places.new_organisation(self.owner, "atlas", "Atlas", "company")
        accounts.places.change_organisation(self.owner, "atlas", {"billing": {"ice": "001987654000012"}})
        for name in ("solar", "wind"):
            accounts.places.new_project(self.owner, name, name.title(), organisation_id="atlas" * (name == "solar"))
            accounts.places.give_role(self.owner, self.ada, Role.LEAD, f"project:{name}")
        self.park.ledger.grants.give(self.owner, "solar", 100)
        self.browsers = {"owner": self._signed_in(self.owner.person_id), "ada": self._signed_in(self.ada)}

    def _signed_in(self, person_id: str) -> TestClient:
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
        browser = TestClient(self.app, base_url=URL, headers=headers, follow_redirects=False)
        with self.park.db.write() as conn:
            opened = self.park.accounts.sessions.open(conn, person_id, method="link", client="Firefox", address="")
        browser.cookies.set(COOKIE, opened)
        return browser

    def see(self, name: str, path: str, status: int = 200) -> str:
        answer = self.browsers[name].get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:300])
        return answer.text

    def do(self, name: str, path: str, status: int = 303, /, **fields: str) -> str:
        answer = self.browsers[name].post(path, data=fields)
        assert answer.status_code == status, (path, answer.status_code, answer.text[-2500:])
        return answer.text

    def usable(self, project: str) -> float:
        return self.park.ledger.grants.usable(project, self.park.clock.park_s())


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    live = LivePark(tmp_path_factory.mktemp("money"))
    yield Desk(live)
    live.park.close()


def test_credits_are_moved_once_however_often_the_form_comes(desk: Desk) -> None:
    page = desk.see("ada", "/projects/solar/transfers")
    key = re.search(r'name="key" value="(\w+)"', page)
    assert key and 'value="wind"' in page
    for _ in range(2):
        desk.do("ada", "/projects/solar/transfers", to="wind", credits="30,5", key=key[1])
    assert (desk.usable("solar"), desk.usable("wind")) == (69.5, 30.5)
    for fields, status, said in (
        ({"to": "wind", "credits": "31", "key": key[1]}, 409, "This form was sent before"),
        ({"to": "wind", "credits": "1e9"}, 422, "This is no amount"),
        ({"to": "wind", "credits": "5000"}, 409, "less than that left"),
    ):
        assert said in desk.do("ada", "/projects/solar/transfers", status, **fields)
    desk.do("ada", "/projects/solar/transfers", 404, to="nowhere", credits="1")


def test_a_lead_buys_and_the_bank_s_file_brings_the_credits(desk: Desk) -> None:
    assert "110.00" in desk.see("ada", "/projects/solar/top-ups")  # a hundred credits with VAT
    for credits in ("200", "400", "50"):
        desk.do("ada", "/projects/solar/top-ups", credits=credits, currency="MAD")
    waiting = desk.see("owner", "/operate/money")
    assert waiting.count("Issue the invoice") == 3 and "001987654000012" in waiting and "Our park" in waiting
    asked = {item["credits"]: item["top_up_id"] for item in desk.park.ledger.money.top_ups(desk.owner)}
    desk.do("ada", "/projects/solar/top-ups", do="cancel", top_up=asked[50.0])
    assert "ICE has 15 digits" in desk.do("owner", "/operate/money", 422, do="invoice", top_up=asked[200.0], ice="1")
    desk.do("owner", "/operate/money", do="invoice", top_up=asked[200.0])
    desk.do("owner", "/operate/money", do="pro_forma", top_up=asked[400.0])
    desk.do("ada", "/operate/money", 403, do="invoice", top_up=asked[400.0])
    assert "EP-2026-000001" in desk.see("ada", "/projects/solar/top-ups")
    before = desk.usable("solar")
    body = (
        "Date;Montant;Libellé\n25/11/2026;440,00;VIR PF2026000001\n26/11/2026;215,00;EP-2026-000001 <frais>\n"
        "26/11/2026;3,00;INTERETS\n"
    )
    files = {"file": ("bank.csv", body.encode("cp1252"), "text/csv")}
    sent = {"do": "read", "currency": "MAD"}
    answer = desk.browsers["owner"].post("/operate/bank", data=sent, files=files)
    read = plain(answer.text)
    assert answer.status_code == 200 and "1 line gave credits." in read and "2 new lines wait." in read
    assert "another amount" in read and "&lt;frais&gt;" in read
    again = desk.browsers["owner"].post("/operate/bank", data=sent, files=files)
    assert "3 were here before." in plain(again.text) and desk.usable("solar") == before + 400
    lines = {item["reference"][:8]: item["line_id"] for item in desk.park.ledger.money.bank.lines(desk.owner, "open")}
    match = {"do": "match", "line": lines["EP-2026-"], "invoice": "EP-2026-000001", "more": ""}
    assert "The amounts differ" in desk.do("owner", "/operate/bank", 409, **match)
    desk.do("owner", "/operate/bank", with_difference="1", **match)
    desk.do("owner", "/operate/bank", do="aside", line=lines["INTERETS"], note="of the account")
    assert "of the account" in desk.see("owner", "/operate/bank?state=aside")
    assert desk.usable("solar") == before + 600 and "Nothing waits." in desk.see("owner", "/operate/bank")
    assert "No file was chosen" in desk.do("owner", "/operate/bank", 422, do="read")
    desk.see("ada", "/operate/bank", 403)
    assert desk.park.ledger.verify() == []


def test_people_are_paid_to_the_account_they_named_and_erasing_takes_it(desk: Desk) -> None:
    with desk.park.db.write() as conn:
        desk.park.ledger.money.payouts.earn(conn, desk.ada, 44.0, "label-1", "labels", desk.park.clock.park_s())
    assert "have not said it yet" in desk.see("owner", "/operate/payouts")
    assert "no IBAN" in desk.do("ada", "/account/pay", 422, iban="MA6401151900000120500053492", holder="Ada")
    desk.do("ada", "/account/pay", iban=f" {IBAN[:4]} {IBAN[4:]}", holder="Ada L.")
    token = {"Authorization": f"Bearer {desk.park.accounts.new_token(desk.ada, 'ci')}"}
    refused = desk.browsers["ada"].post("/account/pay", data={"do": "drop"}, headers=token)
    assert refused.status_code == 403 and "Sign in once more" in refused.text
    page = desk.see("ada", "/account/pay")
    assert "44.00" in page and IBAN not in page and "MA64 … 4921" in page
    assert "bank_account" in desk.browsers["ada"].get("/api/v1/account/export").text
    with desk.park.db.read() as conn:
        kept = conn.execute(select(payees.c.iban)).scalar_one()
    assert kept.startswith("sealed:") and IBAN not in kept
    assert "Changed less than three days ago" in desk.see("owner", "/operate/payouts")
    assert "Nobody of them" in desk.do("owner", "/operate/payouts", 409, person=desk.ada)
    with desk.park.db.write() as conn:  # three days later; the row is as they were of old, in clear
        conn.execute(update(payees).values(changed_at_s=payees.c.changed_at_s - FRESH_S, iban=IBAN))
    desk.do("owner", "/operate/payouts", person=desk.ada)
    batch = re.search(r"/api/v1/payouts/(payout-\w+)/file\?form=csv", desk.see("owner", "/operate/payouts"))
    assert batch and f"Ada L.,{IBAN},44.00,MAD" in desk.see("owner", batch[0])
    desk.see("ada", batch[0], 403)
    desk.do("ada", "/account/pay", iban=IBAN, holder="Ada L.")
    desk.see("owner", batch[0], 409)  # whoever changes it once the batch is made is not paid there at once either
    desk.park.accounts.people.erase(desk.owner, desk.ada)
    desk.see("owner", batch[0], 409)
    with desk.park.db.read() as conn:
        assert desk.park.ledger.payees.of(conn, [desk.ada]) == {}


def test_months_and_carbon_are_shown_apart(desk: Desk) -> None:
    desk.live.submit(run_s=1800, project="wind", time="1h", cpus=1)
    desk.live.step(5.0, 3)
    desk.live.step(600.0, 5)
    page = desk.see("owner", "/projects/wind/carbon")
    assert "Location-based" in page and "Hour-matched" in page and 'class="hours"' in page and 'class="months"' in page
    told = desk.browsers["owner"].get("/api/v1/projects/wind/carbon/2026-11/hours").json()
    month = desk.browsers["owner"].get("/api/v1/projects/wind/statements/2026-11").json()
    by_hour = sum(kwh for row in told["hours"] for kwh in row["kwh_by_source"].values())
    assert by_hour == pytest.approx(sum(month["kwh_by_source"].values()), abs=5e-6) and by_hour > 0
    assert [row["month"] for row in told["months"]][-2:] == ["2026-10", "2026-11"]
    assert "Nothing was used" in desk.see("owner", "/projects/wind/months?month=2026-10")
    assert "2026-11" in desk.see("owner", "/projects/wind/months?month=2026-99")
    desk.see("owner", "/organisations/atlas/months")
