"""The watcher and the pulse: they look only while somebody listens, outlive trouble, and make one event for all."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable

import pytest

from eureka_park.foundation.errors import Unavailable
from eureka_park.web import events
from eureka_park.web.events import ChangeWatch, Pulse, StateWatch


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "POLL_S", 0.002)
    monkeypatch.setattr(events, "TROUBLE_S", 0.002)
    monkeypatch.setattr(events, "PULSE_S", 0.05)
    monkeypatch.setattr(events, "LOOK_S", 0.002)


class Mark:
    """A mark that can be in trouble."""

    def __init__(self) -> None:
        self.value, self.n_asked, self.n_troubles = 1, 0, 0

    def __call__(self) -> int:
        self.n_asked += 1
        if self.n_troubles:
            self.n_troubles -= 1
            raise Unavailable("The database was locked.")
        return self.value


def test_it_looks_only_while_somebody_listens() -> None:
    async def run() -> None:
        mark = Mark()
        watch = ChangeWatch(mark)
        assert await watch.wait(5, 0.02) == 5
        asked = mark.n_asked
        assert asked > 1
        await asyncio.sleep(0.05)
        assert mark.n_asked <= asked + 1

    asyncio.run(run())


def test_it_outlives_trouble(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> int:
        mark = Mark()
        watch = ChangeWatch(mark)
        mark.n_troubles, mark.value = 3, 7
        return await watch.wait(1, 5.0)

    with caplog.at_level(logging.CRITICAL, "eureka_park.web"):
        assert asyncio.run(run()) == 7


def test_many_followers_one_event_at_most_so_often() -> None:
    made: list[int] = []

    async def follow(pulse: Pulse, n: int) -> list[bytes]:
        heard = [await pulse.first()]
        async with pulse.following():
            while len(heard) < n and (event := await pulse.next(5.0)):
                heard.append(event)
        return heard

    async def run() -> list[list[bytes]]:
        mark = Mark()

        def facts() -> dict[str, int]:
            made.append(mark.value)
            return {"n": mark.value}

        pulse = Pulse(ChangeWatch(mark), facts)
        followers = [asyncio.create_task(follow(pulse, 3)) for _ in range(50)]
        await asyncio.sleep(0.05)
        while not all(task.done() for task in followers):
            mark.value += 1  # far more often than anybody is told
            await asyncio.sleep(0.001)
        return [task.result() for task in followers]

    heard = asyncio.run(run())
    assert {len(one) for one in heard} == {3} and len(made) <= 8
    marks = [json.loads(event.split(b"data: ")[1])["mark"] for event in heard[0]]
    assert marks == sorted(set(marks))


def test_everybody_is_let_go_when_the_server_stops() -> None:
    async def run() -> None:
        watch = ChangeWatch(Mark())
        pulse = Pulse(watch, dict)
        await pulse.first()

        async def follow() -> None:
            async with pulse.following():
                await pulse.next(30.0)

        tasks = [asyncio.create_task(follow()), asyncio.create_task(watch.wait(99, 30.0))]
        await asyncio.sleep(0.02)
        await watch.close()
        await asyncio.wait_for(asyncio.gather(*tasks), 5.0)

    asyncio.run(run())


class States:
    """States of jobs that can be in trouble, and what was asked."""

    def __init__(self) -> None:
        self.states = {"job-a": "running", "job-b": "queued"}
        self.asked: list[list[str]] = []
        self.n_troubles = 0

    def __call__(self, names: list[str]) -> dict[str, str]:
        self.asked.append(names)
        if self.n_troubles and len(names) > 1:
            self.n_troubles -= 1
            raise Unavailable("The database was locked.")
        return {name: self.states[name] for name in names if name in self.states}


def test_many_wait_for_jobs_with_one_question() -> None:
    async def run() -> States:
        mark, states = Mark(), States()
        watch = StateWatch(ChangeWatch(mark), states)
        waiting = [asyncio.create_task(watch.wait("job-a", "running", 5.0)) for _ in range(40)]
        other = asyncio.create_task(watch.wait("job-b", "queued", 5.0))
        await until(lambda: len(states.asked) >= 42)
        for _ in range(5):  # of no concern to any of them
            mark.value += 1
            n_asked = len(states.asked)
            await until(lambda n_asked=n_asked: len(states.asked) > n_asked)  # type: ignore[misc]
        assert not any(task.done() for task in (*waiting, other))
        states.states["job-a"], mark.value = "finished", mark.value + 1
        await asyncio.gather(*waiting)
        assert not other.done()
        other.cancel()
        await asyncio.gather(other, return_exceptions=True)
        assert not watch._n_waiting and not watch._states
        return states

    states = asyncio.run(run())
    assert len([names for names in states.asked if len(names) == 1]) == 41
    assert len([names for names in states.asked if len(names) == 2]) <= 10


def test_who_waits_misses_no_change_and_outlives_trouble(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        mark, states = Mark(), States()
        watch = StateWatch(ChangeWatch(mark), states)
        await watch.wait("job-a", "queued", 5.0)  # it had changed before
        await watch.wait("job-unknown", "queued", 0.02)
        states.n_troubles = 2
        both = [asyncio.create_task(watch.wait(name, states.states[name], 5.0)) for name in ("job-a", "job-b")]
        await until(lambda: len(watch._n_waiting) == 2)
        mark.value += 1
        await until(lambda: not states.n_troubles)
        states.states |= {"job-a": "failed", "job-b": "running"}
        mark.value += 1
        await asyncio.gather(*both)

    with caplog.at_level(logging.CRITICAL, "eureka_park.web"):
        asyncio.run(run())


def test_who_waits_is_let_go_when_the_server_stops() -> None:
    async def run() -> None:
        changes = ChangeWatch(Mark())
        watch = StateWatch(changes, States())
        waiting = asyncio.create_task(watch.wait("job-a", "running", 60.0))
        await until(lambda: watch._task is not None)
        await changes.close()
        await asyncio.wait_for(waiting, 5.0)

    asyncio.run(run())


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(5.0):
        while not is_so():
            await asyncio.sleep(0.002)
