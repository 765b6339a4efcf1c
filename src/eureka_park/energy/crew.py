"""Long computations in processes of their own: all cores at work, the caller free to stop, no child left behind.

A child is `python -m eureka_park.energy.study_child`: requests on its standard input, one JSON value a line, answers on
its standard output. It ends when its input ends, so that none outlives the process that asked, however that one dies.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from queue import SimpleQueue
from typing import Any, Final

from eureka_park.foundation import errors
from eureka_park.foundation.errors import Internal, ParkError

Progress = Callable[[int, int], None]
_CHILD: Final = (sys.executable, "-m", "eureka_park.energy.study_child")
_ONE_THREAD: Final = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
_POLL_S: Final = 0.2


def n_cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_all(
    requests: Sequence[Mapping[str, Any]], n_workers: int | None = None, progress: Progress | None = None
) -> list[Any]:
    """The answers to all requests, in their order, whatever the number of workers (default: one for each core).

    `progress(done, of)` is called now and then, from the caller's own thread. A child's ParkError is raised here; on
    any exception, KeyboardInterrupt included, all children end at once.
    """
    n_workers = max(1, min(len(requests), n_workers or n_cores()))
    children: list[subprocess.Popen[str]] = []
    idle: SimpleQueue[subprocess.Popen[str]] = SimpleQueue()
    pool = ThreadPoolExecutor(n_workers)
    try:
        for _ in range(n_workers if requests else 0):
            children.append(_child())
            idle.put(children[-1])
        futures = [pool.submit(_asked, idle, request) for request in requests]
        _watch(futures, progress)
        return [future.result() for future in futures]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        for child in children:
            child.kill()
        pool.shutdown(wait=True)
        for child in children:
            _buried(child)


def _watch(futures: Sequence[Future[Any]], progress: Progress | None) -> None:
    left = set(futures)
    while left:
        done, left = wait(left, timeout=_POLL_S, return_when=FIRST_COMPLETED)
        for future in done:
            future.result()
        if progress is not None:
            progress(len(futures) - len(left), len(futures))


def _child() -> subprocess.Popen[str]:
    """A child in a session of its own: Ctrl-C reaches the caller, who ends it."""
    return subprocess.Popen(
        _CHILD, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        env={**os.environ, **_ONE_THREAD}, start_new_session=True,
    )  # fmt: skip


def _buried(child: subprocess.Popen[str]) -> None:
    child.wait()
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


def _asked(idle: SimpleQueue[subprocess.Popen[str]], request: Mapping[str, Any]) -> Any:
    child = idle.get()
    try:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(json.dumps(request, separators=(",", ":")) + "\n")
        child.stdin.flush()
        line = child.stdout.readline()
    except OSError:
        line = ""
    finally:
        idle.put(child)
    if not line:
        raise Internal("A computation ended without an answer.", fix="See what stands above.", code="study_failed")
    answer = json.loads(line)
    if "error" in answer:
        raise _raised(answer["error"])
    return answer["value"]


def _raised(told: Mapping[str, Any]) -> ParkError:
    kind = getattr(errors, told["kind"], Internal)
    error: ParkError = kind(told["message"], fix=told["fix"], code=told["code"], field=told["field"])
    return error
