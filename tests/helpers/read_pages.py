"""A park with jobs in many states and the browsers of its owner and a visitor, for tests that read pages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from eureka_park.accounts.core.roles import Role
from eureka_park.accounts.sign_in.ground import Browser
from eureka_park.web.app import make_app
from tests.helpers.data_scene import DataScene
from tests.helpers.live_park import LivePark
from tests.helpers.reading import Page

URL = "http://localhost:8386"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
EVIL = "<script>alert('x')</script>"
ODD = "a b/é?x=1&y#z \"q' <i>.txt"
NO_PAGES = {"/sw.js", "/energy/power"} | {  # these lead on, or need what a letter or a first step gave
    f"/sign-in/{rest}"
    for rest in ("with/{provider}", "with/{provider}/back", "code", "letter", "invitation", "address")
}
NAMES = (
    EVIL,
    "long one",
    "fails",
    "true",
    "quiet",
    "welcome",
    ODD.split("/")[1],
    "note.txt",
    "this-machine",
    "job-",
    "owner",
)
LOG = b"<img src=x onerror=alert(1)> & \xff\xfe </pre><script>alert(2)</script>\n"


def page_routes(app: FastAPI) -> list[APIRoute]:
    """The routes that answer a GET with a page."""
    routes = [route for route in app.routes if isinstance(route, APIRoute) and "GET" in route.methods]
    return [route for route in routes if route.response_class is HTMLResponse and route.path not in NO_PAGES]


class Pages:
    """A park with jobs in many states, its owner's browser and a visitor's."""

    def __init__(self, folder: Path) -> None:
        self.live = LivePark(folder)
        self._seen: dict[tuple[str, str], Page] = {}
        self.accounts = self.live.park.accounts
        self.person_id, _ = self.accounts.ensure_owner()
        self.app = make_app(self.live.park)
        self.visitor, self.owner = self.browser(), self.browser()
        assert self.owner.get(self.link(), follow_redirects=False).status_code == 303
        self.accounts.ensure_project("quiet", "Quiet", False)
        self.accounts.places.new_organisation(self.live.owner, "um6p", "UM6P", "university", country="MA")
        self.done = self.submit(20, name=EVIL, cpus=0.2)
        self.array = self.submit(10, array=3, cpus=0.2)
        self.after = self.submit(10, after=[self.done], cpus=0.2)
        folder = self.live.folder / "jobs" / self.done
        (folder / "out" / "a b").mkdir(parents=True)
        (folder / "out" / ODD).write_bytes(b"odd")
        (folder / "out" / "note.txt").write_bytes(b"noted")
        (folder / "log.txt").write_bytes(LOG)
        self.live.engine.codes[self.submit(5, cpus=0.2, name="fails")] = 3
        self.live.step(times=12)
        self.private = self.submit(1e6, project="quiet", cpus=0.2)
        self.running = self.submit(1e6, cpus=0.2, name="long one")
        self.green = self.submit(1e6, tier="green", cpus=2)
        self.live.step(times=3)
        self.waiting = self.submit(1e6, tier="firm", after=[self.running])
        self.jobs = (self.done, self.array, self.after, self.private, self.running, self.green, self.waiting)
        self.data = DataScene(self.live.park, self.live.owner, "quiet")
        self.paths = (
            *sorted(route.path for route in page_routes(self.app) if "{" not in route.path),
            *(
                "/projects/quiet",
                *(f"/projects/quiet/{page}" for page in ("bill", "transfers", "top-ups", "months", "carbon")),
                "/organisations/um6p/months",
                "/organisations/um6p",
                *self._answered(),
                *self.data.paths,
                "/jobs?state=finished",
                "/jobs?view=gantt",
                "/jobs?text=nothing-like-it",
                f"/jobs/{self.done}/outputs/note.txt",
            ),
            *(f"/jobs/{job_id}" for job_id in self.jobs),
        )

    def _answered(self) -> tuple[str, ...]:
        """A group, and the pages of an invitation and of another address, with what their letters hold."""
        sign_in, group = self.live.park.sign_in, self.accounts.groups.new(self.live.owner, "quiet", "um6p")
        self.accounts.groups.put_in(self.live.owner, group, self.person_id)
        who, scope = "welcome@example.org", "organisation:um6p"
        _, link = sign_in.invitations.new(self.live.owner, who, Role.MEMBER, scope, browser=Browser(), name="welcome")
        with self.live.park.db.write() as conn:
            code = sign_in.entrance.begin(conn, "address", {"email": "welcome@example.org"}, 86_400.0, self.person_id)
        return f"/groups/{group}", link, f"/sign-in/address?code={code}"

    def browser(self) -> TestClient:
        return TestClient(self.app, base_url=URL, raise_server_exceptions=False, headers=BROWSER)

    def link(self) -> str:
        return f"/sign-in?code={self.accounts.new_sign_in_link(self.person_id)}"

    def submit(self, run_s: float, **request: Any) -> str:
        job_id = str(self.live.submit(run_s, **{"tier": "firm", **request}))
        for task in range(int(request.get("array", 0))):
            self.live.engine.run_s[f"{job_id}[{task}]"] = run_s
        return job_id

    def seen(self, path: str, lang: str = "en", status: int = 200) -> Page:
        """As `read`, once for all tests: for what holds whatever happens to the park."""
        if (path, lang) not in self._seen:
            self._seen[path, lang] = self.read(path, lang, status=status)
        return self._seen[path, lang]

    def read(self, path: str, lang: str = "en", who: TestClient | None = None, status: int = 200) -> Page:
        answer = (who or self.owner).get(path, headers={"Accept-Language": lang})
        assert answer.status_code == status, (path, re.findall(r"<title>.*", answer.text))
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        return Page(answer.text)
