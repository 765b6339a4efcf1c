"""What `@kernel` makes of a function once it is called: machine code, kept on disk. Imported at that first call only.

A file holds one kernel for one set of argument types. Its name carries a digest of all that the machine code depends
on (`foundation.kernel_key`, the CPU with its features, the versions of all involved), so a file is either right or not
found. Files are written beside and moved into place. Any number of processes may ask for a kernel at once: one
compiles it, the others wait for that. See decision note 0023.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import llvmlite
import numba
import numpy as np
from llvmlite import ir
from numba.core import caching, compiler, serialize, types
from numba.core import config as numba_config
from numba.core.codegen import JITCodeLibrary
from numba.core.funcdesc import default_mangler
from numba.core.registry import CPUDispatcher
from numba.extending import intrinsic, overload

from eureka_park.foundation import kernel_key, kernels
from eureka_park.foundation.kernels import SUFFIX

config: Any = numba_config
_rebuilt: Any = compiler.CompileResult._rebuild
_packed: Any = serialize.dumps
_without_value: Any = types.unliteral
N_KEPT_MAX = 16  # files of one kernel: argument types, machines and versions of the code; those unused longest go first
_OPTIONS = {"nopython": True, "nogil": True, "boundscheck": None, "no_cfunc_wrapper": True}
_VERSIONS = (
    numba.__version__,
    llvmlite.__version__,
    np.__version__,
    sys.implementation.cache_tag,
    sys.version_info[:3],
    *(hashlib.sha256(Path(path).read_bytes()).hexdigest() for path in (__file__, kernel_key.__file__)),
)


def _prefetching(first: int, n: int) -> Any:
    """The machine's own instruction for lines `first` to `first + n` of a record."""

    @intrinsic
    def prefetched(_context: Any, rows: Any, at: Any) -> Any:
        def made(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind, i8, i32, i64 = signature.args[0], ir.IntType(8), ir.IntType(32), ir.IntType(64)
            base = builder.ptrtoint(context.make_array(kind)(context, builder, args[0]).data, i64)
            base = builder.add(base, builder.mul(args[1], ir.Constant(i64, kind.dtype.size)))
            kinds = [i8.as_pointer(), i32, i32, i32]
            call = builder.module.declare_intrinsic("llvm.prefetch", kinds[:1], ir.FunctionType(ir.VoidType(), kinds))
            how = [ir.Constant(i32, value) for value in (1, 3, 1)]  # to be written, kept long, data
            for line in range(first, first + n):
                where = builder.inttoptr(builder.add(base, ir.Constant(i64, 64 * line)), i8.as_pointer())
                builder.call(call, [where, *how])
            return context.get_dummy_value()

        return types.none(rows, types.int64), made

    return prefetched


@overload(kernels.prefetch, prefer_literal=True)
def _overloaded(_rows: Any, _at: Any, _first: Any, _n: Any) -> Any:
    prefetched = _prefetching(_first.literal_value, _n.literal_value)

    def brought(_rows: Any, _at: Any, _first: Any, _n: Any) -> Any:
        return prefetched(_rows, _at)

    return brought


class NotKept(Exception):
    """A kernel that was to be found on disk is not there."""


class _InnerLibrary(JITCodeLibrary):
    """Code that is there to be linked into an entry: it is optimised and made machine code there, once, not here."""

    def _optimize_final_module(self) -> None:
        """Left to the entry."""

    def _finalize_final_module(self) -> None:
        cast(Any, self)._finalize_dynamic_globals()
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """None: nobody calls it."""
        return 0

    @property
    def codegen(self) -> Any:
        """What makes code of it; of an environment the entry takes care."""
        return _Codegen(self._codegen)


class _Codegen:
    def __init__(self, codegen: Any) -> None:
        self._codegen = codegen

    def __getattr__(self, name: str) -> Any:
        return getattr(self._codegen, name)

    def set_env(self, name: str, environment: Any) -> None:
        """Not yet: it has no address before the entry is made machine code."""


class _EntryLibrary(JITCodeLibrary):
    """Code of an entry with all that it calls. That nobody else calls it is said, so that it may be drawn into its
    callers or lose arguments: a board is more than a hundred of them, and twice as slow where each call passes all.
    """

    def _optimize_final_module(self) -> None:
        this: Any = self
        inner = {
            function.name
            for library in this._linking_libraries
            for function in library._get_module_for_linking().functions
            if not function.is_declaration
        }
        for function in this._final_module.functions:
            if function.name in inner and not function.is_declaration:
                function.linkage = "internal"
        cast(Any, super())._optimize_final_module()


def _short_name(name: str, kinds: Any, *, abi_tags: Any = (), uid: Any = None) -> str:
    """A symbol for a function of these types; numba's own would spell out every field of a board at each call."""
    arguments = hashlib.sha256(repr([str(kind) for kind in kinds]).encode()).hexdigest()[:16]
    return str(cast(Any, default_mangler)(f"{name}.{arguments}", (), abi_tags=abi_tags, uid=uid))


class _Compiler(compiler.Compiler):
    library: type[JITCodeLibrary]

    def define_pipelines(self) -> Any:
        """The usual ones, into a library of its own kind, with short symbols."""
        state: Any = self.state
        state.targetctx = state.targetctx.subtarget(mangler=_short_name)
        state.library = cast(Any, self.library)(state.targetctx.codegen(), state.func_id.func_qualname)
        return cast(Any, super()).define_pipelines()


class _InnerCompiler(_Compiler):
    library = _InnerLibrary


class _EntryCompiler(_Compiler):
    library = _EntryLibrary

    def define_pipelines(self) -> Any:
        """Its machine code is asked for, to be kept."""
        pipelines = super().define_pipelines()
        cast(Any, self).state.library.enable_object_caching()
        return pipelines


class _Inner(CPUDispatcher):
    """A kernel as kernels call it: one form for all widths of numbers, which become 64 bits wide on the way in."""

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """As for arguments of the width that the form has."""
        wide = {name: _widened(kind) for name, kind in dict(kws).items()}
        return super().get_call_template(tuple(_widened(kind) for kind in args), wide)


def _widened(kind: Any) -> Any:
    plain: Any = _without_value(kind)
    if plain in types.signed_domain:
        return types.int64
    return types.float64 if plain in types.real_domain else plain


class Entry(CPUDispatcher):
    """A kernel as Python calls it. Kernels that call it get a form of their own, made without what Python needs.

    Taking apart arguments such as a board of thirty arrays costs more to compile than most kernels themselves. What is
    kept on disk holds all that it calls; the inner forms are not kept.
    """

    def __init__(self, function: Any) -> None:
        names = function.__code__.co_names
        options = _OPTIONS | {"_nrt": any(function.__globals__.get(name) is np for name in names)}
        super().__init__(function, targetoptions=options, pipeline_class=_EntryCompiler)
        self._cache: Any = _Store(function)
        inner = options | {"no_cpython_wrapper": True}
        self._inner = _Inner(function, targetoptions=inner, pipeline_class=_InnerCompiler)

    def compile(self, sig: Any) -> Any:
        """The machine code for these types: from disk, else made now, or by another process that makes it already."""
        try:
            return super().compile(sig)
        finally:
            self._cache.let_go()

    def load(self, *args: Any, may_compile: bool = False) -> None:
        """Make ready for arguments like these with what is kept on disk. Raises NotKept where there is nothing, unless
        it may be compiled here.
        """
        self._cache.is_reading_only = not may_compile
        try:
            self.compile(tuple(self.typeof_pyval(arg) for arg in args))
        finally:
            self._cache.is_reading_only = False

    @property
    def _numba_type_(self) -> Any:
        """What kernels see of it."""
        return types.Dispatcher(self._inner)


class _Store(caching._Cache):
    """Compiled forms of one function on disk, by all that they depend on."""

    def __init__(self, function: Any) -> None:
        self._function = function
        self._lock: IO[bytes] | None = None
        self.is_reading_only = False
        self._stem = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}".replace("<locals>.", "")

    @property
    def cache_path(self) -> str:
        """The folder that is looked in first."""
        return str(kernels.folders()[0])

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """The compiled form for these argument types; None if there is none, and then nobody else makes it until
        `let_go`. Raises NotKept instead while only kept ones are wanted.
        """
        target_context.refresh()
        name = self._file_name(sig, target_context.codegen())
        data = _find(name)
        if data is None and self.is_reading_only:
            raise NotKept(self._stem)
        if data is None:
            self._lock = _alone(name)
            data = _find(name)  # made by another process meanwhile
        return None if data is None else _rebuilt(target_context, *pickle.loads(data))

    def let_go(self) -> None:
        """Others need not wait any longer for what this process has compiled, or failed to."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keep a compiled form; nothing is said where no folder can be written."""
        # Environments of inner forms could not be given their place before; see `_Codegen`.
        for environment in data._find_referenced_environments():
            data.codegen.set_env(environment.env_name, environment)
        if data.library.has_dynamic_globals or any(not lifted.can_cache for lifted in data.lifted):
            warnings.warn(f"kernel {self._stem} reads an array that is too large to be kept; pass it.", stacklevel=2)
            return
        content = _packed(data._reduce())
        name = self._file_name(sig, data.codegen)
        for folder in kernels.folders():
            with contextlib.suppress(OSError):
                _write(folder / name, content)
                _forget(folder, f"{self._stem}-*{SUFFIX}")
                return

    def enable(self) -> None:
        """Always on."""

    def disable(self) -> None:
        """Always on."""

    def flush(self) -> None:
        """Nothing to do: what is on disk is never stale."""

    def _file_name(self, sig: Any, codegen: Any) -> str:
        options = (config.OPT, config.BOUNDSCHECK, config.DEBUGINFO_DEFAULT, config.ENABLE_AVX)
        arguments, code = kernel_key.describe_types(sig), kernel_key.digest(self._function)
        parts = (arguments, codegen.magic_tuple(), _VERSIONS, _OPTIONS, options, code)
        return f"{self._stem}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}{SUFFIX}"


