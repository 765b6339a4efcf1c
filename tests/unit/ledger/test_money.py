"""Prices, grants, statements and money by hand, on both databases."""

from __future__ import annotations

import pytest
from tests.helpers.random_books import BANK_HEAD, OPERATOR, PRICES, OpenGate

from eureka_park.foundation.bank_numbers import check_iban, check_ice
from eureka_park.foundation.clock import SteppedClock
from eureka_park.foundation.errors import BadInput, Conflict, ParkError
from eureka_park.foundation.units import DAY_S, HOUR_S
from eureka_park.ledger.billing.service import Bill, Running
from eureka_park.ledger.books import store as books
from eureka_park.ledger.core.bank_file import names_in, read_bank, text_of
from eureka_park.ledger.core.invoicing import amounts_minor, safe_cell
from eureka_park.ledger.core.money_rules import MoneyRules, read_money_rules
from eureka_park.ledger.core.pricing import read_price_list
from eureka_park.ledger.money import store
from eureka_park.ledger.service import EnergyBooking, EnergyLine, LedgerService, Settlement
from eureka_park.ledger.statements import statement_csv
from eureka_park.ledger.store import metadata

START_S = 1_801_440_000.0  # 2027-02-01T00:00:00Z
KWH = 3_600_000_000_000
IBAN = "MA64011519000001205000534921"


class Heard(list):
    """What the ledger told."""

    def tell(self, _conn, event):
        self.append(event)

    def names(self):
        return [type(event).__name__ for event in self]


@pytest.fixture
def clock():
    return SteppedClock(START_S)


@pytest.fixture
def ledger(database, clock):
    return LedgerService(database, clock=clock, gate=OpenGate(), bus=Heard())


def step(ledger):
    with ledger.ground.db.write() as conn:
        ledger.grants.step(conn, ledger.ground.clock.park_s())


def spend(ledger, project, credits, name):
    """A job that holds and is charged so much."""
    at_s = ledger.ground.clock.park_s()
    rates = ledger.billing.price_list(at_s).rates("", "batch", "flex")
    hours = credits / 20.0
    bill = Bill(rates, "flex", "", "batch", hours * HOUR_S, round(credits * 1e6), 0)
    settlement = Settlement(name, project, "flex", 1, 0.0, hours * HOUR_S, at_s, "measured", False, {})
    with ledger.ground.db.write() as conn:
        ledger.billing.hold(conn, name, [name], "person-a", project, bill, at_s)
        return ledger.settle(conn, settlement)


def test_what_ends_first_is_spent_first_and_ends_where_it_lies(ledger, clock):
    ledger.billing.set_price_list(OPERATOR, PRICES)
    late = ledger.grants.give(OPERATOR, "solar", 100, valid_until_s=START_S + 60 * DAY_S)
    soon = ledger.grants.give(OPERATOR, "solar", 30, valid_until_s=START_S + 10 * DAY_S)
    spend(ledger, "solar", 40, "job-a")
    left = {item["grant_id"]: item["left_credits"] for item in ledger.grants.of_project(OPERATOR, "solar")}
    assert left == {soon.grant_id: 0.0, late.grant_id: 90.0}
    ledger.grants.move(OPERATOR, "solar", "wind", 50)
    assert ledger.grants.usable("wind", clock.park_s()) == 50
    for amount in (-1, 0, float("nan")):
        with pytest.raises(BadInput):
            ledger.grants.move(OPERATOR, "solar", "wind", amount)
    clock.step(61 * DAY_S)
    step(ledger)
    assert ledger.grants.usable("solar", clock.park_s()) == 0 == ledger.grants.usable("wind", clock.park_s())
    assert ledger.verify() == []


