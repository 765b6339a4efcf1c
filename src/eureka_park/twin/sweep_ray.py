"""Workers of a sweep on a Ray cluster: each run is a task of one core, with the memory that it will hold.

Ray is an extra and loaded here alone. The machines of the cluster need this same program installed; an answer from
another one is refused. Files of the runs are written by the caller.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import time
from dataclasses import dataclass, field, replace
from typing import Any, Final

from eureka_park.foundation.errors import BadInput, TooLarge, Unavailable
from eureka_park.foundation.units import MIB
from eureka_park.twin.sweep_crew import Event
from eureka_park.twin.sweep_task import ONE_THREAD, Outcome, Task, code_digest, outcome_of

LOCAL: Final = "local"
SPARE: Final = 1.25  # memory asked for, over what is foreseen
CONNECT_S: Final = 10.0
_START: Final = "Start one with: ray start --head; then name its address, or --ray local."
_OTHER = Outcome(
    error="A machine of the cluster has another version of this program.", fix="Install this one there."
)  # fmt: skip


@dataclass(slots=True, eq=False)
class RayCrew:
    """A cluster by its address: `auto`, `ray://HOST:10001`, `HOST:6379`; `local` begins one on this machine.

    Raises BadInput where Ray is not installed, Unavailable where no cluster answers, TooLarge where a run fits into no
    machine of it: Ray would wait for one in silence.
    """

    address: str
    n_workers: int | None = None
    memory_mib: float = 400.0
    _ray: Any = None
    _run: Any = None
    _going: dict[Any, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ray = _ray()
        _check_address(self.address)
        where = {} if self.address == LOCAL else {"address": self.address}
        try:
            self._ray.init(
                **where, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=False,
                runtime_env={"env_vars": ONE_THREAD},
            )  # fmt: skip
        except Exception as error:
            why = " ".join(str(error).split())[:300].rstrip(".") or type(error).__name__
            raise Unavailable(f"No Ray cluster answers at '{self.address}': {why}.", fix=_START) from None
        if self.n_workers is None:
            self.n_workers = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        memory = int(self.memory_mib * SPARE * MIB)
        most = max((one["Resources"].get("memory", 0.0) for one in self._ray.nodes() if one["Alive"]), default=0.0)
        if memory > most:
            self._ray.shutdown()
            needs, lent = f"{memory / MIB:,.0f}", f"{most / MIB:,.0f}"
            told = f"A run takes about {needs} MiB; the largest machine of the cluster lends {lent}."
            raise TooLarge(told, fix="Give fewer jobs or days, or lend more: ray start --memory BYTES", field="ray")
        self._run = self._ray.remote(num_cpus=1, memory=memory, max_retries=0)(outcome_of)

    @property
    def n_free(self) -> int:
        """How many runs could begin now."""
        return (self.n_workers or 1) - len(self._going)

    def begin(self, index: int, task: Task) -> None:
        """Have the cluster do a run, as soon as it has room."""
        self._going[self._run.remote(replace(task, folder=None))] = index

    def events(self, timeout_s: float) -> list[Event]:
        """What has finished since the last call."""
        if not self._going:
            time.sleep(timeout_s)
            return []
        ready, _left = self._ray.wait(list(self._going), timeout=timeout_s)
        return [Event(self._going.pop(one), outcome=self._outcome(one)) for one in ready]

    def close(self) -> None:
        """Have the cluster drop what goes on, and leave it."""
        for one in self._going:
            with contextlib.suppress(Exception):
                self._ray.cancel(one, force=True)
        self._going.clear()
        self._ray.shutdown()

    def _outcome(self, one: Any) -> Outcome:
        try:
            found: Outcome = self._ray.get(one)
        except Exception as error:
            why = " ".join(str(error).split()).split(". ")[0][:300].rstrip(".")
            return Outcome(error=f"The cluster lost this run: {why}.", fix="The same command runs it again.")
        return found if found.error or found.code == code_digest() else _OTHER


def _check_address(address: str) -> None:
    """Raise Unavailable where nobody listens: Ray itself would try for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not (colon and port.isdigit()):
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Unavailable(f"No Ray cluster answers at '{address}': {why}.", fix=_START) from None


def _ray() -> Any:
    try:
        import ray
    except ModuleNotFoundError:
        raise BadInput(
            "Ray is not installed.", fix="Install it: pip install 'eureka-park[ray]', or leave --ray out.", field="ray"
        ) from None
    return ray