def _alone(name: str) -> IO[bytes] | None:
    """Hold the right to compile what is kept under a name; waits for the process that has it. It ends with the process,
    or when the file is closed. None where no folder can be written or files cannot be locked: then several may compile.

    One file serves for all names, a byte of it for each.
    """
    for folder in kernels.folders():
        with contextlib.suppress(OSError, ImportError):
            import fcntl

            folder.mkdir(mode=0o755, parents=True, exist_ok=True)
            file = (folder / kernels.LOCK).open("ab")
            try:
                fcntl.lockf(file, fcntl.LOCK_EX, 1, int(hashlib.sha256(name.encode()).hexdigest()[:7], 16))
            except BaseException:
                file.close()
                raise
            return file
    return None


def _find(name: str) -> bytes | None:
    """What is kept under a name, in the first folder that has it."""
    return next((data for folder in kernels.folders() if (data := _read(folder / name)) is not None), None)


def _read(path: Path) -> bytes | None:
    """What `_write` wrote; None if there is none or it is damaged."""
    try:
        packed = path.read_bytes()
    except OSError:
        return None
    if hashlib.sha256(packed[32:]).digest() != packed[:32]:
        return None
    with contextlib.suppress(OSError):  # used now: kept longest
        os.utime(path)
    return packed[32:]


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(hashlib.sha256(data).digest() + data)
        Path(part).chmod(0o644)
        Path(part).replace(path)
    except OSError:
        Path(part).unlink(missing_ok=True)
        raise


def _forget(folder: Path, pattern: str) -> None:
    for path in sorted(_dated(folder, pattern), reverse=True)[N_KEPT_MAX:]:
        path[1].unlink(missing_ok=True)


def _dated(folder: Path, pattern: str) -> Iterator[tuple[float, Path]]:
    for path in folder.glob(pattern):
        with contextlib.suppress(FileNotFoundError):  # another process has just removed it
            yield path.stat().st_mtime, path
