"""A real park: `park up` as a process with a home of its own, that can be killed, stopped and started again."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from click.testing import CliRunner, Result

from eureka_park import bootstrap
from eureka_park.adapters.engines.local.engine import LocalEngine
from eureka_park.client import Park
from eureka_park.foundation.ids import folder_name
from eureka_park.sandbox.processes import Identity

COMMAND = (sys.executable, "-m", "eureka_park.cli")
READY_WAIT_S = 90.0
SMALL = {"cpus": 0.1, "memory": "64MiB", "time": "10m"}


def wait_for(condition: Callable[[], Any], what: str, wait_s: float = 30.0, every_s: float = 0.02) -> Any:
    """Ask again and again until the answer is true; that answer."""
    end_s = time.monotonic() + wait_s
    while not (found := condition()):
        assert time.monotonic() < end_s, f"{what}: not within {wait_s:g} s"
        time.sleep(every_s)
    return found


def environment(home: Path, **more: str) -> dict[str, str]:
    """The variables of a shell in which PARK_HOME names this home and nothing else names a park."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PARK_")}
    return {**own, "PARK_HOME": str(home), "COLUMNS": "160", "NO_COLOR": "1", **more}


def park_command(home: Path, *words: str, wait_s: float = 60.0, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run one `park` command against a home to its end."""
    env = environment(home, **more.pop("env", {}))
    return subprocess.run(
        [*COMMAND, *words], capture_output=True, text=True, timeout=wait_s, env=env, check=False, **more
    )


class RunningPark:
    """Use as a context: whatever was started is ended, jobs too, each by its own pid."""

    def __init__(self, folder: Path, *flags: str, env: dict[str, str] | None = None) -> None:
        self.home = folder / "home"
        self.env = env or {}  # for the park itself and for commands
        self.flags = flags or ("--bare", "--sky", "observed")
        self.said = folder / "said.txt"
        self.process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self._park: Park | None = None
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> RunningPark:
        try:
            self.start()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end()

    # -- start and end ---------------------------------------------------------------------------------------------
    def start(self) -> None:
        """`park up` until it is ready; the port stays what it was the first time."""
        flags = self.flags if not self.home.exists() else ()
        words = ["up", "--home", str(self.home), "--port", str(self.port), *flags]
        with self.said.open("ab") as out:
            begin = out.tell()
            self.process = subprocess.Popen(
                [*COMMAND, *words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=environment(self.home, **self.env),
            )
        wait_for(lambda: self._is_up(begin), "`park up` is ready", READY_WAIT_S, 0.05)
        note = json.loads((self.home / "run" / "client.json").read_text())
        self.port = int(note["url"].rsplit(":", 1)[1])

    def _is_up(self, begin: int) -> bool:
        text = self.said.read_bytes()[begin:].decode()
        assert self.process is not None
        assert self.process.poll() is None, f"`park up` ended: {text}"
        return " serves http" in text

    def stop(self) -> str:
        """SIGTERM to the parent, its exit code checked; what it said last."""
        assert self.process is not None
        begin = self.said.stat().st_size
        self.process.terminate()
        assert self.process.wait(60.0) == 0
        return self.said.read_bytes()[begin:].decode()

    def start_again(self) -> None:
        """`park up` once more on the same home and port, after what is left of the old one has ended."""
        assert self.process is not None
        self.process.wait(60.0)
        self.start()

    def end(self) -> None:
        """End the park and all its jobs."""
        if self._park is not None:
            self._park.close()
        if self.process is not None:
            if self.process.poll() is None:
                self._down()
            if self.process.poll() is None:
                self.process.kill()
            self.process.wait()
        left = [identity for identity in self.supervisors().values() if identity.is_alive()]
        for identity in left:
            identity.send(signal.SIGKILL)
        if left:
            LocalEngine(self.home).close()  # opening it sweeps up what the killed supervisors left

    def _down(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.run("down", "--jobs", wait_s=60.0)
        assert self.process is not None
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(10.0)

    # -- use -------------------------------------------------------------------------------------------------------
    @property
    def park(self) -> Park:
        """The client."""
        if self._park is None:
            note = json.loads((self.home / "run" / "client.json").read_text())
            self._park = Park(note["url"], note["token"])
        return self._park

    def run(self, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
        """One `park` command."""
        return park_command(self.home, *words, **{**more, "env": {**self.env, **more.get("env", {})}})

    def ask(self, *words: str, folder: Path | None = None) -> Result:
        """One `park` command in this process: as `run`, without a second for starting an interpreter."""
        from eureka_park.cli.main import cli

        own = {name: None for name in os.environ if name.startswith("PARK_")}
        with contextlib.chdir(folder or Path.cwd()):
            env = {**own, **environment(self.home, **self.env)}
            return CliRunner().invoke(cli, words, prog_name="park", env=env)

    def sh(self, text: str, **more: Any) -> str:
        """Submit a small shell job; its id."""
        return self.park.submit(["sh", "-c", text], **{**SMALL, **more}).id

    def log(self, job_id: str) -> str:
        """What a job has said, read from its file."""
        path = self.home / "jobs" / folder_name(job_id) / "log.txt"
        return path.read_text(errors="replace") if path.exists() else ""

    def says(self, job_id: str, word: str, wait_s: float = 30.0) -> None:
        """Wait until a job has said a word."""
        wait_for(lambda: word in self.log(job_id), f"{word!r} in the log of {job_id}", wait_s)

    def timeline(self, job_id: str) -> list[str]:
        """What happened to a job, in order."""
        return [row["what"] for row in self.opened(lambda park: park.compute.timeline(self._owner(park), job_id))]

    @staticmethod
    def _owner(park: bootstrap.Park) -> Any:
        person_id, _ = park.accounts.ensure_owner()
        return bootstrap.Principal(person_id, "owner", True, frozenset())

    def opened(self, ask: Callable[[bootstrap.Park], Any]) -> Any:
        """Open the home beside the park (or after it) and ask its services."""
        park = bootstrap.open_park(self.home)
        try:
            return ask(park)
        finally:
            park.close()

    # -- processes -------------------------------------------------------------------------------------------------
    def pid(self, name: str) -> int | None:
        """The pid of `parent`, `live`, `web` or `nursery` now; None while it does not run."""
        if self.process is None or self.process.poll() is not None:
            return None
        if name == "parent":
            return self.process.pid
        parent, word = (self.process.pid, {"live": "serve-live", "web": "eureka_park.web"}.get(name, ""))
        if name == "nursery":
            live = self.pid("live")
            if live is None:
                return None
            parent, word = live, "local.nursery"
        return next((pid for pid in _children(parent) if word in _words(pid)), None)

    def kill(self, name: str) -> bool:
        """kill -9; whether there was something to kill."""
        pid = self.pid(name)
        if pid is None:
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return True
        return False

    def supervisors(self) -> dict[str, Identity]:
        """The supervisor of each attempt that was claimed, by `job folder/attempt`."""
        found = {}
        for path in self.home.glob("jobs/*/attempts/*/claim"):
            facts = json.loads(path.read_text())
            name = f"{path.parts[-4]}/{path.parts[-2]}"
            found[name] = Identity(facts["pid"], facts["start_ticks"], facts["boot"])
        return found

    def supervisor(self, job_id: str, attempt: int = 1) -> Identity:
        """The supervisor of one attempt."""
        return self.supervisors()[f"{folder_name(job_id)}/{attempt}"]


def _children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _words(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""