def test_halves_budgets_and_reclaim_go_by_rule(ledger, clock):
    ledger.billing.set_price_list(OPERATOR, PRICES)
    half = ledger.grants.give(OPERATOR, "solar", 100, in_halves=True)
    idle = ledger.grants.give(OPERATOR, "wind", 1000, valid_until_s=START_S + 100 * DAY_S)
    ledger.grants.set_budget(OPERATOR, "solar", "month", 40, action="hold")
    spend(ledger, "solar", 20, "job-a")
    step(ledger)
    assert ledger.grants.grant(OPERATOR, half.grant_id)["second_half"] == "open"
    spend(ledger, "solar", 20, "job-b")
    step(ledger)
    assert ledger.grants.grant(OPERATOR, half.grant_id)["second_half"] == "given"
    with pytest.raises(Conflict, match="holds new jobs"):
        spend(ledger, "solar", 1, "job-c")
    reached = [event.threshold_pct for event in ledger.ground.bus if type(event).__name__ == "BudgetReached"]
    assert reached == [50, 100]
    spend(ledger, "wind", 100, "job-d")
    clock.step(50 * DAY_S)
    step(ledger)
    noticed = ledger.grants.grant(OPERATOR, idle.grant_id)["reclaim"]
    assert (noticed["credits"], noticed["state"]) == (400.0, "noticed")
    clock.step(14 * DAY_S)
    step(ledger)
    step(ledger)
    assert ledger.grants.grant(OPERATOR, idle.grant_id)["left_credits"] == 500.0
    assert ledger.ground.bus.names().count("GrantReclaimed") == 1 and ledger.verify() == []


