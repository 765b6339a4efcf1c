"""Invitations and other addresses: who may ask, what the reader of a letter sees, what strangers cannot learn or do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient
from tests.helpers.entrance import PASSWORD, URL, Entrance

from eureka_park.accounts.core.roles import Role
from eureka_park.accounts.sign_in.invitations import A_DAY_MAX

LEAD_PAGE = "/projects/solar"


class Doors(Entrance):
    """A park with the project solar, its lead in a browser, and somebody with an account."""

    def __init__(self, folder: Any) -> None:
        super().__init__(folder)
        places = self.park.accounts.places
        self.lead, self.other = self.sign_up("lead@uni.example", "Lead"), self.sign_up("omar@uni.example", "Omar")
        for project in ("solar", "wind"):
            places.new_project(self.live.owner, project, project.capitalize())
        places.give_role(self.live.owner, self.id_of(self.lead), Role.LEAD, "project:solar")
        places.give_role(self.live.owner, self.id_of(self.other), Role.LEAD, "project:wind")

    def id_of(self, browser: TestClient) -> str:
        return str(self.who(browser)["person_id"])

    def invite(self, email: str, browser: TestClient | None = None, **more: str) -> Any:
        form = {"do": "invite", "email": email, "role": "member", "days": "14", **more}
        return (browser or self.lead).post(LEAD_PAGE, data=form)

    def letters(self, n: int) -> dict[str, Any]:
        """So many letters by who gets them; they do not come in the order in which they were sent."""
        found = [self.mail.next() for _ in range(n)]
        return {letter["To"]: letter for letter in found}

    def roles(self, person_id: str) -> set[str]:
        held = self.park.accounts.places.roles_of(person_id)
        return {f"{item.role}@{item.scope}" for item in held if "try-" not in item.scope}


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    doors = Doors(tmp_path_factory.mktemp("doors"))
    yield doors
    doors.stop()


def link_in(letter: Any) -> str:
    found = re.search(r"http\S+code=\S+", letter.get_content())
    assert found is not None
    return found[0]


def code_of(link: str) -> str:
    return link.rpartition("code=")[2]


def test_somebody_new_is_invited_and_sees_where_they_are(doors: Doors) -> None:
    sent = doors.invite("sara@uni.example")
    assert sent.status_code == 200 and "The invitation is under way" in sent.text and "sara@uni.example" in sent.text
    link = doors.mail.link()
    assert link.startswith(f"{URL}/sign-in/invitation?code=")
    sara = doors.browser(**{"Accept-Language": "fr"})
    page = sara.get(link.removeprefix(URL)).text
    assert "Lead" in page and "Solar" in page and 'name="password"' in page and "sara@uni.example" in page
    weak = sara.post("/sign-in/invitation", data={"code": code_of(link), "name": "Sara", "password": "sara.uni2026"})
    assert weak.status_code == 422
    done = sara.post("/sign-in/invitation", data={"code": code_of(link), "name": "Sara", "password": PASSWORD})
    assert (done.status_code, done.headers["location"]) == (303, f"{LEAD_PAGE}?welcome=member")
    assert doors.roles(doors.id_of(sara)) == {"member@project:solar"}
    assert 'welcome-note" role="status"' in sara.get(done.headers["location"]).text
    person = doors.park.accounts.people.person(doors.id_of(sara))
    assert person.is_verified and person.email == "sara@uni.example"
    assert sara.post("/sign-in/invitation", data={"code": code_of(link)}).status_code == 401, "good once"
    assert "sara@uni.example" not in doors.lead.get(LEAD_PAGE).text.partition('id="invitations"')[2]
    doors.park.accounts.places.take_role(doors.live.owner, person.person_id, Role.MEMBER, "project:solar")


def test_who_invites_learns_not_who_has_an_account_and_the_link_is_no_way_in(doors: Doors) -> None:
    new, known = doors.invite("nobody@uni.example"), doors.invite("omar@uni.example")
    told = [re.sub(r"(nobody|omar)@uni\.example", "X", page.text) for page in (new, known)]
    cards = [re.findall(r'role="status">[^<]+|<bdi>X</bdi>', text) for text in told]
    assert new.status_code == known.status_code == 200 and cards[0] and cards[0][0] == cards[1][0]
    letter = doors.letters(2)["omar@uni.example"]
    assert letter["Subject"] == "You are invited at Eureka Park"
    code = code_of(re.search(r"http\S+code=\S+", letter.get_content())[0])  # type: ignore[index]
    stranger = doors.browser()
    page = stranger.get(f"/sign-in/invitation?code={code}").text
    assert "You have an account here already" in page and 'name="password"' not in page
    done = stranger.post("/sign-in/invitation", data={"code": code})
    assert done.status_code == 200 and "The role is yours" in done.text and doors.who(stranger) == {}, (
        "nobody is let in"
    )
    assert "member@project:solar" in doors.roles(doors.id_of(doors.other))


def test_an_invitation_that_is_over_is_over(doors: Doors) -> None:
    def link_to(email: str) -> str:
        assert doors.invite(email).status_code == 200
        return doors.mail.link().removeprefix(URL)

    def is_good(link: str) -> bool:
        return "You are invited" in doors.browser().get(link).text

    first = link_to("hind@uni.example")
    again = link_to("HIND@uni.example")
    assert not is_good(first) and is_good(again), "one address has one invitation to a place"
    made = doors.park.sign_in.invitations.at(doors.live.owner, "project:solar")
    hind = next(item for item in made if item.email == "HIND@uni.example")
    for path in ("/projects/wind", LEAD_PAGE):  # the lead of another project withdraws nothing here
        doors.other.post(path, data={"do": "withdraw", "invitation": hind.invitation_id})
        assert is_good(again), path
    gone = doors.lead.post(LEAD_PAGE, data={"do": "withdraw", "invitation": hind.invitation_id})
    assert gone.status_code == 200 and not is_good(again)
    places, lead = doors.park.accounts.places, doors.id_of(doors.lead)
    late = link_to("late@uni.example")
    places.give_role(doors.live.owner, doors.live.owner.person_id, Role.LEAD, "project:solar")
    places.take_role(doors.live.owner, lead, Role.LEAD, "project:solar")
    assert not is_good(late), "who may give the role no more invites nobody into it"
    places.give_role(doors.live.owner, lead, Role.LEAD, "project:solar")
    assert is_good(late)
    doors.live.clock.step(14 * 86_400.0)
    assert not is_good(late)
    doors.lead = doors.browser()
    doors.lead.post("/sign-in", data={"email": "lead@uni.example", "password": PASSWORD})


def test_who_may_invite_and_whom(doors: Doors) -> None:
    for email in ("mіna@uni.example", "nope", ""):  # the first has a Cyrillic letter
        assert doors.invite(email).status_code == 422, email
    assert doors.invite("a@uni.example", role="operator").status_code == 422
    assert doors.invite("a@uni.example", days="400").status_code == 422
    assert doors.invite("a@uni.example", browser=doors.browser()).status_code == 401
    token = {"Authorization": f"Bearer {doors.park.accounts.new_token(doors.id_of(doors.lead), 't')}"}
    asked = {"email": "b@uni.example", "role": "learner", "days": 3}
    made = doors.browser().post("/api/v1/projects/solar/invitations", json=asked, headers=token)
    assert made.status_code == 201 and made.json()["link"] is None and made.json()["role"] == "learner"
    assert doors.browser().get("/api/v1/projects/solar/invitations", headers=token).json()["items"]
    assert doors.browser().post("/api/v1/invitations", json=asked, headers=token).status_code == 403
    doors.mail.next()
    text = (doors.live.folder / "accounts.toml").read_text()
    (doors.live.folder / "accounts.toml").write_text('[sign_in]\nsign_up = "closed"\n')  # and no mail server
    try:
        assert doors.invite("c@uni.example").status_code == 503, "its link would prove nothing of the address"
        owner = {"Authorization": f"Bearer {doors.park.accounts.new_token(doors.live.owner.person_id, 't')}"}
        shown = doors.browser().post("/api/v1/projects/solar/invitations", json=asked, headers=owner).json()
        assert doors.browser().get(shown["link"].removeprefix(URL)).status_code == 200
    finally:
        (doors.live.folder / "accounts.toml").write_text(text)
    shut = text.replace('"open"', '"closed"')
    (doors.live.folder / "accounts.toml").write_text(shut)
    assert (
        doors.invite("c@uni.example").status_code == 403
        and "takes nobody by invitation" in doors.invite("c@uni.example").text
    )
    (doors.live.folder / "accounts.toml").write_text(text)


def test_a_park_writes_to_so_many_strangers_and_no_more(doors: Doors) -> None:
    salma = doors.sign_up("salma@uni.example", "Salma")
    own = f"try-{doors.id_of(salma).removeprefix('person-')}"
    places = doors.park.accounts.places
    if own not in {item.project_id for item in doors.park.accounts.projects(doors.live.owner)}:
        places.new_project(doors.live.owner, own, "Salma")
        places.give_role(doors.live.owner, doors.id_of(salma), Role.LEAD, f"project:{own}")
    form = {"do": "invite", "email": "stranger@far.example", "role": "member", "days": "14"}
    refused = salma.post(f"/projects/{own}", data=form)
    assert refused.status_code == 403 and "nobody is invited into it" in refused.text
    token = {"Authorization": f"Bearer {doors.park.accounts.new_token(doors.id_of(salma), 't')}"}
    asked = {"email": "stranger@far.example", "role": "member", "days": 3}
    by_api = doors.browser().post(f"/api/v1/projects/{own}/invitations", json=asked, headers=token)
    assert by_api.status_code == 403 and by_api.json()["error"]["code"] == "own_project"
    other = doors.browser().post(f"/api/v1/projects/{own[:-1]}/invitations", json=asked, headers=token)
    assert other.status_code == 404, "who is somebody is not told"
    places.give_role(doors.live.owner, doors.id_of(salma), Role.LEAD, "project:solar")
    for n in range(A_DAY_MAX):  # one address: the earlier is replaced, and counts
        assert doors.invite("again@far.example", browser=salma).status_code == 200, n
    late = doors.invite("again@far.example", browser=salma)
    assert late.status_code == 429 and "within a day" in late.text
    letters = [doors.mail.next() for _ in range(A_DAY_MAX)]
    assert {letter["To"] for letter in letters} == {"again@far.example"} and doors.mail.is_empty()
    owner = {"Authorization": f"Bearer {doors.park.accounts.new_token(doors.live.owner.person_id, 't')}"}
    path = "/api/v1/projects/solar/invitations"
    assert doors.browser().post(path, json=asked, headers=owner).status_code == 201, "operators have no such end"
    doors.mail.next()
    doors.live.clock.step(86_400.0)
    doors.browser().post("/sign-in", data={"email": "salma@uni.example", "password": PASSWORD})
    token = {"Authorization": f"Bearer {doors.park.accounts.new_token(doors.id_of(salma), 't')}"}
    assert doors.browser().post(path, json=asked, headers=token).status_code == 201
    doors.mail.next()


# -- another address ---------------------------------------------------------------------------------------------------
def test_another_address_is_proven_and_the_old_one_told(doors: Doors) -> None:
    mina = doors.sign_up("mina@uni.example", "Mina")
    doors.browser().post("/recover", data={"email": "mina@uni.example"})
    stale = code_of(doors.mail.link())
    assert mina.post("/account/email", data={"email": "mina@new.example"}).status_code == 200
    letters = doors.letters(2)
    asked = letters["mina@uni.example"].get_content()
    assert "mina@new.example" in asked and f"{URL}/recover" in asked and "code=" not in asked, "how to stop it"
    link = link_in(letters["mina@new.example"])
    assert doors.browser().get("/account").status_code == 303
    assert doors.park.accounts.people.person(doors.id_of(mina)).email == "mina@uni.example", "not before the proof"
    reader = doors.browser()
    assert "mina@new.example" in reader.get(link.removeprefix(URL)).text
    done = reader.post("/sign-in/address", data={"code": code_of(link)})
    assert done.status_code == 200 and doors.who(reader) == {}, "a letter about an address lets nobody in"
    told = doors.mail.next()
    assert told["To"] == "mina@uni.example" and "mina@new.example" in told.get_content()
    assert reader.post("/sign-in/letter", data={"code": stale, "password": PASSWORD}).status_code == 401
    for email, status in (("mina@uni.example", 401), ("mina@new.example", 303)):
        assert doors.browser().post("/sign-in", data={"email": email, "password": PASSWORD}).status_code == status
    assert reader.post("/sign-in/address", data={"code": code_of(link)}).status_code == 401, "good once"


def test_a_new_password_or_an_operator_stops_a_change_of_address(doors: Doors) -> None:
    rim = doors.sign_up("rim@uni.example", "Rim")

    def asked() -> str:
        assert rim.post("/account/email", data={"email": "rim@thief.example"}).status_code == 200
        return code_of(link_in(doors.letters(2)["rim@thief.example"]))

    code = asked()
    form = {"old": PASSWORD, "password": "a wholly other one 5"}
    assert rim.post("/account/security/password", data=form).status_code == 200
    assert doors.browser().post("/sign-in/address", data={"code": code}).status_code == 401, "void since"
    doors.mail.next()
    code = asked()
    doors.browser().post("/sign-in/link", data={"email": "rim@uni.example"})
    link = code_of(doors.mail.link())
    doors.park.accounts.people.set_email(doors.live.owner, doors.id_of(rim), "rim@right.example")
    assert doors.browser().post("/sign-in/address", data={"code": code}).status_code == 401
    assert doors.browser().post("/sign-in/letter", data={"code": link}).status_code == 401
    assert doors.park.accounts.people.person(doors.id_of(rim)).email == "rim@right.example"


def test_an_address_that_somebody_has_is_not_told_and_not_given(doors: Doors) -> None:
    nora = doors.sign_up("nora@uni.example", "Nora")
    said = [nora.post("/account/email", data={"email": email}) for email in ("omar@uni.example", "free@uni.example")]
    assert [page.status_code for page in said] == [200, 200]
    found = [doors.mail.next() for _ in range(4)]
    letters = {letter["To"]: letter for letter in found}
    assert sum(letter["To"] == "nora@uni.example" for letter in found) == 2, "the old one is told of both alike"
    other = letters["omar@uni.example"]
    assert other["Subject"].startswith("Somebody wanted") and "code=" not in other.get_content()
    code = code_of(re.search(r"http\S+code=\S+", letters["free@uni.example"].get_content())[0])  # type: ignore[index]
    doors.sign_up("free@uni.example", "Free")
    taken = doors.browser().post("/sign-in/address", data={"code": code})
    assert taken.status_code == 409, "somebody else was quicker"
    assert nora.post("/account/email", data={"email": "nora@uni.example"}).status_code == 422
    doors.live.clock.step(1801.0)
    assert nora.post("/account/email", data={"email": "x@uni.example"}).status_code == 403, "one has to sign in anew"
    token = {"Authorization": f"Bearer {doors.park.accounts.new_token(doors.id_of(nora), 't')}"}
    assert doors.browser().post("/account/email", data={"email": "x@uni.example"}, headers=token).status_code == 403


def test_nobody_is_forgotten_by_a_token_or_an_old_session(doors: Doors) -> None:
    leila = doors.sign_up("leila@uni.example", "Leila")
    person_id = doors.id_of(leila)
    path = f"/api/v1/people/{person_id}"
    token = {"Authorization": f"Bearer {doors.park.accounts.new_token(person_id, 't')}"}
    by_token = doors.browser().delete(path, headers=token)
    assert by_token.status_code == 403 and by_token.json()["error"]["code"] == "not_recent"
    doors.live.clock.step(1801.0)
    assert leila.delete(path).status_code == 403 and leila.post("/account/erase", data={"sure": "1"}).status_code == 403
    fresh = doors.browser()
    fresh.post("/sign-in", data={"email": "leila@uni.example", "password": PASSWORD})
    assert fresh.delete(path).status_code == 204 and doors.park.accounts.people.person(person_id).is_erased
