"""What a compiled kernel depends on, as one digest: its own code, all it calls, and every constant any of them reads.

numba keys its own files by the caller's source file alone, so a changed callee or constant of another module would go
unnoticed. Here nothing does: what cannot be described is refused. Comments, docstrings and line numbers do not count.
"""

from __future__ import annotations

import builtins
import dis
import hashlib
from collections.abc import Iterable, Iterator
from enum import Enum
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np

from eureka_park.foundation import kernels

FIXED = frozenset({"builtins", "cmath", "llvmlite", "math", "numba", "numpy", "operator"})  # keyed by their versions
PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis), range, slice, np.generic, np.dtype)

_described: dict[FunctionType, str] = {}


def digest(function: FunctionType) -> str:
    """Digest of all that decides what `function` compiles to, types of arguments and versions of packages left out.

    Raises TypeError for a reference that cannot be described, RuntimeError when something described before has changed
    in this process, as what is compiled already would not follow.
    """
    reached: dict[FunctionType, str] = {}
    waiting = [function]
    while waiting:
        found = waiting.pop()
        if found in reached:
            continue
        calls: list[FunctionType] = []
        reached[found] = _describe_function(found, calls)
        if _described.setdefault(found, reached[found]) != reached[found]:
            raise RuntimeError(f"{_name(found)} was compiled with other constants; what kernels read must not change.")
        waiting += calls
    text = "\n".join([_name(function), *sorted(reached.values())])
    return hashlib.sha256(text.encode()).hexdigest()


def describe_types(types: Iterable[Any]) -> str:
    """numba's types of arguments as text, with the fields of named tuples, which their own text leaves out."""
    return ", ".join(_describe_type(found) for found in types)


def _describe_type(found: Any) -> str:
    inner = [getattr(found, "dtype", None), *getattr(found, "types", ())]
    parts = [repr(found), *(_describe_type(item) for item in inner if item is not None and item is not found)]
    made_of = getattr(found, "instance_class", None)
    if made_of is not None:
        parts.append(f"{_name(made_of)} {getattr(made_of, '_fields', '')}")
    return " ".join(parts)


def _name(function: Any) -> str:
    return f"{function.__module__}.{function.__qualname__}"


def _describe_function(function: FunctionType, calls: list[FunctionType]) -> str:
    """The function's own code and what its names stand for; kernels that it calls are added to `calls`."""
    parts = [_name(function), *_describe_code(function.__code__, function.__doc__)]
    for name, value in _references(function):
        try:
            parts.append(f"{name}={_describe(value, calls)}")
        except TypeError as error:
            raise TypeError(f"kernel {_name(function)} refers to {name}, {error}") from None
    return "|".join(parts)


def _describe_code(code: CodeType, doc: str | None) -> Iterator[str]:
    yield f"{code.co_code.hex()} {code.co_exceptiontable.hex()} {code.co_flags} {code.co_names} {code.co_varnames}"
    yield f"{code.co_argcount} {code.co_posonlyargcount} {code.co_kwonlyargcount} {code.co_freevars} {code.co_cellvars}"
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _describe_code(constant, None)
        elif doc is None or constant != doc:
            yield _describe(constant, [])


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _references(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Names the function reads from outside itself, with their values; of a module of ours the names it may mean."""
    codes = list(_codes(function.__code__))
    loaded = {step.argval for code in codes for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}
    known = vars(builtins) | function.__globals__
    for name in sorted(loaded & known.keys()):
        value = known[name]
        yield name, value
        if isinstance(value, ModuleType) and not _is_fixed(value.__name__):
            attributes = {name for code in codes for name in code.co_names} & vars(value).keys()
            yield from ((f"{name}.{attribute}", vars(value)[attribute]) for attribute in sorted(attributes))
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield name, cell.cell_contents
    yield "defaults", function.__defaults__
    yield "keyword defaults", tuple(sorted((function.__kwdefaults__ or {}).items()))


def _is_fixed(module: str | None) -> bool:
    return (module or "").partition(".")[0] in FIXED


def _describe(value: Any, calls: list[FunctionType]) -> str:
    """A text that differs whenever machine code made with `value` as a constant may differ."""
    called = getattr(value, "py_func", None)  # a compiled function
    if isinstance(called, FunctionType):
        calls.append(called)
        return f"{_name(called)} {sorted(value.targetoptions.items())}"
    if value is kernels.prefetch:
        return "prefetch"
    if isinstance(value, ModuleType):
        return value.__name__
    if isinstance(value, np.ndarray):
        return f"{value.dtype!r} {value.shape} {value.strides} {hashlib.sha256(value.tobytes()).hexdigest()}"
    if isinstance(value, Enum):
        return f"{_name(type(value))} {value.name} {_describe(value.value, calls)}"
    if isinstance(value, (tuple, frozenset)):
        items = [_describe(item, calls) for item in value]
        return f"{type(value).__name__} {sorted(items) if isinstance(value, frozenset) else items}"
    if isinstance(value, PLAIN):
        return f"{type(value).__name__} {value!r} {getattr(value, 'itemsize', '')}"
    if isinstance(value, type):
        return _describe_class(value, calls)
    if isinstance(value, np.ufunc) or _is_fixed(getattr(value, "__module__", None)):  # functions and types of numbers
        return f"{type(value).__name__} {getattr(value, '__qualname__', value)}"
    raise TypeError(f"a {type(value).__name__} that is neither a constant nor has @kernel.")


def _describe_class(found: type, calls: list[FunctionType]) -> str:
    if _is_fixed(found.__module__):
        return _name(found)
    if issubclass(found, Enum):
        return f"{_name(found)} {[_describe(member, calls) for member in found]}"
    if issubclass(found, tuple) and hasattr(found, "_fields") and hasattr(found, "_field_defaults"):
        return f"{_name(found)} {found._fields} {_describe(tuple(found._field_defaults.items()), calls)}"
    raise TypeError(f"the class {_name(found)}, which kernels do not know.")
