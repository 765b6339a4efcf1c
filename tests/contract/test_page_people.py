"""Pages of accounts, projects, organisations and operators: what is done on them is done, and they say why not."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from tests.helpers.live_park import LivePark

from eureka_park.accounts.core.roles import Role
from eureka_park.web.app import make_app
from eureka_park.web.auth import COOKIE

URL = "http://localhost:8386"


class Counter:
    """A park with an operator, a member of the park, and somebody new; `browser` is a signed-in one of each."""

    def __init__(self, live: LivePark) -> None:
        self.park, self.app = live.park, make_app(live.park)
        accounts = self.park.accounts
        self.ids = {"owner": accounts.ensure_owner()[0]}
        for name in ("ada", "ben"):
            self.ids[name] = accounts.people.add(name, email=f"{name}@example.org", is_verified=True)
        owner = accounts.principal_of_token(accounts.new_token(self.ids["owner"], "test"))
        accounts.places.give_role(owner, self.ids["ada"], Role.MEMBER, "park")
        self.visitor = self.client()
        self.browsers = {name: self.signed_in(person_id) for name, person_id in self.ids.items()}

    def client(self) -> TestClient:
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin", "Accept-Language": "en"}
        return TestClient(self.app, base_url=URL, headers=headers, follow_redirects=False)

    def signed_in(self, person_id: str) -> TestClient:
        browser, accounts = self.client(), self.park.accounts
        with self.park.db.write() as conn:
            browser.cookies.set(
                COOKIE, accounts.sessions.open(conn, person_id, method="link", client="Firefox", address="")
            )
        return browser

    def see(self, name: str, path: str, status: int = 200) -> str:
        answer = self.browsers[name].get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:300])
        return answer.text

    def do(self, name: str, path: str, status: int = 200, /, **fields: str) -> str:
        answer = self.browsers[name].post(path, data=fields)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:300])
        return answer.text


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counter]:
    live = LivePark(tmp_path_factory.mktemp("people"))
    yield Counter(live)
    live.park.close()


def test_visitors_are_sent_to_sign_in_and_come_back(counter: Counter) -> None:
    for path in ("/account", "/account/tokens", "/projects/none", "/operate/audit"):
        answer = counter.visitor.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={path}")
    assert "Sign in" in counter.visitor.get("/permissions?act=operate").text


def test_a_token_is_shown_once_and_ended(counter: Counter) -> None:
    made = counter.do("ada", "/account/tokens", name="laptop <1>", scope="read", days="30")
    secret = re.search(r"park_[\w-]{43}", made)
    assert secret and "laptop &lt;1&gt;" in made
    again = counter.see("ada", "/account/tokens")
    assert secret[0] not in again and "read" in again
    token = re.search(r'value="(token-[^"]+)"', again)
    assert token and "ended" in counter.do("ada", "/account/tokens/end", token=token[1])
    counter.do("ben", "/account/tokens/end", 404, token=token[1])
    counter.do("ada", "/account/tokens", 422, name="x", days="7777")


def test_an_account_is_named_listed_and_erased(counter: Counter) -> None:
    person_id = counter.park.accounts.people.add("Dua", email="dua@example.org", is_verified=True)
    counter.browsers["dua"] = counter.signed_in(person_id)
    other = counter.signed_in(person_id)
    assert "It is kept." in counter.do("dua", "/account", name="Dua B.", language="ar_MA")
    assert counter.see("dua", "/account/sessions").count("Firefox") == 2
    counter.do("dua", "/account/sessions", others="1")
    assert other.get("/account").status_code == 303
    assert "Tick the box" in counter.do("dua", "/account/erase", 422, sure_="")
    counter.do("dua", "/account/erase", 303, sure="1")
    assert counter.park.accounts.people.person(person_id).is_erased
    assert "Nobody else operates" in counter.do("owner", "/account/erase", 409, sure="1")


def test_a_project_gets_people_and_they_see_it(counter: Counter) -> None:
    counter.do("ada", "/projects", 303, what="project", id="solar", title="Solar <cells>")
    page = counter.see("ada", "/projects/solar")
    assert "Solar &lt;cells&gt;" in page and "Credits" in page
    counter.see("ben", "/projects/solar", 404)
    counter.do("ada", "/projects/solar", 303, do="give", person="BEN@example.org", role="member")
    assert ">ben<" in counter.see("ada", "/projects/solar") and "Solar" in counter.see("ben", "/projects")
    counter.do("ben", "/projects/solar", 403, do="settings", title="Mine")
    counter.do("ben", "/projects/solar", 303, do="take", person=counter.ids["ben"], role="member")
    assert "Nobody else leads" in counter.do(
        "ada", "/projects/solar", 409, do="take", person=counter.ids["ada"], role="lead"
    )
    assert "this id or e-mail" in counter.do(
        "ada", "/projects/solar", 404, do="give", person="x@example.org", role="lead"
    )
    assert "of this id already" in counter.do("ada", "/projects", 409, what="project", id="solar", title="x")
    counter.do("ada", "/projects/solar", 303, do="machine", name="robot")
    assert "robot" in counter.see("ada", "/projects/solar")


def test_an_organisation_keeps_what_invoices_need_to_itself(counter: Counter) -> None:
    counter.do("ada", "/projects", 303, what="organisation", id="um6p", title="UM6P", kind="university", country="MA")
    settings = {"do": "settings", "name": "UM6P", "kind": "university", "country": "MA"}
    assert "15 digits" in counter.do("ada", "/organisations/um6p", 422, **settings, ice="12")
    counter.do("ada", "/organisations/um6p", 303, **settings, ice="001234567000089")
    assert "001234567000089" in counter.see("ada", "/organisations/um6p")
    counter.see("ben", "/organisations/um6p", 404)
    counter.do("ada", "/organisations/um6p", 303, do="give", person=counter.ids["ben"], role="member")
    assert "001234567000089" not in counter.see("ben", "/organisations/um6p")


def test_the_page_of_permissions_says_why(counter: Counter) -> None:
    assert "You are \u2068" not in counter.see("owner", "/permissions?act=operate")
    assert "Yes. You are operator of this park." in counter.see("owner", "/permissions?act=operate")
    no = counter.see("ben", "/permissions?act=grant")
    assert "No. You hold no role in this park that allows it." in no and "An operator of this park" in no
    counter.see("ben", "/permissions?act=see&object=project:hidden", 404)


def test_operators_add_people_shut_them_out_and_read_what_was_done(counter: Counter) -> None:
    counter.see("ben", "/operate", 403)
    counter.do("ben", "/operate/people", 403, do="add", name="x")
    made = counter.do("owner", "/operate/people", do="add", name="Eli", email="eli@example.org")
    link = re.search(r"/sign-in\?code=[\w-]+", made)
    assert link and counter.client().get(link[0]).status_code == 303
    eli = counter.park.accounts.people.page(text="Eli")[0].person_id
    counter.do("owner", "/operate/people", do="shut", person=eli)
    assert "shut out" in counter.see("owner", "/operate/people?text=eli")
    counter.do("owner", "/operate/people", do="give", person=counter.ids["ben"], role="auditor")
    assert "person.disabled" in counter.see("ben", f"/operate/audit?thing={eli}")
    assert "Eli" in counter.see("ben", "/operate/people") and "Add, and make a link" not in counter.see(
        "ben", "/operate/people"
    )
    counter.do("ben", "/operate/people", 403, do="erase", person=eli, sure="1")
    counter.do("owner", "/operate/people", do="take", person=counter.ids["ben"], role="auditor")
    assert "Sound:" in counter.see("owner", "/operate/audit?check=1")
    assert "not said yet" in counter.see("owner", "/operate/duties") and "A second operator" in counter.see(
        "owner", "/operate"
    )


@pytest.mark.parametrize("lang", ["fr", "ar", "zgh"])
def test_every_page_draws_in_every_language(counter: Counter, lang: str) -> None:
    reader = counter.signed_in(counter.ids["owner"])  # a browser of its own: it keeps the language
    for path in ("/account", "/account/tokens", "/account/sessions", "/projects", "/permissions", "/operate/duties"):
        assert f'lang="{"fr" if lang == "zgh" else lang}"' in reader.get(f"{path}?lang={lang}").text[:400], path


def test_a_bill_has_grants_and_budgets_and_operators_give_them(counter: Counter) -> None:
    counter.do("ada", "/projects", 303, what="project", id="wind", title="Wind")
    counter.do("owner", "/operate/grants", 303, do="give", project="wind", credits="250", title="Spring", days="90")
    bridge = {"do": "give", "project": "wind", "credits": "5", "kind": "bridge", "days": "30"}
    counter.do("owner", "/operate/grants", 422, **bridge)
    counter.do("owner", "/operate/grants", 303, **bridge, title="award of June")
    bill = counter.see("ada", "/projects/wind/bill")
    assert "Spring" in bill and "250.00" in bill
    counter.do("ada", "/projects/wind/bill", 303, do="set", name="month", credits="40", hold="1")
    assert "then new jobs are held" in counter.see("ada", "/projects/wind/bill")
    assert "This is no amount" in counter.do("ada", "/projects/wind/bill", 422, do="set", name="x", credits="much")
    counter.see("ben", "/projects/wind/bill", 404)
    counter.do("ben", "/operate/grants", 403, do="give", project="wind", credits="1")
    prices = {f"{unit}_{tier}": "1" for unit in ("gpu", "cpu") for tier in ("firm", "flex", "green")}
    assert "No prices are set" in counter.see("owner", "/operate/prices")
    counter.do("owner", "/operate/prices", 303, **prices, label="board")
    assert "board" in counter.see("owner", "/operate/prices")
    assert "Whoever is new gets" in counter.visitor.get("/try").text
