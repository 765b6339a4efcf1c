"""`@kernel`: a function over numpy arrays, compiled once to machine code and kept on disk."""

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile `function` at its first call; whoever calls it may let other threads run meanwhile."""
    compiled: F = njit(cache=True, nogil=True)(function)
    return compiled
