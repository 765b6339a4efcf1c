"""The supervisor of one attempt: claims it, prepares it, starts its box, carries out commands and writes down how it
ended.

It lives outside the park's processes and outlives them. If it dies, the job dies with it and the attempt is lost,
never doubled.
"""

# Plain strings and os calls: a supervisor starts in milliseconds, and pathlib is felt there.
# ruff: noqa: PTH123

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from typing import Final

from eureka_park.adapters.engines.local import gpus
from eureka_park.adapters.engines.local.commands import Command, numbered, read_command
from eureka_park.adapters.engines.local.endings import Ending, ending_of
from eureka_park.adapters.engines.local.environments import ensure_environment
from eureka_park.adapters.engines.local.payload import make_box, passwd_stubs
from eureka_park.adapters.engines.local.places import Attempt, claim, read_json, write_json
from eureka_park.adapters.engines.local.sealed import opened
from eureka_park.adapters.engines.local.staging import clear_inputs, lay_out, make_folders
from eureka_park.foundation.errors import ParkError, Unavailable
from eureka_park.foundation.wire.engine import EngineReport, Outcome, Phase, StartOrder
from eureka_park.sandbox import kernel
from eureka_park.sandbox.box import user_id_of
from eureka_park.sandbox.detect import Sandbox
from eureka_park.sandbox.launch import Launched, launch
from eureka_park.sandbox.levels import Level
from eureka_park.sandbox.processes import Identity, kill_tree

WATCHED: Final = (signal.SIGUSR1, signal.SIGCHLD)
IGNORED: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)  # the park may be stopped; its jobs run on
_SOON_S: Final = 0.01
_LONG_S: Final = 60.0
_LAST_WORD_TRIES: Final = 3600


class _Ended(Exception):
    """A pause or cancel that came before the command started."""


