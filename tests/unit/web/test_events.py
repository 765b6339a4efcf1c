"""The watcher and the pulse: they look only while somebody listens, outlive trouble, and make one event for all."""

from __future__ import annotations

import asyncio
import json
import logging

import pytest

from eureka_park.foundation.errors import Unavailable
from eureka_park.web import events
from eureka_park.web.events import ChangeWatch, Pulse


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "POLL_S", 0.002)
    monkeypatch.setattr(events, "TROUBLE_S", 0.002)
    monkeypatch.setattr(events, "PULSE_S", 0.05)


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
