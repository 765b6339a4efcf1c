"""A process that plays one run for the pages, and ends: `python -m eureka_park.twin.run_child`.

Reads one line of JSON from stdin (`site`: the full one, `question`, `folder` of the run, `lock`); writes lines of JSON
to stdout: `{"part": NAME}` as each part of the run begins, `{"frac": 0.5}` while its days are played, `{"done": true}`,
or `{"error": ...}`. The line `stop`, or the end of the input, ends the run early: what was played until then is kept,
and says so.

Several parks' pages on one machine play one run at a time for each home: whoever comes second waits for the lock.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import resource
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from eureka_park.energy.answer import own_stdout
from eureka_park.foundation.errors import ParkError, Unavailable
from eureka_park.foundation.site_file import Plant, Site, site_from_json
from eureka_park.twin.run_question import Question, model_of

NICE: Final = 15
DATA_BYTES_MAX: Final = 3 * 1024**3  # beyond what a question may take, compilers included
LOCK_EVERY_S: Final = 0.2
STEP_FRAC: Final = 0.005  # of the days, between two words of how far the run is
STOP_GRACE_S: Final = 60.0  # after a stop; then the asker has gone or will not wait
Tell = Callable[[Mapping[str, Any]], None]


def play(request: Mapping[str, Any], tell: Tell, stopped: threading.Event) -> None:
    """Play the run of a request and write it into its folder. Raises ParkError."""
    from eureka_park.control.of_site import policy_of
    from eureka_park.foundation.kernels import machine_code_is_ready
    from eureka_park.foundation.wire.engine import Capability
    from eureka_park.twin.run import TwinRequest, run_recorded
    from eureka_park.twin.run_files import write_run

    question = Question.from_json(dict(request["question"]))
    site = site_of(site_from_json(request["site"]), question)
    with _alone(Path(request["lock"]), tell, stopped):
        if not machine_code_is_ready():
            tell({"part": "compile"})
        asked = TwinRequest(
            days=float(question.days),
            seed=question.seed,
            policy=question.policy,  # type: ignore[arg-type]
            load_frac=question.load_frac,
            start_s=question.start_s,
            scenario=question.scenario,
            demand_of_supply=question.demand_of_supply or None,
        )
        rules = policy_of(site, frozenset(Capability) - {Capability.RESIZE})
        record = run_recorded(site, asked, rules, lambda part: tell({"part": part}), stopped.is_set, _steps(tell))
        # Its policy stands beside it: runs of one work differ in that alone.
        record.request["question"] = {name: value for name, value in question.to_json().items() if name != "policy"}
        write_run(Path(request["folder"]), record)


def site_of(full: Site, question: Question) -> Site:
    """The model of a question: its part of the machines, and its new plants beside the site's own."""
    return model_of(_with_new(full, question), question.one_in)


def _with_new(site: Site, question: Question) -> Site:
    """The site with new wind and PV, at the first place that suits each and at the yield of their kind there."""
    from eureka_park.energy.core.candidates import REFERENCE_MW, candidates_of
    from eureka_park.energy.core.costs import Costs
    from eureka_park.energy.core.supply import supply_of

    wanted = {kind: mw for kind, mw in (("wind", question.wind_mw), ("pv", question.pv_mw)) if mw > 0.0}
    if not wanted:
        return site
    found: dict[str, Plant] = {}
    for candidate in candidates_of(site, supply_of(site, question.seed), Costs.of_table()):
        plant, kind = candidate.plant, candidate.plant.type
        if kind in wanted and kind not in found:
            # A run knows one output for each plant: what the model leaves out is taken off its size.
            size = wanted[kind] * candidate.yield_frac
            n_turbines = getattr(plant, "n_turbines", None)
            turbines = {"n_turbines": max(1, round(n_turbines * size / REFERENCE_MW))} if n_turbines else {}
            found[kind] = plant.model_copy(update={"gross_mw": size, **turbines})
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise Unavailable(f"No place of {site.title} suits new {missing[0]}.", fix="Leave it at 0.")
    return site.model_copy(update={"plants": (*site.plants, *found.values())})


def _steps(tell: Tell) -> Callable[[float], None]:
    """Tells how far the run has come, in steps that somebody could see."""
    last = 0.0

    def told(frac: float) -> None:
        nonlocal last
        if frac - last >= STEP_FRAC:
            last = frac
            tell({"frac": round(frac, 4)})

    return told


@contextlib.contextmanager
def _alone(path: Path, tell: Tell, stopped: threading.Event) -> Iterator[None]:
    """Hold the lock, waiting for it as long as nobody stops the run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        is_first = True
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if is_first:
                    tell({"part": "wait"})
                is_first = False
                if stopped.wait(LOCK_EVERY_S):
                    raise Unavailable("The run was stopped before it began.", fix="", code="stopped") from None
        yield


def _listen(lines: IO[str], stopped: threading.Event) -> None:
    """Wait for a word to stop, or for the asker's end; who then takes too long is ended."""
    for line in lines:
        if line.strip() == "stop":
            break
    stopped.set()
    threading.Event().wait(STOP_GRACE_S)
    os._exit(1)


def _careful() -> None:
    """Behind everybody else, and within a bound of memory."""
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES_MAX, DATA_BYTES_MAX))


def main() -> int:
    """Answer the request on stdin."""
    _careful()
    stopped = threading.Event()
    with own_stdout() as answers:

        def tell(event: Mapping[str, Any]) -> None:
            answers.write(json.dumps(event, separators=(",", ":")) + "\n")
            answers.flush()

        request = json.loads(sys.stdin.readline())
        threading.Thread(target=_listen, args=(sys.stdin, stopped), daemon=True).start()
        try:
            play(request, tell, stopped)
            tell({"done": True})
        except ParkError as error:
            tell({"error": error.message, "fix": error.fix, "code": error.code})
        except MemoryError:
            tell({"error": "The run needs more memory than it may take.", "fix": "Ask for a smaller one."})
        except BrokenPipeError:  # whoever asked is gone
            return 1
        answers.flush()
        os._exit(0)  # nothing is left to be done, and a thread still reads


if __name__ == "__main__":
    sys.exit(main())
