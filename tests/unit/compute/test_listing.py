"""Lists of jobs: every order with its cursor against a plain sort, filters, counts, many cancelled at once."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.helpers.live_park import LivePark

from eureka_park.accounts.service import Principal
from eureka_park.compute.core.listing import STATE_ORDER, Cursor, Sort, cursor_text, read_cursor, read_sort
from eureka_park.foundation.errors import BadInput


@pytest.fixture(scope="module", params=("sqlite", "postgres"))
def park(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePark]:
    with ExitStack() as stack:
        if request.param == "postgres":
            url = stack.enter_context(request.getfixturevalue("postgres_server").fresh())
            stack.enter_context(pytest.MonkeyPatch.context()).setenv("PARK_DATABASE_URL", url)
        yield from _filled(LivePark(tmp_path_factory.mktemp("list"), sky="observed"))


def _filled(park: LivePark) -> Iterator[LivePark]:
    park.park.accounts.ensure_project("quiet", "Quiet", False)
    names = ["Éclair", "alpha", "ALPHA 2", "50%_done", "zulu-9"]
    for index, name in enumerate(names * 3):
        tier = ("firm", "flex", "green")[index % 3]
        project = "quiet" if index % 5 == 0 else "welcome"
        park.submit(run_s=20.0 + index, name=name, tier=tier, project=project, cpus=0.5)
    bad = park.submit(run_s=10, name="bad", tier="firm", cpus=0.5)
    park.engine.codes[bad] = 3
    park.step(times=12)
    for _ in range(6):
        park.submit(run_s=1e6, name="long", cpus=0.5)
    park.step(times=2)
    yield park
    park.park.close()


def every(park: LivePark, **asked: Any) -> list[dict[str, Any]]:
    """All pages of a list, two at a time."""
    found, after = [], None
    who = asked.pop("who", park.owner)
    while True:
        page, after = park.park.compute.jobs(who, **asked, limit=2, after=after)
        found += page
        if after is None:
            return found


def keys(park: LivePark) -> dict[str, Any]:
    kwh = {job["job_id"]: (job["receipt"] or {}).get("kwh", 0.0) for job in every(park)}
    return {
        "name": lambda job: job["name"].casefold(),
        "state": lambda job: STATE_ORDER.index(job["state"]),
        "tier": lambda job: job["tier"],
        "started": lambda job: (job["started_at"] is None, job["started_at"]),
        "ended": lambda job: (job["ended_at"] is not None, job["ended_at"] or ""),
        "energy": lambda job: kwh[job["job_id"]],
        "longest": lambda job: job["ran_s"],
    }


@pytest.mark.parametrize("sort", [str(one) for one in Sort])
def test_pages_of_every_order_are_a_plain_sort(park: LivePark, sort: str) -> None:
    newest = every(park)
    assert len(newest) == 22 and len({job["state"] for job in newest}) >= 4
    found = every(park, sort=sort)
    if sort in ("newest", "oldest"):
        wanted = newest if sort == "newest" else newest[::-1]
    else:
        falls = sort in ("started", "ended", "energy", "longest")
        by = keys(park)[sort]
        if sort == "started":
            started = [job for job in newest if job["started_at"]]
            wanted = sorted(started, key=lambda job: job["started_at"], reverse=True)
            wanted += [job for job in newest if not job["started_at"]]
        else:
            wanted = sorted(newest, key=by, reverse=falls)
    assert [job["job_id"] for job in found] == [job["job_id"] for job in wanted]


def test_a_cursor_holds_while_jobs_come(park: LivePark) -> None:
    for sort in Sort:
        first, after = park.park.compute.jobs(park.owner, sort=sort, limit=5)
        before = [job["job_id"] for job in every(park, sort=sort)]
        fresh = park.submit(run_s=1e6, name="aaa", cpus=0.5)
        park.step()
        second, _ = park.park.compute.jobs(park.owner, sort=sort, limit=1000, after=after)
        shown = [job["job_id"] for job in first + second]
        assert [job_id for job_id in shown if job_id != fresh] == before or sort in ("state", "started")
        assert len(shown) == len(set(shown))
        park.park.compute.cancel(park.owner, fresh)
        park.step(times=2)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("alpha", {"alpha", "ALPHA 2"}),
        ("ÉCLAIR", {"Éclair"}),
        ("50%_", {"50%_done"}),
        ("%", {"50%_done"}),
        ("_", {"50%_done"}),
        ("  zulu-9 ", {"zulu-9"}),
        ("quiet", {"Éclair"}),
        ("nothing such", set()),
        ("'; DROP TABLE jobs; --", set()),
    ],
)
def test_text_is_found_in_name_and_project(park: LivePark, text: str, names: set[str]) -> None:
    assert {job["name"] for job in every(park, text=text)} == names
    assert park.park.compute.count_matching(park.owner, text=text) == len(every(park, text=text, sort="name"))


def test_text_is_found_in_ids(park: LivePark) -> None:
    job_id = every(park)[3]["job_id"]
    assert [job["job_id"] for job in every(park, text=job_id[6:].upper())] == [job_id]


def test_filters_together_and_counts(park: LivePark) -> None:
    jobs = every(park)
    for sort in ("newest", "oldest", "name", "energy"):
        for asked in (
            {"states": ["finished", "failed"]},
            {"states": ["finished"], "tier": "firm"},
            {"tier": "green", "project": "quiet"},
            {"project": "welcome"},
            {"states": ["running", "queued"], "text": "long"},
            {"project": "nowhere"},
        ):
            wanted = {
                job["job_id"]
                for job in jobs
                if job["state"] in asked.get("states", (job["state"],))
                and job["tier"] == asked.get("tier", job["tier"])
                and job["project"] == asked.get("project", job["project"])
                and asked.get("text", "") in job["name"]
            }
            assert {job["job_id"] for job in every(park, sort=sort, **asked)} == wanted
            assert park.park.compute.count_matching(park.owner, **asked) == len(wanted)


def test_visitors_list_and_count_public_jobs_alone(park: LivePark) -> None:
    compute = park.park.compute
    for sort in Sort:
        assert {job["project"] for job in every(park, who=None, sort=sort)} == {"welcome"}
    assert every(park, who=None, project="quiet") == [] and compute.count_matching(None, text="quiet") == 0
    n_public = compute.count_matching(park.owner, project="welcome")
    assert sum(compute.counts(None).values()) == compute.count_matching(None) == n_public
    assert sum(compute.counts(park.owner).values()) == sum(compute.counts().values()) == len(every(park)) > n_public


@pytest.mark.parametrize("sort", ["name", "ended", "state", "newest"])
@pytest.mark.parametrize(
    "cursor",
    [
        "x", "-1", "²", "9" * 30, "W10", "W1tdXQ",
        *(
            base64.urlsafe_b64encode(text.encode()).decode()
            for text in (
                '["name", 1, 2]', '["ended", "x", 2]', '["ended", NaN, 2]', '["ended", 1e400, 2]', '["ended", 1, -2]',
                '["ended", 1, 1.5]', '["ended", true, 2]', '["name", "\\ud800", 2]', f'["ended", {"9" * 400}, 2]',
                '["energy", 1, 2]', f'["ended", 1, {2**64}]', "[" * 100_000, "{}", "null", "7",
            )
        ),
    ],
)  # fmt: skip
def test_foreign_cursors_are_refused(sort: str, cursor: str) -> None:
    with pytest.raises(BadInput, match="no cursor"):
        read_cursor(Sort(sort), cursor)


def test_cursors_come_back() -> None:
    for sort, key in ((Sort.NAME, "زلّيج"), (Sort.ENDED, 1795348800.123456), (Sort.STATE, 3), (Sort.NEWEST, None)):
        cursor = Cursor(key, 2**40)
        text = cursor_text(sort, cursor)
        assert read_cursor(sort, text) == cursor and text.isascii() and json.dumps(text)[1:-1] == text
    assert read_cursor(Sort.NAME, "") is None and read_cursor(Sort.NAME, None) is None
    with pytest.raises(BadInput, match="not an order") as told:
        read_sort("newst")
    assert told.value.fix == "Did you mean 'newest'?"


def test_cancel_many_in_one_go(park: LivePark) -> None:
    compute, who = park.park.compute, park.owner
    one, two = (park.submit(run_s=1e6, cpus=0.1, tier="firm", name="cancel me") for _ in range(2))
    array = park.submit(run_s=1e6, cpus=0.1, tier="firm", array=2)
    park.step(times=2)
    fresh = park.submit(run_s=1e6, cpus=0.1)
    over = next(job["job_id"] for job in every(park) if job["state"] == "finished")
    found = compute.cancel_many(who, [one, over, two, one, "job-nope", array, fresh])
    assert [item["job_id"] for item in found] == [one, over, two, "job-nope", array, fresh]
    assert ["state" in item for item in found] == [True, False, True, False, True, True]
    assert [item["error"]["code"] for item in found if "error" in item] == ["job_over", "no_such_job"]
    park.step(times=4)
    assert {park.view(name)["state"] for name in (one, two, array, fresh)} == {"cancelled"}
    assert compute.cancel_many(who, []) == []
    with pytest.raises(BadInput, match="too many"):
        compute.cancel_many(who, [f"job-{index}" for index in range(1001)])


def test_cancel_many_asks_for_each_whether_one_may(park: LivePark) -> None:
    compute = park.park.compute
    person = park.park.accounts.add_person("Member")
    park.park.accounts.add_member("quiet", person)
    member = Principal(person, "Member", False, frozenset({"quiet"}))
    mine = park.submit(run_s=1e6, project="quiet")
    other = park.submit(run_s=1e6)
    park.step()
    found = compute.cancel_many(member, [mine, other])
    assert "state" in found[0] and found[1]["error"]["code"] == "forbidden"
    stranger = Principal("person-x", "Stranger", False, frozenset())
    assert compute.cancel_many(stranger, [mine])[0]["error"]["code"] == "no_such_job"
    compute.cancel_many(park.owner, [mine, other])
    park.step(times=2)
