"""Credits and money over the API and the command line, in one park from its price list to a paid invoice."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from fastapi.testclient import TestClient
from sqlalchemy import update
from tests.helpers.live_park import LivePark

from eureka_park.accounts.payees.service import FRESH_S
from eureka_park.accounts.payees.store import payees
from eureka_park.cli.main import cli
from eureka_park.foundation.errors import ParkError
from eureka_park.ledger.service import Running
from eureka_park.web.app import make_app
from eureka_park.web.auth import COOKIE
from eureka_park.web.pages.papers import invoice_html, statement_html
from eureka_park.web.pages.words import Words

TIERS = {"firm": 6.0, "flex": 4.0, "green": 2.0}
PRICES = {"mad_per_gpu_h": {"*": {"*": TIERS}}, "mad_per_cpu_h": {"*": TIERS}, "label": "a test's"}


@pytest.fixture
def live(tmp_path):
    made = LivePark(tmp_path)
    yield made
    made.park.close()


@pytest.fixture
def ask(live):
    accounts = live.park.accounts
    token = accounts.new_token(accounts.ensure_owner()[0], "test")
    client = TestClient(make_app(live.park), base_url="http://localhost:8386")

    def call(method, path, status=200, **more):
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        answer = client.request(method, f"/api/v1{path}", headers=headers, **more)
        assert answer.status_code == status, answer.text
        return answer

    return call


def test_from_a_price_list_to_a_paid_invoice(live, ask):
    assert ask("GET", "/prices").json()["items"] == []
    ask("POST", "/prices", 422, json={**PRICES, "mad_per_cpu_h": {"*": {"firm": 1}}})
    ask("POST", "/prices", 409, json={**PRICES, "valid_from": "2020-01-01"})
    assert ask("POST", "/prices", 201, json=PRICES).json()["mad_per_cpu_h"]["*"] == TIERS
    ask("POST", "/projects", 201, json={"project_id": "solar", "title": "Solar"})
    refused = ask("POST", "/jobs", 409, json={"command": ["true"], "project": "solar", "time": "1h", "cpus": 2})
    assert refused.json()["error"]["code"] == "no_credit"

    grant = ask("POST", "/grants", 201, json={"project": "solar", "credits": 50, "valid_until": "2027-06-01"}).json()
    assert (grant["left_credits"], grant["second_half"]) == (50, "none")
    ask("PUT", "/projects/solar/budgets/month", 204, json={"credits": 100, "action": "hold"})
    job = live.submit(run_s=1800, project="solar", time="1h", cpus=2, tier="green")
    held = ask("GET", "/projects/solar/bill").json()
    assert 45.5 < held["usable_credits"] < 46 and held["budgets"][0]["spent_credits"] == 0
    live.step(5.0, 3)
    live.step(600.0, 4)
    receipt, bill = live.receipt(job), ask("GET", "/projects/solar/bill").json()
    assert bill["usable_credits"] == pytest.approx(50 - receipt["credits"])
    assert (
        bill["budgets"][0]["spent_credits"] == pytest.approx(receipt["credits"]) and receipt["price"]["ceiling_credits"]
    )

    month = ask("GET", "/projects/solar/statements/2026-11").json()
    assert month["n_jobs"] == 1 and month["credits"] == pytest.approx(receipt["credits"])
    assert "sum,2026-11," in ask("GET", "/projects/solar/statements/2026-11/csv").text
    paper = statement_html(month, Words("en"), live.park)
    assert "Statement of" in paper and "solar" in paper and "never added" in paper
    assert ask("GET", "/projects/solar/carbon/2026-11").json()["location_based"]["gco2"] >= 0
    for month in ("2026-13", "9999-12", "1969-12", "1970-01/hours"):
        ask("GET", f"/projects/solar/carbon/{month}", 422)

    asked = ask("POST", "/projects/solar/top-ups", 201, json={"credits": 100}).json()
    path = f"/top-ups/{asked['top_up_id']}/invoices"
    ask("POST", path, 422, json={"kind": "invoice", "name": "Atlas", "ice": "12"})
    made = ask("POST", path, 201, json={"kind": "invoice", "name": "<Atlas>", "ice": "001234567000089"}).json()
    assert (made["total"], made["name"][-6:]) == (120.0, "000001") and "&lt;Atlas&gt;" in invoice_html(
        made, Words("ar")
    )
    bank = f"date;amount;currency;reference\n2026-11-25;120,00;MAD;Virement {made['name']}\n"
    assert ask("POST", "/bank", json={"csv": bank}).json()["matched"][0]["invoice"] == made["name"]
    assert ask("POST", "/bank", json={"csv": bank}).json()["n_known"] == 1
    assert ask("GET", "/projects/solar/invoices").json()["items"][0]["paid_at"]
    assert ask("GET", "/projects/solar/bill").json()["usable_credits"] == pytest.approx(150 - receipt["credits"])
    ask("POST", f"/grants/{grant['grant_id']}/end")
    ask("POST", f"/grants/{grant['grant_id']}/second-half", 409)
    assert live.park.ledger.verify() == []


def test_a_key_does_once_what_it_asked_for(live, ask):
    for name in ("sea", "solar"):
        ask("POST", "/projects", 201, json={"project_id": name, "title": name})
    for path, body in (
        ("/grants", {"project": "sea", "credits": 40}),
        ("/projects/sea/top-ups", {"credits": 30}),
        ("/projects/sea/transfers", {"to": "solar", "credits": 10}),
    ):
        status = 200 if path.endswith("transfers") else 201
        key = {"Idempotency-Key": path.rpartition("/")[2] * 10}
        first, again = (ask("POST", path, status, json=body, headers=key).json() for _ in range(2))
        assert first == again
        changed = ask("POST", path, 409, json={**body, "credits": 11}, headers=key).json()["error"]
        assert changed["code"] == "key_reused"
    assert ask("GET", "/projects/sea/bill").json()["usable_credits"] == 30
    ask("POST", "/grants", 422, json={"project": "sea", "credits": 1}, headers={"Idempotency-Key": "k" * 201})
    with live.park.db.read() as conn:
        kept = [str(tuple(row)) for row in conn.exec_driver_sql("SELECT * FROM repeats")]
    assert len(kept) == 3 and not any("grantsgrants" in row for row in kept)


def test_the_bank_and_payouts_over_the_api(live, ask):
    ask("POST", "/projects", 201, json={"project_id": "solar", "title": "Solar"})
    asked = ask("POST", "/projects/solar/top-ups", 201, json={"credits": 10}).json()
    made = ask("POST", f"/top-ups/{asked['top_up_id']}/invoices", 201, json={"kind": "pro_forma", "name": "A"}).json()
    lines = f"date,amount,currency,reference\n2026-11-26,11.00,MAD,{made['name']}\n"
    (line,) = ask("POST", "/bank", json={"csv": lines}).json()["open"]
    assert line["why"] == "other_amount" and ask("POST", "/bank/again").json() == {"matched": [], "n_open": 1}
    assert ask("GET", f"/bank/lines/{line['line_id']}/fitting").json()["items"][0]["name"] == made["name"]
    match = {"lines": [line["line_id"]], "invoices": [made["name"]]}
    ask("POST", "/bank/match", 409, json=match)
    told = ask("POST", "/bank/match", json={**match, "with_difference": True}).json()
    assert told["difference"] == -1 and told["matched"][0]["invoices"][0].startswith("EP-")
    assert ask("GET", "/bank/lines?state=open").json()["items"] == []
    ask("POST", f"/bank/lines/{line['line_id']}/aside", 409, json={"note": "x"})
    iban = "MA64011519000001205000534921"
    refused = ask("PUT", "/account/bank-account", 403, json={"iban": iban, "holder": "Owner"}).json()
    assert refused["error"]["code"] == "not_recent", "a token alone moves nobody's pay"
    with live.park.db.write() as conn:
        opened = live.park.accounts.sessions.open(conn, live.owner.person_id, method="link")
    browser = {"Authorization": "", "Cookie": f"{COOKIE}={opened}", "Sec-Fetch-Site": "same-origin"}
    ask("PUT", "/account/bank-account", 422, json={"iban": iban[:-1] + "2", "holder": "Owner"}, headers=browser)
    put = ask("PUT", "/account/bank-account", json={"iban": iban, "holder": "Owner"}, headers=browser).json()
    assert put["iban"] == "MA64 … 4921"
    with live.park.db.write() as conn:
        live.park.ledger.money.payouts.earn(conn, live.owner.person_id, 5, "k", "labels", live.clock.park_s())
    owed = ask("GET", "/payouts/owed").json()["items"]
    assert owed[0]["has_account"] and owed[0]["is_fresh"]
    ask("POST", "/payouts", 409, json={"person_ids": [owed[0]["person_id"]]})
    with live.park.db.write() as conn:
        conn.execute(update(payees).values(changed_at_s=payees.c.changed_at_s - FRESH_S))
    batch = ask("POST", "/payouts", 201, json={"person_ids": [owed[0]["person_id"]]}).json()
    assert batch["payments"] == [{"person_id": owed[0]["person_id"], "mad": 5.0}]
    assert iban in ask("GET", f"/payouts/{batch['batch_id']}/file?form=csv").text
    assert ask("GET", f"/payouts/{batch['batch_id']}/file", 422).json()["error"]["code"] == "no_payer_iban"
    ask("DELETE", "/account/bank-account", 403)
    ask("DELETE", "/account/bank-account", 204, headers=browser)
    assert ask("GET", "/money/rules").json()["vat_percent"] == 20


def test_whoever_is_new_has_a_small_grant_once_and_counts_in_the_time_to_first_job(live, ask):
    people, ledger = live.park.accounts.people, live.park.ledger
    person_id = people.add("Nour", email="nour@example.org")
    for _ in range(2):
        with live.park.db.write() as conn:
            people.verify(conn, person_id, by_email=True)
    project = f"try-{person_id.removeprefix('person-')}"
    assert ledger.grants.usable(project, live.clock.park_s()) == 20
    who = live.park.accounts.principal_of_token(live.park.accounts.new_token(person_id, "test"))
    live.park.compute.submit(who, {"command": ["true"], "project": project, "time": "10m", "tier": "green"})
    told = ask("GET", "/time-to-first-job").json()
    assert told["steps"]["submitted"] == {"n": 1, "p50_s": None, "p90_s": None, "within": None}
    assert str(person_id) not in json.dumps(told)


def test_what_was_used_paid_back_and_stored_is_told(live, ask, monkeypatch):
    """The report of a grant, refunds and storage over the API and on the command line; nobody else's grant is told."""
    ask("POST", "/prices", 201, json={**PRICES, "mad_per_gib_month": 1.5})
    ask("POST", "/projects", 201, json={"project_id": "wind", "title": "Wind"})
    ask("POST", "/grants", 422, json={"project": "wind", "credits": 5, "kind": "bridge"})
    body = {"project": "wind", "credits": 40, "kind": "bridge", "awaits": "award of March", "valid_until": "2027-01-31"}
    bridge = ask("POST", "/grants", 201, json=body).json()
    assert bridge["awaits"] == "award of March"
    job = live.submit(run_s=9000, project="wind", time="3h", cpus=2, tier="firm")
    live.step(5.0, 3)
    live.step(600.0, 9)
    with live.park.db.write() as conn:
        running = Running(job, 0, 2.0, 5400.0)
        live.park.ledger.billing.excuse(conn, running, "lost_node", live.clock.park_s(), is_all=True)
        live.park.ledger.storage.book_day(conn, "wind", live.clock.park_s(), 60 * 2**30)
    live.step(600.0, 9)
    told = ask("GET", f"/grants/{bridge['grant_id']}/report").json()
    assert told["n_jobs"] == 1 and told["work"][0]["class"] == "batch" and told["storage_credits"] == 3.0
    assert told["spent_credits"] == pytest.approx(told["people"][0]["credits"] + 3.0) and told["released_by"] is None
    (back,) = ask("GET", "/projects/wind/bill").json()["refunds"]
    assert (back["job_id"], back["why"]) == (job, "lost_node") and back["credits"] > 10
    assert ask("GET", f"/jobs/{job}/receipt").json()["refunds"][0]["credits"] == back["credits"]
    month = ask("GET", "/projects/wind/storage/2026-11").json()
    assert (month["gib_months"], month["credits"], month["n_days"]) == (2.0, 3.0, 1)
    statement = ask("GET", "/projects/wind/statements/2026-11").json()
    assert (statement["gib_months"], statement["storage_credits"]) == (2.0, 3.0)
    accounts = live.park.accounts
    stranger = accounts.principal_of_token(accounts.new_token(accounts.people.add("Sam", email="s@example.org"), "t"))
    with pytest.raises(ParkError) as refused:
        live.park.ledger.grants.report(stranger, bridge["grant_id"])
    assert refused.value.code in ("not_found", "forbidden", "no_such_project")
    bills = SimpleNamespace(bills=SimpleNamespace(report=lambda _id: told, bill=lambda _id: {"refunds": [back]}))
    monkeypatch.setattr("eureka_park.cli.bills.park", lambda: bills)
    said = CliRunner().invoke(cli, ["grant", "report", bridge["grant_id"]])
    assert said.exit_code == 0 and "firm batch" in said.output and "3.00 credits for storage" in said.output
    said = CliRunner().invoke(cli, ["refunds", "wind"], env={"COLUMNS": "120"})
    assert said.exit_code == 0 and "a failed node lost the work" in said.output


def test_the_command_line_checks_the_books(live, ask):
    ask("POST", "/projects", 201, json={"project_id": "solar", "title": "Solar"})
    ask("POST", "/grants", 201, json={"project": "solar", "credits": 5})
    found = CliRunner().invoke(cli, ["ledger", "verify", "--home", str(live.folder), "--json"])
    assert (found.exit_code, json.loads(found.output)) == (0, {"is_sound": True, "faults": []})
    with live.park.db.write() as conn:
        conn.exec_driver_sql("UPDATE balances SET amount_micro = amount_micro + 1 WHERE account = 'park:grants'")
    found = CliRunner().invoke(cli, ["ledger", "verify", "--home", str(live.folder)])
    assert found.exit_code == 1 and "Account park:grants holds" in found.output
