"""The local engine: orders in, reports out. It keeps nothing that a restart would lose; the truth
is on disk and in the kernel."""

# Plain strings and os calls: a supervisor starts in milliseconds, and pathlib is felt there.
# ruff: noqa: PTH103, PTH110, PTH123

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from eureka_park.adapters.engines.local.commands import Command, add_command
from eureka_park.adapters.engines.local.places import Attempt, read_json, write_json
from eureka_park.adapters.engines.local.staging import clear_inputs
from eureka_park.foundation.errors import Forbidden, Unavailable
from eureka_park.foundation.ids import JobId, folder_name
from eureka_park.foundation.wire.engine import Capability, EngineReport, JobUsage, Phase, StartOrder
from eureka_park.sandbox.cgroups import Cgroup
from eureka_park.sandbox.detect import Sandbox
from eureka_park.sandbox.levels import UNTRUSTED_MIN, Level
from eureka_park.sandbox.processes import Identity, all_pids, children, signal_all, tree_cpu_s

_AGAIN_S: Final = 2.0
_HELLO_WAIT_S: Final = 60.0
LANDLOCK_TCP_ABI: Final = 4
_DRIVER_NODE: Final = "/dev/nvidiactl"


def abilities_of(sandbox: Sandbox, *, has_gpus: bool) -> frozenset[Capability]:
    """What an engine can be asked for on a machine with this sandbox.

    A cap is a limit of CPU time, which leaves the power of GPUs as it is: where there are GPUs none is offered. No
    setting of a GPU is ever changed.
    """
    found = {Capability.CHECKPOINT, Capability.FREEZE}
    if sandbox.place:
        found |= {Capability.MEMORY_LIMIT} if has_gpus else {Capability.MEMORY_LIMIT, Capability.CAP}
    if has_gpus:
        found.add(Capability.GPU)
    # Jobs that can open no connection, not even among themselves, make no gang: Landlock refuses TCP from version 4 on.
    if sandbox.level != Level.LANDLOCK or sandbox.tools.landlock_abi < LANDLOCK_TCP_ABI:
        found |= {Capability.GANG, Capability.RESIZE}
    return frozenset(found)


