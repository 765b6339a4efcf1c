"""A process that computes what it is asked, request by request, and ends with its input.

    python -m eureka_park.energy.study_child

A request is one line, `{"task": "year", ...}`; the answer one line, `{"value": ...}` or `{"error": ...}`.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue
from typing import Any, Final

from eureka_park.energy.answer import own_stdout
from eureka_park.foundation.errors import BadInput, ParkError

# What can be asked: a function of one JSON object that gives a JSON value, imported when it is asked for.
TASKS: Final[dict[str, str]] = {
    "lattice": "eureka_park.energy.make_lattice:chunk",
    "lattice-check": "eureka_park.energy.make_lattice:exact",
    "what-if": "eureka_park.energy.what_if_tasks:what_if",
    "year": "eureka_park.energy.study_tasks:year",
    "max-load": "eureka_park.energy.study_tasks:max_load",
    "size": "eureka_park.energy.size_tasks:size",
    "size-cases": "eureka_park.energy.size_tasks:case",
    "size-dullest": "eureka_park.energy.size_tasks:dullest",
}


def answer_to(request: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to one request; errors of the park become part of it."""
    try:
        return {"value": _task(str(request.get("task")))(request)}
    except ParkError as error:
        told = {"kind": type(error).__name__, "message": error.message, "fix": error.fix, "code": error.code}
        return {"error": {**told, "field": error.field}}


def _task(name: str) -> Callable[[Mapping[str, Any]], Any]:
    if name not in TASKS:
        raise BadInput(f"There is no task '{name}'.", fix=f"Ask for one of: {', '.join(TASKS)}.", field="task")
    module, _colon, attribute = TASKS[name].partition(":")
    found: Callable[[Mapping[str, Any]], Any] = getattr(importlib.import_module(module), attribute)
    return found


def _requests(lines: SimpleQueue[str]) -> None:
    """Read standard input to its end; then the asker is gone and nobody waits for what is still being computed."""
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)


def run() -> int:
    """The process: requests in, answers out, until the input ends."""
    lines: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_requests, args=(lines,), daemon=True).start()
    with own_stdout() as answers:
        while True:
            answers.write(json.dumps(answer_to(json.loads(lines.get())), separators=(",", ":")) + "\n")
            answers.flush()


if __name__ == "__main__":
    sys.exit(run())
