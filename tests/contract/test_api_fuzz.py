"""Random and boundary values for every operation of the OpenAPI document: never a defect, one form of errors."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.helpers.live_park import LivePark

from eureka_park.energy.year_desk import YearDesk
from eureka_park.foundation.errors import Unavailable
from eureka_park.web import schemas
from eureka_park.web.app import make_app

Schema = dict[str, Any]
STREAMS = {"follow_park", "follow_log_of_job"}
LEAVING = {"log_out"}  # it would end the owner's token, and nothing after it would be asked by anybody
ODD_TEXTS = [
    "", " ", "\0", "\ud800", "\udcff", "\u202e", "-", "--help", "../../etc/passwd", "/", "%00", "%2e%2e", "a" * 5000,
    "null", "NaN", "inf", "-1", "1e309", "9" * 400, "9" * 400 + "g", "9" * 400 + "h",
    "9" * 60 + "g", "2h", "9999999999999999d", "1e400h", "2GiB", "1e30TB", "٣", "true", "job-",
    "job-aaaaaaaaaaaaaaaa[0]", "[0]", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00",
    "numpy>=1; python_version<'3'", "a @ http://x/y", "-r x", "A=B", "snap-" + "0" * 64, "0" * 64, "g" * 64, "²",
]  # fmt: skip
ODD_NUMBERS = [
    0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 10**400, 0.0, -0.0, 5e-324, 1e-9, 0.5, 1e308,
    math.nan, math.inf, -math.inf,
]  # fmt: skip
texts = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=20))
anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.sampled_from(ODD_NUMBERS), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=5,
)


def no_year(*_asked: Any) -> list[Any]:
    raise Unavailable("No year is solved here.", fix="Ask a park.")


class Park:
    """A park with some jobs, its owner and a visitor."""

    def __init__(self, folder: Path) -> None:
        self.live = LivePark(folder)
        person_id, _ = self.live.park.accounts.ensure_owner()
        token = self.live.park.accounts.new_token(person_id, "test")
        self.app = make_app(self.live.park)
        self.app.state.desk = YearDesk(self.live.park.site, no_year)  # a solver would run behind every good question
        self.headers = {"owner": {"Authorization": f"Bearer {token}"}, "visitor": {}}
        self.client = TestClient(self.app, base_url="http://localhost:8386", raise_server_exceptions=False)
        self.live.park.accounts.ensure_project("quiet", "Quiet", False)
        jobs = [
            self.live.submit(10, tier="firm", cpus=0.1, name="done"),
            self.live.submit(1e6, tier="firm", cpus=0.1, array=2),
            self.live.submit(1e6, tier="firm", cpus=0.1, project="quiet"),
        ]
        self.live.step(times=8)
        self.job_ids = [*jobs, f"{jobs[1]}[1]"]
        (self.live.folder / "jobs" / jobs[0] / "out").mkdir(parents=True)
        (self.live.folder / "jobs" / jobs[0] / "out" / "x.txt").write_text("x")
        self.document = self.app.openapi()

    def ask(self, who: str, method: str, address: str, **more: Any) -> Any:
        headers = {**self.headers[who], **more.pop("headers", {})}
        return self.client.request(method, address, headers=headers, **more)

    def schema(self, given: Schema) -> Schema:
        """A schema with its reference followed."""
        name = given.get("$ref", "").rpartition("/")[2]
        return self.document["components"]["schemas"][name] if name else given

    def values(self, given: Schema) -> st.SearchStrategy[Any]:
        """Values of a schema's kind, at its boundaries and beyond; rarely something else altogether."""
        found = self.schema(given)
        if "anyOf" in found:
            return st.one_of(*(self.values(item) for item in found["anyOf"]))
        if "enum" in found:
            return st.one_of(st.sampled_from(found["enum"]), texts)
        kind = found.get("type")
        if kind == "object":
            return st.one_of(self.bodies(found), anything)
        if kind == "array":
            return st.one_of(st.lists(self.values(found["items"]), max_size=3), anything)
        if kind in {"integer", "number"}:
            ends = [found[name] + d for name in ("minimum", "maximum") if name in found for d in (-1, 0, 1)]
            return st.one_of(st.integers(0, 4), st.sampled_from(ODD_NUMBERS + ends), anything)
        return {"boolean": st.booleans(), "null": st.none()}.get(str(kind), texts)

    def bodies(self, found: Schema) -> st.SearchStrategy[Any]:
        known = {name: self.values(item) for name, item in found.get("properties", {}).items()}
        if not known:
            return st.dictionaries(texts, texts, max_size=3)
        needed = {name: known[name] for name in found.get("required", ())}
        some = {name: item for name, item in known.items() if name not in needed}
        return st.fixed_dictionaries(needed, optional=some)


# What a fuzzed job is made of besides: mostly sound, so that one odd value meets the code behind the schema.
SOUND_JOB: Schema = {"command": ["true"], "tier": "firm", "cpus": 0.1}


@pytest.fixture(scope="module")
def park(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Park]:
    park = Park(tmp_path_factory.mktemp("fuzz"))
    with park.client:  # one event loop for all requests, as in a server
        yield park
    park.live.park.close()


