"""`@kernel`: a function over numpy arrays that is compiled to machine code at its first call, and kept on disk.

A process may instead run kernels as the Python that they are written in (`as_python`), and go over to machine code
later: both do the same, and a small park needs no compiler. See decision notes 0023 and 0025.

Set NUMBA_DISABLE_JIT=1 to run kernels as plain Python, NUMBA_BOUNDSCHECK=1 to have indices checked in compiled ones.
"""

from __future__ import annotations

import contextlib
import functools
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

F = TypeVar("F", bound=Callable[..., Any])
SUFFIX: Final = ".kernel"
LOCK: Final = ".lock"  # beside kept kernels: who compiles
IS_OFF: Final = os.environ.get("NUMBA_DISABLE_JIT", "0") not in {"", "0"}


def kernel(function: F) -> F:
    """Compile `function` at its first call, or take it from disk; other threads may run while it works.

    What it reads from outside itself is frozen as constants. Division by zero raises. Only a kernel that names `np` may
    make arrays: in others no references are counted, which takes less to compile and to run ("NRT required" says so).
    Without bounds checks a wrong index reads or writes memory of others: test with NUMBA_BOUNDSCHECK=1.
    """
    return function if IS_OFF else cast(F, Kernel(function))


def prefetch(_rows: Any, _at: int, _first: int, _n: int) -> None:
    """In a kernel: have lines `_first` to `_first + _n` (64 bytes each) of a record brought into the cache, without
    waiting for them. It changes nothing but time; any index will do. Constants for the last two.
    """


class Kernel:
    """What stands for a function under `@kernel`. Other names than these are those of its compiled form."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.py_func = function
        self._call: Callable[..., Any] = self._first

    def __call__(self, *args: Any) -> Any:
        """Run it, in whichever form."""
        return self._call(*args)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.compiled, name)

    @functools.cached_property
    def compiled(self) -> Any:
        """Its compiled form, which is made or read from disk for each set of types at the first call with them."""
        from eureka_park.foundation.kernel_compiler import Entry

        return Entry(self.py_func)

    @property
    def _numba_type_(self) -> Any:
        """What kernels see of it."""
        return self.compiled._numba_type_

    def use_compiled(self) -> None:
        """From now on call the compiled form."""
        self._call = self.compiled

    def _first(self, *args: Any) -> Any:
        self._call = self.compiled if _spent is None else self._as_python
        return self._call(*args)

    def _as_python(self, *args: Any) -> Any:
        here = _here
        if here.is_inside:  # a kernel calls it
            return self.py_func(*args)
        if here.noted is not None:
            here.noted.append((self, args))
        here.is_inside, begun_s = True, time.thread_time()
        try:
            return self.py_func(*args)
        finally:
            here.is_inside = False
            if _spent is not None:
                _spent(time.thread_time() - begun_s)


class _Here(threading.local):
    """What a thread knows while kernels run as Python."""

    is_inside = False
    noted: list[tuple[Kernel, tuple[Any, ...]]] | None = None


_here: Final = _Here()
_spent: Callable[[float], None] | None = None
_is_ready: Callable[[], bool] | None = None


def as_python(
    spent: Callable[[float], None] = lambda _cpu_s: None, is_ready: Callable[[], bool] = lambda: False
) -> None:
    """Run kernels of this process as Python, until each is told to `use_compiled`; to be said before the first is
    called. `spent` hears the CPU seconds of each call from outside, in the thread that made it; `is_ready` answers
    `machine_code_is_ready`.
    """
    global _spent, _is_ready
    _spent, _is_ready = spent, is_ready


def machine_code_is_ready() -> bool:
    """Whether kernels run as machine code here, or will at once; else they run as Python, a hundred times slower, and
    machine code is being seen to. For whoever can do without what takes many turns.
    """
    return IS_OFF or _is_ready is None or _is_ready()


def noted(work: Callable[[], Any]) -> list[tuple[Kernel, tuple[Any, ...]]]:
    """Do some work; the kernels that were called from outside kernels for it, with their arguments. For a process that
    runs them `as_python`.
    """
    _here.noted = []
    try:
        work()
        return _here.noted
    finally:
        _here.noted = None


def folders() -> list[Path]:
    """Where kernels are looked for, in this order; new ones go to the first that can be written.

    NUMBA_CACHE_DIR alone if it is set; else beside the package's own byte code, then in the user's cache folder.
    """
    named = os.environ.get("NUMBA_CACHE_DIR", "")
    if named:
        return [Path(named).absolute() / "eureka-park"]
    import platformdirs

    found = [Path(__file__).resolve().parents[1] / "__pycache__" / "kernels"]
    with contextlib.suppress(RuntimeError):  # no home is known
        found.append(Path(platformdirs.user_cache_dir("eureka-park", appauthor=False)) / "kernels")
    return [folder for folder in found if folder.is_absolute()]  # some versions answer "~/.cache" then