def test_a_month_adds_up_from_receipts_to_the_plants(ledger, clock):
    """Receipts + open jobs + idle + losses = plants to the microjoule; receipts as shown to less than a Wh."""
    shares, shown_kwh = {"koudia": 0.613, "grid": 0.387}, 0.0
    for hour in range(28 * 24):
        at_s = START_S + hour * HOUR_S
        uj = {f"job-{hour // 7}": KWH // 3 + hour, "job-open": KWH // 11, "idle": KWH // 7 + 3}
        lines = tuple(EnergyLine(name, it, it * 13 // 10, shares, "flex") for name, it in uj.items())
        sums = sum(line.it_uj for line in lines), sum(line.site_uj for line in lines)
        booking = EnergyBooking(
            at_s, at_s + HOUR_S, lines, {"koudia": 12.0, "grid": 600.0}, {"koudia": 0.4, "grid": 1.2}, *sums, "measured"
        )
        with ledger.ground.db.write() as conn:
            ledger.book_energy(conn, booking)
            if hour % 7 == 6:
                prices = {"mad_per_gpu_h": {"flex": 20.0}, "mad_per_cpu_h": {"flex": 0.4}}
                name = f"job-{hour // 7}"
                over = Settlement(name, "solar", "flex", 1, 2.0, 7 * HOUR_S, at_s, "measured", False, prices)
                shown_kwh += ledger.settle(conn, over)["kwh"]
    month = ledger.statements.balance("2027-02", {"koudia": 0.04})
    assert month["receipts_uj"] + month["open_uj"] + month["idle_uj"] == month["meter_uj"]
    assert month["meter_uj"] + month["losses_uj"] == month["plants_uj"] and month["losses_uj"] > 0
    assert abs(shown_kwh - month["kwh"]["receipts"]) < 1e-3
    told = ledger.statements.of_project(OPERATOR, "solar", "2027-02")
    assert told["n_jobs"] == 96 and len(told["days"]) == 28
    assert sum(told["kwh_by_source"].values()) == pytest.approx(month["kwh"]["receipts"], abs=1e-3)
    assert sum(told["gpu_h"].values()) == pytest.approx(96 * 7) and told["credits"] > 96 * 140
    carbon = ledger.statements.carbon(OPERATOR, "solar", "2027-02", 600.0)
    assert carbon["location_based"]["gco2"] > carbon["hour_matched"]["gco2"] > 0
    assert carbon["hour_matched"]["matched_frac"] == pytest.approx(0.613, abs=1e-6)
    assert statement_csv(told).splitlines()[-1].startswith("gco2,") and ledger.verify() == []


def test_a_company_pays_and_has_its_credits(ledger):
    asked = ledger.money.ask_top_up(OPERATOR, "solar", 1234.56)
    pro_forma = ledger.money.issue(OPERATOR, asked["top_up_id"], "pro_forma", {"name": "Atlas"})
    made = ledger.money.issue(OPERATOR, asked["top_up_id"], "invoice", {"name": "Atlas", "ice": "001 234 567 000 089"})
    assert (pro_forma.name, made.name) == ("PF-2027-000001", "EP-2027-000001")
    assert (made.net_minor, made.vat_minor, made.total_minor) == (123_456, 24_691, 148_147)
    with pytest.raises(Conflict):
        ledger.money.issue(OPERATOR, asked["top_up_id"], "invoice", {"name": "Atlas"})
    bank = f"{BANK_HEAD}\n2027-02-03,1481.46,MAD,{made.name}\n2027-02-04,1481.47,MAD,VIR {made.name} ATLAS\n"
    told = ledger.money.bank.read(OPERATOR, bank)
    assert [line["state"] for line in told["open"] + told["matched"]] == ["open", "matched"]
    assert ledger.money.bank.read(OPERATOR, bank) == {"matched": [], "open": [], "n_known": 2}
    assert ledger.grants.usable("solar", START_S) == pytest.approx(1234.56)
    assert ledger.money.invoices(OPERATOR, "solar")[0]["paid_at"] and ledger.verify() == []


def invoiced(ledger, credits, kind="invoice", currency="MAD"):
    asked = ledger.money.ask_top_up(OPERATOR, "solar", credits, currency)
    return ledger.money.issue(OPERATOR, asked["top_up_id"], kind, {"name": "Atlas"})


def test_lines_of_the_bank_wait_until_they_are_matched(ledger):
    late, offer = invoiced(ledger, 100), invoiced(ledger, 200, "pro_forma")
    pair = [invoiced(ledger, credits) for credits in (10, 20)]
    lines = [
        ("2027-02-03", "240,00", f"VIR {offer.name.replace('-', '')} ATLAS"),  # 0: a pro-forma, as banks write it
        ("04/02/2027", "36,00", f"{pair[0].name} et {pair[1].name}"),  # 1: two at once
        ("2027-02-05", "105,00", late.name),  # 2: the bank kept 15
        ("2027-02-05", "105,00", late.name),  # 3: the same line again, as another payment
        ("2027-02-06", "7,00", "INTERETS"),  # 4
        ("2027-02-07", "60,00", "EP-2027-000009"),  # 5: not issued yet
    ]
    file = "Date opération;Crédit;Libellé\n" + "".join(f"{day};{paid};{text}\n" for day, paid, text in lines)
    told = ledger.money.bank.read(OPERATOR, file, "MAD")
    assert [line["invoices"] for line in told["matched"]] == [["EP-2027-000004"], [item.name for item in pair]]
    why = {line["reference"]: line["why"] for line in told["open"]}
    assert why == {late.name: "other_amount", "INTERETS": "no_name", "EP-2027-000009": "unknown_name"}
    made = ledger.money.invoice(OPERATOR, "EP-2027-000004")
    assert (made.body["pro_forma"], made.total_minor, made.paid_at_s) == (offer.name, 24_000, START_S)
    assert ledger.money.bank.counts(OPERATOR) == {"open": 4, "matched": 2, "aside": 0}
    again = ledger.money.bank.read(OPERATOR, file, "MAD")
    assert (again["matched"], again["open"], again["n_known"]) == ([], [], 6)

    by_hand = ledger.money.bank.lines(OPERATOR, "open")
    kept, twice, interest, early = (line["line_id"] for line in by_hand)
    assert ledger.money.bank.fitting(OPERATOR, kept)[0]["name"] == late.name
    with pytest.raises(Conflict, match=r"15\.00 MAD less"):
        ledger.money.bank.match(OPERATOR, [kept], [late.name])
    assert ledger.money.bank.match(OPERATOR, [kept], [late.name], with_difference=True)["difference"] == -15
    for ids, name in (([kept], late.name), ([twice], late.name), ([twice], "EP-2027-000077")):
        with pytest.raises(ParkError):
            ledger.money.bank.match(OPERATOR, ids, [name], with_difference=True)
    ledger.money.bank.set_aside(OPERATOR, interest, "of the account")
    assert ledger.money.bank.put_back(OPERATOR, interest)["state"] == "open"
    for _ in range(5):
        last = invoiced(ledger, 50)
    assert last.name == "EP-2027-000009"
    assert [line["line_id"] for line in ledger.money.bank.again(OPERATOR)["matched"]] == [early]
    assert ledger.grants.usable("solar", START_S) == 100 + 200 + 30 + 50
    with ledger.ground.db.read() as conn:
        held = {key: amount / 1e6 for key, amount in books.all_balances(conn).items()}
    assert held["park:bank:MAD", "mad"] == 240 + 36 + 105 + 60 and held["park:differences", "mad"] == 15
    assert ledger.verify() == []


def test_a_key_does_a_thing_once_and_only_that_thing(ledger):
    for _ in range(2):
        asked = ledger.money.ask_top_up(OPERATOR, "solar", 100, key="k" * 300)
        given = ledger.grants.give(OPERATOR, "solar", 100, key="grant-1")
        ledger.grants.move(OPERATOR, "solar", "wind", 30, key="move-1")
    assert [item["top_up_id"] for item in ledger.money.top_ups(OPERATOR, "solar")] == [asked["top_up_id"]]
    assert [item["grant_id"] for item in ledger.grants.of_project(OPERATOR, "solar")] == [given.grant_id]
    assert ledger.grants.usable("wind", START_S) == 30
    with pytest.raises(Conflict, match="used for another"):
        ledger.money.ask_top_up(OPERATOR, "solar", 100, key="k" * 299 + "l") and ledger.grants.move(
            OPERATOR, "solar", "wind", 31, key="move-1"
        )
    with pytest.raises(Conflict, match="used for another"):
        ledger.grants.give(OPERATOR, "solar", 100, key="move-1")
    ledger.money.cancel_top_up(OPERATOR, asked["top_up_id"])
    with pytest.raises(Conflict):
        ledger.money.issue(OPERATOR, asked["top_up_id"], "invoice", {"name": "Atlas"})


def test_annotators_are_paid_out_once_and_batches_keep_their_date(ledger, clock):
    accounts = {"person-a": {"name": "A & B", "iban": IBAN}}
    pay = ledger.money.payouts
    pay.payees = lambda _conn, ids: {name: accounts[name] for name in ids if name in accounts}
    with ledger.ground.db.write() as conn:
        for name in ("person-a", "person-b") * 2:
            pay.earn(conn, name, 12.345, f"label-{name}", "200 labels", START_S)
    owed = [(item["person_id"], item["mad"], item["has_account"]) for item in pay.owed(OPERATOR)]
    assert owed == [("person-a", 12.34, True), ("person-b", 12.34, False)]
    batch = pay.make_batch(OPERATOR, ["person-a", "person-b"])
    assert (batch["n"], batch["mad"], batch["made_at"]) == (1, 12.34, "2027-02-01T00:00:00.000Z")
    with pytest.raises(Conflict):
        pay.make_batch(OPERATOR, ["person-a", "person-b"])
    with ledger.ground.db.write() as conn:
        for number in range(101):
            store.add_batch(conn, f"payout-{number}", START_S + DAY_S, "person-o", {"person-c": 1})
    with pytest.raises(BadInput, match="no bank account"):
        pay.file(OPERATOR, batch["batch_id"], "xml")
    ledger.money.rules_of = lambda: MoneyRules(seller={"name": "Park", "iban": IBAN})
    xml = pay.file(OPERATOR, batch["batch_id"], "xml")
    assert "<ReqdExctnDt>2027-02-01<" in xml and "<Nm>A &amp; B</Nm>" in xml and "<CtrlSum>12.34<" in xml
    assert f"person-a,A & B,{IBAN},12.34,MAD" in pay.file(OPERATOR, batch["batch_id"], "csv")
    accounts.clear()
    with pytest.raises(Conflict, match="taken their bank account away"):
        pay.file(OPERATOR, batch["batch_id"], "csv")
    with ledger.ground.db.read() as conn:
        rows = [str(tuple(row)) for table in metadata.sorted_tables for row in conn.execute(table.select())]
    assert rows and not any(IBAN in row for row in rows) and ledger.verify() == []


def test_what_an_operator_says_of_money_is_checked_field_by_field():
    rules = read_money_rules(
        {"vat_percent": 10, "due_days": 45, "series": "FA", "mad_per": {"EUR": 10.8},
         "seller": {"name": "Park SA", "ice": "001 234 567 000 089", "iban": IBAN}}
    )  # fmt: skip
    assert (rules.vat_frac, rules.mad_per, rules.series) == (0.1, {"MAD": 1.0, "EUR": 10.8}, "FA")
    assert rules.seller["ice"] == "001234567000089" and rules.missing == ["address", "tax_id"]
    wrong = ({"vat": 20}, {"vat_percent": "20"}, {"vat_percent": 200}, {"series": "ep"}, {"series": "PF"},
             {"mad_per": {"MAD": 2}}, {"mad_per": {"EUR": 0}}, {"mad_per": []}, {"seller": {"iban": "MA00"}},
             {"seller": {"colour": "blue"}}, {"seller": {"name": 1}}, {"due_days": True})  # fmt: skip
    for table in wrong:
        with pytest.raises(BadInput, match=r"accounts.toml \[money") as caught:
            read_money_rules(table)
        assert caught.value.fix.startswith("Change the file")


@pytest.mark.parametrize(
    ("reference", "names"),
    [("VIR RECU EP2027000012 ATLAS", ["EP-2027:12"]), ("ep 2027 / 12, PF-2027-000001", ["EP-2027:12", "PF-2027:1"]),
     ("EP22027000001", ["EP2-2027:1"]), ("REF 20270203", []), ("XEP-2027-0000001", []), ("", [])],
)  # fmt: skip
def test_what_banks_make_of_a_number_is_still_found(reference: str, names: list[str]) -> None:
    assert [f"{series}:{number}" for series, number in names_in(reference)] == names


def test_files_of_banks_are_read_as_they_come() -> None:
    text = "Libellé\tDate valeur\tDébit\tCrédit\nEP-2027-000001\t1/2/2027\t\t1 200,00\nfrais\t01/02/2027\t5,00\t\n"
    for body in (text.encode("cp1252"), text.encode("utf-8-sig"), text.encode("utf-16")):
        (line,) = read_bank(text_of(body), "EUR")
        assert (line.day, line.amount_minor, line.currency) == ("2027-02-01", 120_000, "EUR")
    for bad in ("2027-02-30", "31/02/2027", "02/2027"):
        with pytest.raises(BadInput, match="Line 2"):
            read_bank(f"{BANK_HEAD}\n{bad},1.00,MAD,x\n")
    with pytest.raises(BadInput):
        read_bank(BANK_HEAD + "\n" + "x" * 200_000)


def test_what_cannot_be_used_is_refused():
    assert check_ice("001 234 567 000 089") == "001234567000089" and check_iban("GB82 WEST 1234 5698 7654 32")
    for bad in ("", "12", "00123456700008x"):
        with pytest.raises(BadInput):
            check_ice(bad)
    with pytest.raises(BadInput):
        check_iban("GB82 WEST 1234 5698 7654 33")
    for text in ("", "date,amount\n", f"{BANK_HEAD}\n2027-02-03,twelve,MAD,x\n"):
        with pytest.raises(BadInput):
            read_bank(text)
    for body in ({}, {**PRICES, "mad_per_cpu_h": {"flex": 1.0}}, {**PRICES, "tax": 1}):
        with pytest.raises(BadInput):
            read_price_list(body, 0.0)
    assert amounts_minor(1_005_000, 1.0, 0.2) == (101, 20, 121) and safe_cell("=1+1") == "'=1+1"
    assert safe_cell("-12.5") == "-12.5" and Running("a", 1, 1.0, 0.0).node_s == 0


@pytest.mark.parametrize(
    ("amount", "minor"),
    [("1200", 120_000), ("1200.5", 120_050), ("1200,50", 120_050), ("1,200.00", 120_000), ("1.200,00", 120_000),
     ("1 200,00", 120_000)],
)  # fmt: skip
def test_amounts_of_a_bank_are_read_as_they_are_meant(amount: str, minor: int) -> None:
    (line,) = read_bank(f"date;amount;currency;reference\n2027-03-01;{amount};MAD;FAC-2027-000001\n")
    assert line.amount_minor == minor


@pytest.mark.parametrize("amount", ["1,200", "1.200", "12.345", "1,2,0.00", "Infinity", "NaN", "1e9", ""])
def test_amounts_that_may_mean_two_things_are_refused(amount: str) -> None:
    with pytest.raises(BadInput, match="is no amount"):
        read_bank(f"date;amount;currency;reference\n2027-03-01;{amount};MAD;x\n")
