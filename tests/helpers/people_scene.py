"""A park in which people, places and money have some history, for tests that look at their pages in a browser.

python -m tests.helpers.people_scene FOLDER [PART OF A PATH ...]     pictures of these pages, whole, in four dresses
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from fastapi.routing import APIRoute

from eureka_park.accounts.core.roles import Role
from eureka_park.accounts.sign_in.ground import Browser
from tests.helpers.chromium import Chromium
from tests.helpers.entrance import SETTINGS
from tests.helpers.read_pages import page_routes
from tests.helpers.served import Served

TIERS: Final = {"firm": 6.0, "flex": 4.0, "green": 2.0}
PRICES: Final = {"mad_per_gpu_h": {"*": {"*": TIERS}}, "mad_per_cpu_h": {"*": TIERS}, "label": "prices of the year"}
PROVIDER: Final = """
[[oidc]]
id = "uni"
title = "University"
issuer = "http://localhost:9"
client_id = "park"
"""
# What stands for a parameter of a page's address, and pages that another test looks at.
KNOWN: Final = {"project_id": "solar", "organisation_id": "um6p"}
ELSEWHERE: Final = (
    "/", "/jobs", "/jobs/{job_id}", "/jobs/{job_id}/outputs/{path:path}", "/submit", "/site", "/energy", "/energy/year",
    "/energy/ahead", "/twin", "/welcome", "/connect", "/glossary", "/style", "/wall", "/offline", "/verdict",
    "/sign-in/invitation", "/sign-in/address",
)  # fmt: skip
DRESSES: Final = {
    "fr": ("fr", 1280, "light"),
    "ar": ("ar", 1280, "light"),
    "fr-phone": ("fr", 390, "dark"),
    "ar-phone": ("ar", 390, "light"),
}


class PeopleScene(Served):
    """`paths`: pages to look at; `owner`'s browser opens `sign_in_link()`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.known = dict(KNOWN)
        self._places()
        text = SETTINGS.format(port=9) + PROVIDER
        (self.live.folder / "accounts.toml").write_text(text, encoding="utf-8")
        self._money()

    def _places(self) -> None:
        accounts, owner = self.live.park.accounts, self.live.owner
        accounts.places.new_organisation(owner, "um6p", "Université Mohammed VI", "university", country="MA")
        accounts.ensure_project("solar", "Solar cells · خلايا شمسية", False)
        for name, role in (("مينة العلوي", Role.MEMBER), ("Karim", Role.LEAD), ("L" + "o" * 40 + "ng", Role.LEARNER)):
            person_id = accounts.people.add(name, email=f"{len(name)}.{role}@uni.example", is_verified=True)
            accounts.places.give_role(owner, person_id, role, "project:solar")
            accounts.places.give_role(owner, person_id, Role.MEMBER, "organisation:um6p")
        self.known["group_id"] = accounts.groups.new(owner, "Laboratory · مختبر", "um6p")
        accounts.groups.put_in(owner, self.known["group_id"], person_id)
        invitations, browser = self.live.park.sign_in.invitations, Browser(url=self.url)
        _, link = invitations.new(owner, "new@uni.example", Role.MEMBER, "project:solar", browser=browser)
        self.invitation = link.removeprefix(self.url)
        self._token = accounts.new_token(owner.person_id, "laptop of the laboratory")

    def _money(self) -> None:
        self._call("POST", "/prices", PRICES)
        for credits, until in ((50, "2027-06-01"), (20, "2026-12-24")):
            self._call("POST", "/grants", {"project": "solar", "credits": credits, "valid_until": until})
        self._call("PUT", "/projects/solar/budgets/month", {"credits": 40, "action": "hold"})
        for tier in ("firm", "green"):
            self.live.submit(run_s=1800, project="solar", time="1h", cpus=1, tier=tier)
        self.live.step(5.0, 3)
        self.live.step(600.0, 4)
        asked = self._call("POST", "/projects/solar/top-ups", {"credits": 1000})
        form = {"kind": "invoice", "name": "Atlas SARL", "ice": "001234567000089"}
        self._call("POST", f"/top-ups/{asked['top_up_id']}/invoices", form)
        self._call("POST", "/projects/solar/top-ups", {"credits": 250})
        lines = "date,amount,currency,reference\n2026-11-20,90.00,MAD,Virement sans référence\n"
        self._call("POST", "/bank", {"csv": lines, "currency": "MAD"})

    def _call(self, method: str, path: str, body: dict[str, Any]) -> Any:
        import httpx2 as httpx

        headers = {"Authorization": f"Bearer {self._token}"}
        answer = httpx.request(method, f"{self.url}/api/v1{path}", json=body, headers=headers, trust_env=False)
        assert answer.status_code < 300, (path, answer.text)
        return answer.json() if answer.content else None

    @property
    def paths(self) -> list[str]:
        """All pages of people, places, money and operators that this park has; pages to come are among them."""
        found = page_routes(self.app)
        routes = [one for one in found if one.path not in ELSEWHERE and not one.path.startswith("/data")]
        return [*(self._filled(route) for route in routes), self.invitation, "/permissions?act=spend&project=solar"]

    def _filled(self, route: APIRoute) -> str:
        """The address of a page. A parameter that is not known yet has to be added to `known`."""
        return re.sub(r"{(\w+)(?::\w+)?}", lambda found: self.known[found[1]], route.path)


def dress(browser: Chromium, kind: str) -> None:
    """Speak a language, in a width, in the light or the dark: the next page is shown so."""
    lang, width, theme = DRESSES[kind]
    browser.speak(lang)
    browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    browser.size(width, 800)


def picture(browser: Chromium, url: str, kind: str) -> bytes:
    """A whole page as somebody sees it who scrolls."""
    dress(browser, kind)
    browser.go(url)
    browser.run("document.fonts.ready.then(() => true)")
    height = int(browser.run("document.documentElement.scrollHeight"))
    browser.size(DRESSES[kind][1], min(4000, max(800, height)))
    return browser.picture()


def main(words: list[str]) -> int:
    """The command line above."""
    folder, parts = Path(words[0]), words[1:] or [""]
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="people-scene-"))
    scene, browser = PeopleScene(scratch / "park"), Chromium(scratch / "profile")
    try:
        browser.go(scene.sign_in_link())
        for path in scene.paths:
            if any(part in path for part in parts):
                for kind in DRESSES:
                    name = re.sub(r"\W+", "-", path).strip("-")
                    (folder / f"{name}.{kind}.png").write_bytes(picture(browser, scene.url + path, kind))
                print(path)
    finally:
        browser.close()
        scene.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