class Supervisor:
    """One attempt from claim to last word. `key` names the home it belongs to."""

    def __init__(self, attempt: Attempt, order: StartOrder, sandbox: Sandbox, key: str) -> None:
        self.attempt = attempt
        self.order = order
        self.sandbox = sandbox
        self.key = key
        self.user_id = sandbox.user_id(user_id_of(order.project))
        self.group = sandbox.place.group(attempt.group_name) if sandbox.place else None
        self.launched: Launched | None = None
        self.phase = Phase.PREPARING
        self.asked = ""
        self.started_at_s: float | None = None
        self._cap_frac = order.cap_frac
        self._n_done = 0
        self._kill_at_s: float | None = None
        self._must_terminate = False
        self._must_freeze = False
        self._prepared_cpu_s = 0.0
        self._log_fd = -1

    def run(self) -> None:
        """Run the attempt, unless somebody claimed it before."""
        own = Identity.of(os.getpid())
        assert own is not None
        folders = self.group.folders if self.group else {}
        facts = {
            "pid": own.pid,
            "start_ticks": own.start_ticks,
            "boot": own.boot,
            "level": self.sandbox.level.word,
            "folders": folders,
        }
        if not claim(self.attempt.claim_file, facts):
            return
        try:
            ending = self._run()
        except _Ended:
            ending = Ending(
                Outcome.CANCELLED if self.asked == "cancel" else Outcome.PAUSED, None, None, "It had not started yet."
            )
        except ParkError as error:
            ending = self._failed(error.line())
        except OSError as error:
            ending = self._failed(f"The job could not be prepared: {error}.")
        except BaseException as error:
            ending = self._failed(f"A defect of the park stopped this job: {error!r}. Please report it.")
            with open(f"{self.attempt.folder}/supervisor.log", "a") as file:
                traceback.print_exc(file=file)
        self._finish(ending)

    def _failed(self, line: str) -> Ending:
        if self._log_fd >= 0:
            os.write(self._log_fd, f"park: {line}\n".encode())
        return Ending(Outcome.FAILED, None, None, line)

    def _run(self) -> Ending:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._log_fd = os.open(self.attempt.log_file, flags, 0o644)
        self._between_steps()
        if self.order.dependencies or self.order.inputs or (self.order.files and self.order.resume_count == 0):
            self._report(Phase.PREPARING)
        make_folders(self.attempt.job_folder, self.user_id)
        lay_out(self.attempt.job_folder, self.order.files, self.user_id, self._between_steps)
        if self.order.inputs:
            self._fetch_inputs()
        envs = f"{self.attempt.home}/envs"
        order = opened(self.order, self.attempt.home)
        environment = ensure_environment(
            envs, order.project, order.dependencies, order.requires_python, self._run_step, self._wait_step
        )
        box = make_box(order, self.attempt, environment, self.sandbox.level, self.user_id, self.key)
        if self.group:
            self.group.make()
            self.group.limit(box.limits)
        self._between_steps()
        self._limit_cpus()
        self._note_preparation()
        stubs = {}
        if self.sandbox.level >= Level.CONTAINER:
            stubs = passwd_stubs(f"{self.attempt.home}/run/etc", os.geteuid() if self.user_id is None else self.user_id)
        # Orphans come here, the first process of a container too (bwrap leaves it unburied), so that their CPU counts.
        kernel.adopt_orphans()
        self.started_at_s = time.time()
        self.launched = launch(
            box, self.sandbox.level, self.sandbox.tools, log_fd=self._log_fd, cgroup=self.group, stubs=stubs
        )
        self._report(Phase.RUNNING)
        return self._watch(self.launched)

    def _fetch_inputs(self) -> None:
        """Have the job's data laid out. Raises Unavailable with what went wrong."""
        # Links to files of the cache are for those who cannot write to them; others get copies of their own.
        is_safe = self.sandbox.level >= Level.CONTAINER or self.user_id is not None
        words = [self.attempt.home, self.order.job_id, str(self.attempt.number), "link" if is_safe else "copy"]
        code, said = self._run_step([sys.executable, "-m", "eureka_park.adapters.inputs", *words], os.environ)
        if code == 0:
            return
        try:
            told = json.loads(said.strip().rpartition("\n")[2])
            raise Unavailable(told["message"], fix=told["fix"], code=told["code"])
        except (ValueError, KeyError, TypeError):
            fix = "See the supervisor.log of the attempt."
            with open(f"{self.attempt.folder}/supervisor.log", "a") as file:
                file.write(said)
            raise Unavailable("The inputs of the job could not be fetched.", fix=fix, code="inputs_failed") from None

    def _note_preparation(self) -> None:
        """CPU time spent so far belongs to the job too; written down where it is worth mentioning."""
        self._prepared_cpu_s = _own_cpu_s()
        if self.order.dependencies or self.order.inputs:
            write_json(f"{self.attempt.folder}/prepared.json", {"cpu_s": self._prepared_cpu_s}, durable=False)
        if self.order.gpu_indices:
            write_json(f"{self.attempt.folder}/gpu.json", gpus.begin(self.order.gpu_indices), durable=False)

    # --- before the command starts --------------------

    def _between_steps(self) -> None:
        self._take_commands()
        if self.asked:
            raise _Ended

    def _wait_step(self, wait_s: float) -> None:
        signal.sigtimedwait(WATCHED, wait_s)
        self._between_steps()

    def _run_step(self, argv: Sequence[str], env: Mapping[str, str]) -> tuple[int, str]:
        """Run a program of the park's own (uv), stoppable by commands; its exit code and what it said."""
        parent = os.getpid()

        def become() -> None:
            kernel.die_with(parent)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])

        said_fd = os.memfd_create("said", os.MFD_CLOEXEC)
        program = subprocess.Popen(
            argv, env=dict(env), stdin=subprocess.DEVNULL, stdout=said_fd, stderr=said_fd, preexec_fn=become
        )
        try:
            while program.poll() is None:
                self._wait_step(_LONG_S)
            os.lseek(said_fd, 0, os.SEEK_SET)
            return program.returncode, os.read(said_fd, 65_536).decode(errors="replace")
        finally:
            if program.poll() is None:
                program.kill()
                program.wait()
            os.close(said_fd)

    # --- while it runs --------------------

    def _watch(self, launched: Launched) -> Ending:
        while True:
            self._take_commands()
            self._act(launched)
            status = self._reap(launched)
            if status is not None:
                return self._ending(launched, status)
            signal.sigtimedwait(WATCHED, self._wait_s())

    def _wait_s(self) -> float:
        if self._must_terminate or self._must_freeze:
            return _SOON_S
        if self._kill_at_s is not None:
            return min(_LONG_S, max(0.0, self._kill_at_s - time.monotonic()))
        return _LONG_S

    def _take_commands(self) -> None:
        for number in numbered(self.attempt.commands_folder):
            if number > self._n_done:
                self._n_done = number
                command = read_command(self.attempt.commands_folder, number)
                if command:
                    self._obey(command)

    def _obey(self, command: Command) -> None:
        if command.verb in ("cancel", "pause"):
            if self.asked == "cancel" or (self.asked and command.verb == "pause"):
                return
            end_s = time.monotonic() + command.grace_s
            self.asked = command.verb
            self._kill_at_s = end_s if self._kill_at_s is None else min(self._kill_at_s, end_s)
            self._must_terminate = True
            self._must_freeze = False
        elif command.verb == "freeze":
            self._must_freeze = not self.asked and self.phase != Phase.FROZEN
        elif command.verb == "thaw":
            self._must_freeze = False
            if self.launched and self.phase == Phase.FROZEN:
                self.launched.thaw()
                self._report(Phase.RUNNING)
        elif command.verb == "cap":
            self._cap_frac = command.cap_frac
            if self.launched:
                self._limit_cpus()

    def _limit_cpus(self) -> None:
        if self.group:
            self.group.limit_cpus(max(0.01, self.order.n_cpus * self.order.n_parts * self._cap_frac))

    def _act(self, launched: Launched) -> None:
        if self._must_terminate and launched.terminate():
            self._must_terminate = False
            if self.phase == Phase.FROZEN:
                launched.thaw()
            self._report(Phase.PAUSING if self.asked == "pause" else self.phase)
        if self._must_freeze and launched.main_pid() and launched.freeze():
            self._must_freeze = False
            self._report(Phase.FROZEN)
        if self._kill_at_s is not None and time.monotonic() >= self._kill_at_s:
            launched.kill()
            self._must_terminate = False
            self._kill_at_s = time.monotonic() + 1.0  # again, should something have been born meanwhile

    def _reap(self, launched: Launched, options: int = os.WNOHANG) -> int | None:
        """Bury whatever ended, orphans too; the wait status of the box once it is over."""
        while True:
            try:
                pid, status = os.waitpid(-1, options)
            except ChildProcessError:
                return None
            if pid == launched.pid:
                return status
            if pid == 0:
                return None

    def _ending(self, launched: Launched, status: int) -> Ending:
        if self.group:
            self.group.kill()
        else:
            kill_tree(os.getpid())
        self._reap(launched, options=0)
        if self.order.gpu_indices:
            begun = read_json(f"{self.attempt.folder}/gpu.json") or {}
            write_json(f"{self.attempt.folder}/gpu.json", gpus.end(begun, self.order.gpu_indices), durable=False)
        return ending_of(
            status,
            asked=self.asked,
            in_container=self.sandbox.level >= Level.CONTAINER,
            was_started=launched.was_started() or bool(self.asked),
            ran_out_of_memory=self.group is not None and self.group.n_oom_kills() > 0,
        )

    # --- what it tells --------------------

    def _cpu_s(self) -> float:
        if self.launched and self.group:
            with contextlib.suppress(OSError):  # somebody took the group away: the last word matters more
                return self._prepared_cpu_s + self.group.cpu_s()
            return _own_cpu_s()
        if self.launched and self.phase != Phase.EXITED:
            return self._prepared_cpu_s + self.launched.cpu_s()
        return _own_cpu_s()

    def _report(self, phase: Phase, ending: Ending | None = None) -> None:
        self.phase = phase
        now_s = time.time()
        report = EngineReport(
            job_id=self.order.job_id,
            attempt=self.order.attempt,
            phase=phase,
            at_s=now_s,
            outcome=ending.outcome if ending else None,
            exit_code=ending.exit_code if ending else None,
            exit_signal=ending.exit_signal if ending else None,
            started_at_s=self.started_at_s,
            ended_at_s=now_s if ending else None,
            cpu_s=self._cpu_s(),
            memory_bytes_max=self._memory_bytes_max() if ending else 0,
            sandbox_level=self.sandbox.level.word,
            detail=ending.detail if ending else "",
        )
        value = {
            name: getattr(report, name) for name in EngineReport.__slots__
        }  # asdict copies deeply, which costs here
        write_json(self.attempt.state_file, value, durable=ending is not None)
        notify(self.attempt.home)

    def _memory_bytes_max(self) -> int:
        if self.group and self.launched:
            return self.group.memory_bytes_max()
        return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024

    def _finish(self, ending: Ending) -> None:
        for _ in range(_LAST_WORD_TRIES):  # a full disk must not turn a finished job into a lost one
            try:
                self._report(Phase.EXITED, ending)
                break
            except OSError:
                time.sleep(1.0)
        if self.launched:
            self.launched.close()
        if self.group:
            self.group.remove()
        with contextlib.suppress(OSError):  # whatever stays is cleared when the engine starts
            clear_inputs(self.attempt.job_folder)


def _own_cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def notify(home: str) -> None:
    """Wake the park, if it is there; it also looks by itself."""
    try:
        folder = os.open(f"{home}/run", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as out:
            out.sendto(b"engine", f"/proc/self/fd/{folder}/live.sock")
    except OSError:
        return
    finally:
        os.close(folder)


def supervise(home: str, job_id: str, number: int, sandbox: Sandbox, key: str) -> None:
    """The whole life of a supervisor, in a process of its own whose signals are blocked already."""
    attempt = Attempt(home, job_id, number)
    value = read_json(attempt.order_file)
    if value is not None:
        Supervisor(attempt, StartOrder.from_json(value), sandbox, key).run()