class LocalEngine:
    """Runs admitted jobs on this machine. Every call is idempotent; none waits for a job.

    `sandbox_level` is the highest level to use (a word of `sandbox.levels`; None: the highest there is). Untrusted
    orders are refused below `container` unless `allow_weak`.
    """

    def __init__(self, home: Path, sandbox_level: str | None = None, allow_weak: bool = False) -> None:
        self.home = str(Path(home).resolve())
        self.key = hashlib.sha256(self.home.encode()).hexdigest()[:10]
        self._ceiling = Level.from_word(sandbox_level) if sandbox_level else Level.CONTAINER_CGROUP
        self._allow_weak = allow_weak
        self._lock = threading.Lock()
        self._sent: dict[tuple[JobId, int], float] = {}
        self._most_cpu_s: dict[tuple[JobId, int], float] = {}
        self._nursery: subprocess.Popen[bytes] | None = None
        self._line: socket.socket | None = None
        self._sandbox: Sandbox | None = None
        for name in ("jobs", "run", "envs", "logs"):
            os.makedirs(f"{self.home}/{name}", exist_ok=True)
        with self._lock:
            self._open_nursery()
        self.sweep()

    # --- what it is --------------------

    @property
    def sandbox(self) -> Sandbox:
        """What this machine can do: the level reached and why not a higher one."""
        assert self._sandbox is not None
        return self._sandbox

    @property
    def sandbox_level(self) -> str:
        """The level reached, as a word."""
        return self.sandbox.level.word

    def capabilities(self) -> frozenset[Capability]:
        """What can be asked of this engine here."""
        return abilities_of(self.sandbox, has_gpus=Path(_DRIVER_NODE).exists())

    def log_path(self, job_id: JobId) -> Path:
        """Output and errors of all attempts of a job; the file may not exist yet."""
        return Path(self._attempt(job_id, 1).log_file)

    def _attempt(self, job_id: str, number: int) -> Attempt:
        return Attempt(self.home, job_id, number)

    # --- orders --------------------

    def submit(self, order: StartOrder) -> None:
        """Start an attempt, unless it was started before.

        Raises Forbidden for an untrusted order below `container`, Unavailable for a gang whose parts could not meet.
        """
        if not order.is_trusted and self.sandbox.level < UNTRUSTED_MIN and not self._allow_weak:
            why = self.sandbox.why_not.get(UNTRUSTED_MIN.word, "")
            raise Forbidden(
                f"This machine isolates jobs at the level {self.sandbox_level} only ({why}), too little for strangers.",
                fix="Install bubblewrap, or let the operator allow weak isolation.",
                code="sandbox_too_weak",
            )
        if order.parts and Capability.GANG not in self.capabilities():
            raise Unavailable(
                f"At the isolation level {self.sandbox_level} the parts of a job cannot reach each other.",
                fix="Install bubblewrap, so that each job has a network of its own.",
                code="engine_without_gangs",
            )
        attempt = self._attempt(order.job_id, order.attempt)
        if os.path.exists(attempt.claim_file):
            return
        os.makedirs(attempt.folder, exist_ok=True)
        write_json(attempt.order_file, order.to_json(), durable=False)
        self._send(order.job_id, order.attempt)

    def cancel(self, job_id: JobId, attempt: int, grace_s: float) -> None:
        """End an attempt for good: SIGTERM, then everything is killed after `grace_s` real seconds."""
        self._command(job_id, attempt, Command("cancel", grace_s=grace_s))

    def suspend(self, job_id: JobId, attempt: int, how: str, grace_s: float) -> None:
        """`checkpoint`: SIGTERM, time to write a checkpoint, then kill. `freeze`: stop
        every process where it stands."""
        self._command(job_id, attempt, Command("freeze") if how == "freeze" else Command("pause", grace_s=grace_s))

    def resume(self, job_id: JobId, attempt: int) -> None:
        """Let a frozen attempt run on. (A paused one starts as a new attempt.)"""
        self._command(job_id, attempt, Command("thaw"))

    def set_cap(self, job_id: JobId, attempt: int, cap_frac: float) -> None:
        """Let an attempt use this share of its CPUs; without effect where the capability `cap` is missing."""
        self._command(job_id, attempt, Command("cap", cap_frac=cap_frac))

    def _command(self, job_id: JobId, number: int, command: Command) -> None:
        attempt = self._attempt(job_id, number)
        if self._last_word(job_id, number):
            return
        add_command(attempt.commands_folder, command)
        supervisor = self._supervisor(attempt)
        if supervisor:
            supervisor.send(signal.SIGUSR1)

    # --- reports --------------------

    def status(self, attempts: Iterable[tuple[JobId, int]]) -> list[EngineReport]:
        """The newest truth about each attempt; none for one that no supervisor has taken over yet."""
        reports = []
        for job_id, number in attempts:
            report = self._report(job_id, number)
            if report:
                reports.append(report)
            else:
                self._send_again(job_id, number)
        return reports

    def _report(self, job_id: JobId, number: int) -> EngineReport | None:
        attempt = self._attempt(job_id, number)
        supervisor = self._supervisor(attempt)
        if not supervisor:
            if not os.path.exists(attempt.claim_file):
                return None
            supervisor = self._supervisor(attempt)  # claimed between the two looks; None now means a damaged claim
        is_alive = supervisor is not None and supervisor.is_alive()
        report = _read_report(attempt)  # after the look at the process: it may have ended well in between
        self._sent.pop((job_id, number), None)
        if report and (is_alive or report.phase == Phase.EXITED):
            return report
        now_s = time.time()
        if is_alive:
            return EngineReport(job_id, number, Phase.PREPARING, now_s, sandbox_level=self.sandbox_level)
        self._bury(attempt)
        lost = report.to_json() if report else {"job_id": job_id, "attempt": number}
        lost |= {
            "phase": Phase.LOST,
            "at_s": now_s,
            "cpu_s": self._most_cpu_s.get((job_id, number), lost.get("cpu_s", 0.0)),
        }
        return EngineReport.from_json(
            {**lost, "detail": "Its supervisor died without a last word; the machine may have restarted."}
        )

    def _last_word(self, job_id: JobId, number: int) -> EngineReport | None:
        report = _read_report(self._attempt(job_id, number))
        return report if report and report.phase == Phase.EXITED else None

    def _supervisor(self, attempt: Attempt) -> Identity | None:
        facts = read_json(attempt.claim_file)
        return Identity(facts["pid"], facts["start_ticks"], facts["boot"]) if isinstance(facts, dict) else None

    def usage(self, attempts: Iterable[tuple[JobId, int]]) -> tuple[JobUsage, ...]:
        """Cumulative CPU seconds (and joules of own GPUs) of each attempt that has begun; never smaller
        than said before."""
        now_s = time.time()
        found = []
        for job_id, number in attempts:
            cpu_s = self._cpu_s(job_id, number)
            if cpu_s is None:
                continue
            cpu_s = self._most_cpu_s[job_id, number] = max(cpu_s, self._most_cpu_s.get((job_id, number), 0.0))
            found.append(JobUsage(job_id, number, now_s, cpu_s, *self._gpu_j(job_id, number)))
        return tuple(found)

    def _cpu_s(self, job_id: JobId, number: int) -> float | None:
        attempt = self._attempt(job_id, number)
        report = _read_report(attempt)
        if report and report.phase == Phase.EXITED:
            return report.cpu_s
        facts = read_json(attempt.claim_file)
        if not isinstance(facts, dict):
            return None
        supervisor = Identity(facts["pid"], facts["start_ticks"], facts["boot"])
        if not report or report.phase == Phase.PREPARING:
            return tree_cpu_s(supervisor.pid) if supervisor.is_alive() else 0.0
        prepared_s = float((read_json(f"{attempt.folder}/prepared.json") or {}).get("cpu_s", 0.0))
        if facts["folders"]:
            with contextlib.suppress(OSError):
                return prepared_s + Cgroup(facts["folders"]).cpu_s()
        if not supervisor.is_alive():
            return report.cpu_s
        return prepared_s + sum(tree_cpu_s(pid) for pid in children(supervisor.pid))

    def _gpu_j(self, job_id: JobId, number: int) -> tuple[float | None, float]:
        """Joules of an attempt's own GPUs, and what they would have drawn idle; None where no counter tells."""
        attempt = self._attempt(job_id, number)
        noted = read_json(f"{attempt.folder}/gpu.json")
        if not isinstance(noted, dict):
            return None, 0.0
        from eureka_park.adapters.engines.local import gpus

        if "end_j" not in noted:
            order = read_json(attempt.order_file) or {}
            noted = gpus.end(noted, order.get("gpu_indices", ()))
        return gpus.used(noted)

    # --- the nursery --------------------

    def _open_nursery(self) -> None:
        """Start the nursery and learn from it what this machine can do. Raises Unavailable when it does not answer."""
        self._shut_nursery()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with open(f"{self.home}/logs/nursery.log", "ab") as log, theirs:
            self._nursery = subprocess.Popen(
                [sys.executable, "-m", "eureka_park.adapters.engines.local.nursery", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        ours.settimeout(_HELLO_WAIT_S)
        known = self._sandbox.to_json() if self._sandbox else None
        hello = {"home": self.home, "key": self.key, "ceiling": self._ceiling.word, "sandbox": known}
        try:
            ours.send(json.dumps(hello).encode())
            answer = ours.recv(65_536)
            self._sandbox = Sandbox.from_json(json.loads(answer))
        except (OSError, ValueError) as error:
            ours.close()
            raise Unavailable(
                "The local engine could not start.", fix=f"See {self.home}/logs/nursery.log.", code="engine_failed"
            ) from error
        self._line = ours

    def _shut_nursery(self) -> None:
        if self._line:
            self._line.close()
            self._line = None
        if self._nursery:
            try:
                self._nursery.wait(5.0)
            except subprocess.TimeoutExpired:
                self._nursery.kill()
                self._nursery.wait()
            self._nursery = None

    def _send(self, job_id: JobId, number: int) -> None:
        message = json.dumps({"job_id": job_id, "attempt": number}).encode()
        with self._lock:
            self._sent[job_id, number] = time.monotonic()
            try:
                if self._line is None:
                    raise BrokenPipeError
                self._line.send(message)
            except OSError:
                self._open_nursery()
                assert self._line is not None
                self._line.send(message)

    def _send_again(self, job_id: JobId, number: int) -> None:
        """An attempt sent a while ago that nobody took over: the nursery died in between. A
        second order harms nothing."""
        sent_s = self._sent.get((job_id, number))
        is_gone = self._nursery is None or self._nursery.poll() is not None
        if sent_s is not None and (is_gone or time.monotonic() - sent_s > _AGAIN_S):
            self._send(job_id, number)

    def close(self) -> None:
        """Let the nursery go. Running jobs run on; a new engine on the same home finds them."""
        with self._lock:
            self._shut_nursery()
        if self.sandbox.place:
            self.sandbox.place.remove_if_empty()

    # --- leftovers --------------------

    def sweep(self) -> list[str]:
        """Clean up after supervisors that died: kill what they left running, remove their control groups.
        Names what it found."""
        found = []
        if self.sandbox.place:
            for name in self.sandbox.place.names():
                job, _, number = name.rpartition(".")
                folder = f"{self.home}/jobs/{job}/attempts/{number}"
                if number.isdigit() and not self._is_watched(folder):
                    group = self.sandbox.place.group(name)
                    group.kill()
                    group.remove()
                    found.append(name)
        found += self._kill_orphans()
        self._clear_inputs()
        return found

    def _clear_inputs(self) -> None:
        """Take away folders of inputs whose job nobody runs any more, so that their contents can make room."""
        for folder in Path(self.home, "jobs").glob("*/inputs"):
            if not any(self._is_watched(str(attempt)) for attempt in folder.parent.glob("attempts/*")):
                with contextlib.suppress(OSError):
                    clear_inputs(str(folder.parent))

    def _is_watched(self, folder: str) -> bool:
        facts = read_json(f"{folder}/claim")
        return isinstance(facts, dict) and Identity(facts["pid"], facts["start_ticks"], facts["boot"]).is_alive()

    def _kill_orphans(self) -> list[str]:
        """Below `container` a job's processes can outlive its supervisor; they carry the
        home's key in their environment."""
        found = []
        for pid in all_pids():
            try:
                words = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            except OSError:
                continue
            if f"PARK_ENGINE={self.key}".encode() not in words:
                continue
            values = dict(word.decode(errors="replace").partition("=")[::2] for word in words)
            job, number = values.get("PARK_JOB_ID", ""), values.get("PARK_ATTEMPT", "")
            if not self._is_watched(f"{self.home}/jobs/{folder_name(job)}/attempts/{number}"):
                signal_all([pid], signal.SIGKILL)
                found.append(f"process {pid}")
        return found

    def _bury(self, attempt: Attempt) -> None:
        facts = read_json(attempt.claim_file)
        if not isinstance(facts, dict):
            return
        if facts["folders"]:
            group = Cgroup(facts["folders"])
            group.kill()
            group.remove(0.2)
        elif facts["level"] != Level.CONTAINER.word and facts["boot"] == _boot():
            self._kill_orphans()


def _boot() -> str:
    own = Identity.of(os.getpid())
    return own.boot if own else ""


def _read_report(attempt: Attempt) -> EngineReport | None:
    value: Any = read_json(attempt.state_file)
    try:
        return EngineReport.from_json(value) if isinstance(value, dict) else None
    except (TypeError, ValueError, KeyError):
        return None
