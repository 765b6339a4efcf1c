"""Rules run as Python first, and as machine code once that pays.

Most parks are small: their turns take a millisecond of Python, while machine code takes half a minute to compile once
and a hundred megabytes to hold. So a process begins without it, and goes over when its rules take long.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from eureka_park.adapters.process import die_with_parent
from eureka_park.foundation import kernels

PAYS_FRAC: Final = 0.05  # of a core, spent on rules in Python
PAYS_CPU_S: Final = 2.0  # spent beyond that before machine code is loaded, which takes about as long
AGAIN_S: Final = 5.0  # real seconds until it is looked for again where it was not there
AFTER_FAILURE_S: Final = 600.0
_PACKAGE: Final = Path(__file__).resolve().parents[1]
_COMPILED: Final = ("foundation", "compute", "control", "twin")  # where kernels are, and what they refer to
_MARK: Final = ".compiled-"
_N_MARKS_MAX: Final = 16

_log = logging.getLogger("eureka_park.kernels")


class MachineCode:
    """How this process runs kernels. `compile_command`: what compiles all of them once, for whoever may start it;
    `work`: what calls all kernels that this process calls.
    """

    def __init__(self, compile_command: Sequence[str] = (), work: Callable[[], object] | None = None) -> None:
        self._command, self._work = tuple(compile_command), work or _warm
        self._compiler: subprocess.Popen[bytes] | None = None
        self._busy = threading.Lock()  # held by the thread that loads
        self._is_loaded = self._has_failed = False
        self._spent_s, self._noted_s, self._again_s = 0.0, time.monotonic(), 0.0
        kernels.as_python(self.note, self.is_ready)

    def note(self, cpu_s: float) -> None:
        """Kernels have taken so long as Python; have machine code loaded, beside all else, when that pays."""
        now_s = time.monotonic()
        self._spent_s = max(0.0, self._spent_s - PAYS_FRAC * (now_s - self._noted_s)) + cpu_s
        self._noted_s = now_s
        if self._spent_s <= PAYS_CPU_S or now_s < self._again_s or self._is_loaded or kernels.IS_OFF:
            return
        self._see_to_it(now_s)

    def is_ready(self) -> bool:
        """Whether machine code is loaded; else it is seen to, as somebody wants it."""
        now_s = time.monotonic()
        if not self._is_loaded and now_s >= self._again_s:
            self._see_to_it(now_s)
        return self._is_loaded

    def _see_to_it(self, now_s: float) -> None:
        self._again_s = now_s + AGAIN_S
        if not is_compiled() and _kept_in() is not None:
            self.compile()
        elif self._busy.acquire(blocking=False):
            threading.Thread(target=self._load, daemon=True, name="kernels").start()

    def compile(self) -> None:
        """Have kernels compiled in the background, unless that is done, or being done, or could not be kept."""
        if not self._command or kernels.IS_OFF or is_compiled() or _kept_in() is None:
            return
        if self._compiler is not None:
            ended = self._compiler.poll()
            if ended is not None:  # and nothing is there: it failed, or compiled what another version has installed
                _log.warning("kernels could not be compiled (%s); rules go on as Python", ended)
                self._compiler, self._again_s = None, time.monotonic() + AFTER_FAILURE_S
            return
        with suppress(OSError):
            self._compiler = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                preexec_fn=partial(_as_helper, os.getpid()),
            )
            # Nobody may ask again for hours: it is buried when it ends.
            threading.Thread(target=self._compiler.wait, daemon=True, name="compiler").start()

    def _load(self) -> None:
        try:
            called = kernels.noted(self._work)
            for kernel, args in called:
                kernel.compiled.load(*args, may_compile=_kept_in() is None)
            for kernel, _ in called:
                kernel.use_compiled()
            self._is_loaded = True
        except Exception as error:  # whatever is wrong with machine code, rules go on as Python
            _log.warning("machine code cannot be loaded (%r); it is compiled anew", error)
            forget_compiled()
            self._failed_to_load()
        finally:
            self._busy.release()

    def _failed_to_load(self) -> None:
        """Let it be compiled anew: at once the first time; then something else is wrong, such as a full disk."""
        if self._compiler is not None and self._compiler.poll() == 0:
            self._compiler = None
        if self._has_failed:
            self._again_s = time.monotonic() + AFTER_FAILURE_S
        self._has_failed = True

    def close(self) -> None:
        """End the compiler; what it has finished is kept."""
        if self._compiler is not None and self._compiler.poll() is None:
            self._compiler.terminate()
            self._compiler.wait()


def _warm() -> None:
    from eureka_park.control import tick

    tick.warm()


def _as_helper(parent_pid: int) -> None:
    die_with_parent(parent_pid)
    with suppress(OSError):
        os.nice(15)


def is_compiled() -> bool:
    """Whether all kernels were compiled for this machine as they are now; takes 20 ms, the first time."""
    return any((folder / _mark()).exists() for folder in kernels.folders())


def note_compiled() -> Path | None:
    """Leave word that all kernels have been compiled and kept; the folder, None where none can be written."""
    folder = _kept_in()
    if folder is not None:
        (folder / _mark()).touch()
        others = [path for path in folder.glob(f"{_MARK}*") if path.name != _mark()]
        for old in sorted(others, key=_changed_ns, reverse=True)[_N_MARKS_MAX - 1 :]:
            old.unlink(missing_ok=True)
    return folder


def _changed_ns(path: Path) -> int:
    with suppress(OSError):  # another process has just removed it
        return path.stat().st_mtime_ns
    return 0


def forget_compiled() -> None:
    """Take that word back."""
    for folder in kernels.folders():
        with suppress(OSError):
            (folder / _mark()).unlink(missing_ok=True)


def keep_in(folder: Path) -> None:
    """Have this process and those it starts keep kernels here, where the usual folders cannot be written and hold
    none: each process would compile for itself, whenever it needs them.
    """
    if not kernels.IS_OFF and _kept_in() is None and not is_compiled():
        os.environ["NUMBA_CACHE_DIR"] = str(folder.absolute())


def _kept_in() -> Path | None:
    """The first folder for kernels that can be written."""
    for folder in kernels.folders():
        with suppress(OSError):
            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    return None


@cache
def _mark() -> str:
    """A name that is another whenever kernels may compile to something else: by sources, versions and processor.

    It errs on the side of compiling, which costs a look at each kernel where nothing has changed that matters.
    """
    digest = hashlib.sha256(repr((sys.version, platform.machine(), *_versions(), *_processor())).encode())
    options = (item for item in os.environ.items() if item[0].startswith("NUMBA_") and item[0] != "NUMBA_CACHE_DIR")
    digest.update(repr(sorted(options)).encode())
    for path in sorted(path for name in _COMPILED for path in (_PACKAGE / name).rglob("*.py")):
        digest.update(path.read_bytes())
    return f"{_MARK}{digest.hexdigest()[:32]}"


def _versions() -> Iterable[str]:
    for name in ("numba", "llvmlite", "numpy"):
        with suppress(PackageNotFoundError):
            yield version(name)


def _processor() -> Iterable[str]:
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        yield from sorted({line for line in lines if line.startswith(("model name", "flags", "Features"))})