def operations(park: Park) -> Iterator[tuple[str, str, Schema]]:
    for path, methods in park.document["paths"].items():
        for method, item in methods.items():
            if item["operationId"] not in STREAMS | LEAVING:
                yield method, path, item


@st.composite
def requests(draw: st.DrawFn, park: Park) -> tuple[str, str, dict[str, Any]]:
    """One request: method, address with its query, and what goes with it."""
    every = sorted(operations(park), key=lambda found: found[:2])
    often = [found for found in every if found[2]["operationId"] == "submit_job"] * 22
    method, path, item = draw(st.sampled_from(every + often))
    query, headers = {}, {"X-Request-Id": draw(st.sampled_from(["", "abc", "é", "x" * 100]))}
    for parameter in item.get("parameters", ()):
        name = parameter["name"]
        value = draw(park.values(parameter["schema"]))
        if parameter["in"] == "path":
            value = draw(st.sampled_from(park.job_ids)) if name == "job_id" and draw(st.integers(0, 3)) else value
            value = "x.txt" if name == "path" and draw(st.booleans()) else value
            path = path.replace(f"{{{name}}}", quote(as_text(value), safe="", errors="surrogatepass"))
        elif draw(st.booleans()):
            if name == "wait_s" and value not in (-1, 61, "", "NaN"):
                value = 0.01
            place = query if parameter["in"] == "query" else headers
            place[name] = as_text(value)
    more: dict[str, Any] = {"headers": {name: value.encode("utf-8", "replace") for name, value in headers.items()}}
    more["headers"] = {name: value for name, value in more["headers"].items() if not set(value) & set(b"\0\r\n")}
    if "requestBody" in item:
        more |= json_body(draw, park, item["requestBody"]["content"]["application/json"]["schema"])
    elif method in {"put", "post"}:
        more["content"] = draw(st.binary(max_size=40))
    return method, f"{path}?{urlencode(query, errors='surrogatepass')}" if query else path, more


def json_body(draw: st.DrawFn, park: Park, schema: Schema) -> dict[str, Any]:
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return {"content": draw(st.binary(max_size=20))}
    if kind == 1:
        return as_json(draw(anything))
    found = park.schema(schema)
    if kind < 7 and "command" in found["properties"]:
        names = draw(st.lists(st.sampled_from(sorted(found["properties"])), min_size=1, max_size=2, unique=True))
        body = {**SOUND_JOB, **{name: draw(park.values(found["properties"][name])) for name in names}}
        return as_json({**body, "array": min(body["array"], 3)} if is_many(body.get("array")) else body)
    return as_json(draw(park.bodies(found)))


def is_many(value: Any) -> bool:
    return isinstance(value, int) and 3 < value <= 100_000


def as_json(value: Any) -> dict[str, Any]:
    return {"content": json.dumps(value).encode(), "headers": {"Content-Type": "application/json"}}


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else str(value)[:400]


def check(park: Park, who: str, method: str, address: str, more: dict[str, Any]) -> int:
    answer = park.ask(who, method, address, **more)
    told = (who, method, address, more, answer.status_code, answer.text[:600])
    assert answer.status_code < 500, told
    assert answer.headers["x-request-id"] and "default-src" in answer.headers["content-security-policy"], told
    if answer.status_code >= 400 and method != "head":
        error = schemas.Error.model_validate_json(answer.content, strict=True).error
        assert set(answer.json()) == {"error"} and error.code and error.message, told
        assert error.request_id == answer.headers["x-request-id"], told
        assert len(answer.content) < 20_000, told
    return int(answer.status_code)


def test_no_request_finds_a_defect(park: Park) -> None:
    seen: dict[str, set[int]] = {"owner": set(), "visitor": set()}

    @given(requests(park), st.sampled_from(["owner", "owner", "visitor"]))
    @settings(max_examples=350, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, database=None)
    def ask(request: tuple[str, str, dict[str, Any]], who: str) -> None:
        seen[who].add(check(park, who, *request))

    ask()
    assert {200, 201, 404, 422} <= seen["owner"] and {200, 401, 404, 422} <= seen["visitor"]


def test_what_was_let_in_can_be_shown_and_run(park: Park) -> None:
    """After the flood: every page and answer still comes, the park still schedules, its books still add up."""
    park.live.step(times=3)
    after, listed = "", []
    while True:
        page = park.ask("owner", "GET", f"/api/v1/jobs?limit=100{after}").json()
        listed += [job["job_id"] for job in page["items"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert len(listed) > 5  # the flood sets prices too, and from then on few can pay
    browser = {"Accept": "text/html", "Accept-Language": "ar"}
    for job_id in listed[:20]:
        for path in (f"/jobs/{job_id}", f"/api/v1/jobs/{job_id}", f"/api/v1/jobs/{job_id}/why"):
            answer = park.ask("owner", "GET", path, headers=browser)
            assert answer.status_code == 200, (path, answer.text[:500])
    for path in ("/", "/jobs", "/api/v1/plan", "/api/v1/status", "/api/v1/meter"):
        assert park.ask("owner", "GET", path, headers=browser).status_code == 200
    assert park.live.park.ledger.verify() == []
