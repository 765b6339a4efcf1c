"""Keep one NVIDIA GPU busy for a while: bf16 matrix products on its tensor cores, through the driver alone.

    python benchmarks/gpu_burn.py --seconds 20 [--busy 0.5] [--kernel-ms 5] [--ahead 1]

It needs no package and no toolkit, only the driver (`libcuda.so.1`) and a GPU of compute capability 8.0 or newer, so it
also serves as a job: `park submit --gpus 1 benchmarks/gpu_burn.py -- --seconds 20`. `--ahead N` keeps N kernels waiting
on the GPU, as training loops do; `--busy F` computes for that part of each 0.1 s. One line of JSON tells what was done.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import time
from collections.abc import Iterator
from typing import Any, Final

_N_PARTS: Final = 8  # independent products in flight in each warp
_FLOP_PER_MMA: Final = 2 * 16 * 8 * 16
_THREADS: Final = 256
_SLOT_S: Final = 0.1
_NAME_BYTES: Final = 256
_N_MULTIPROCESSORS: Final = 16  # CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT


def kernel_text() -> str:
    """The kernel as PTX: `burn(out, n)` does `n` rounds of matrix products on registers and writes a sum."""
    a = [f"%a{n}" for n in range(16)]
    b = [f"%b{n}" for n in range(8)]
    lines = [
        ".version 7.0",
        ".target sm_80",
        ".address_size 64",
        ".visible .entry burn(.param .u64 out, .param .u32 n)",
        "{",
        ".reg .pred %p; .reg .b32 %a<16>; .reg .b32 %b<8>; .reg .b32 %r<8>; .reg .f32 %d<33>; .reg .b64 %q<4>;",
        "ld.param.u64 %q0, [out]; ld.param.u32 %r0, [n]; cvta.to.global.u64 %q1, %q0;",
        "mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mad.lo.u32 %r4, %r2, %r3, %r1;",
        "mad.lo.u32 %r5, %r4, 747796405, 1013904223;",
    ]
    for register in a + b:  # numbers of either sign between 1 and 2, no two alike: zeros would draw less power
        lines.append("mad.lo.u32 %r5, %r5, 1664525, 1013904223;")
        lines.append(f"shr.u32 %r6, %r5, 9; and.b32 %r6, %r6, 0x807f807f; or.b32 {register}, %r6, 0x3f803f80;")
    lines += [f"mov.f32 %d{n}, 0f00000000;" for n in range(4 * _N_PARTS)]
    lines.append("again:")
    for part in range(_N_PARTS):
        first, second = 4 * (part % 4), 2 * (part // 2)
        sums = ", ".join(f"%d{4 * part + n}" for n in range(4))
        lines.append(
            f"mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {{{sums}}}, "
            f"{{{', '.join(a[first : first + 4])}}}, {{{', '.join(b[second : second + 2])}}}, {{{sums}}};"
        )
    lines += ["sub.u32 %r0, %r0, 1;", "setp.ne.u32 %p, %r0, 0;", "@%p bra again;", "mov.f32 %d32, 0f00000000;"]
    lines += [f"add.f32 %d32, %d32, %d{n};" for n in range(4 * _N_PARTS)]
    lines += ["mul.wide.u32 %q2, %r4, 4; add.s64 %q3, %q1, %q2; st.global.f32 [%q3], %d32;", "ret;", "}"]
    return "\n".join(lines) + "\n"


class Gpu:
    """The first GPU this process may see, with the kernel loaded. Raises OSError with the driver's own word."""

    def __init__(self) -> None:
        self._cuda = ctypes.CDLL("libcuda.so.1")
        self._call("cuInit", 0)
        device, context, module = ctypes.c_int(), ctypes.c_void_p(), ctypes.c_void_p()
        name = ctypes.create_string_buffer(_NAME_BYTES)
        self._call("cuDeviceGet", ctypes.byref(device), 0)
        self._call("cuDeviceGetName", name, _NAME_BYTES, device)
        count = ctypes.c_int()
        self._call("cuDeviceGetAttribute", ctypes.byref(count), _N_MULTIPROCESSORS, device)
        self._call("cuDevicePrimaryCtxRetain", ctypes.byref(context), device)
        self._call("cuCtxSetCurrent", context)
        self._call("cuModuleLoadData", ctypes.byref(module), kernel_text().encode())
        self._kernel = ctypes.c_void_p()
        self._call("cuModuleGetFunction", ctypes.byref(self._kernel), module, b"burn")
        self.name = name.value.decode()
        self.n_blocks = count.value * 4
        self._out = ctypes.c_uint64()
        self._call("cuMemAlloc_v2", ctypes.byref(self._out), ctypes.c_size_t(4 * self.n_blocks * _THREADS))

    def _call(self, function: str, *arguments: Any) -> None:
        code = getattr(self._cuda, function)(*arguments)
        if code:
            text = ctypes.c_char_p()
            self._cuda.cuGetErrorName(code, ctypes.byref(text))
            raise OSError(f"{function}: {(text.value or b'').decode() or code}")

    def launch(self, n_rounds: int) -> None:
        """Queue one kernel; it does not wait."""
        rounds = ctypes.c_uint32(n_rounds)
        values = (ctypes.c_void_p * 2)(ctypes.addressof(self._out), ctypes.addressof(rounds))
        shape = (self.n_blocks, 1, 1, _THREADS, 1, 1)
        self._call("cuLaunchKernel", self._kernel, *shape, 0, None, values, None)

    def wait(self) -> None:
        """Wait for all that is queued."""
        self._call("cuCtxSynchronize")

    def event(self) -> ctypes.c_void_p:
        """A mark in the queue that can be waited for while the process sleeps."""
        event = ctypes.c_void_p()
        self._call("cuEventCreate", ctypes.byref(event), 1)  # blocking, so that waiting takes no CPU
        return event

    def record(self, event: ctypes.c_void_p) -> None:
        """Set the mark behind all that is queued."""
        self._call("cuEventRecord", event, None)

    def wait_for(self, event: ctypes.c_void_p) -> None:
        """Wait until the queue has come past the mark."""
        self._call("cuEventSynchronize", event)

    def sum_of_thread_0(self) -> float:
        """What the first thread wrote: not 0 once a kernel has run."""
        value = ctypes.c_float()
        self._call("cuMemcpyDtoH_v2", ctypes.byref(value), self._out, ctypes.c_size_t(4))
        return value.value

    def flop(self, n_rounds: int) -> float:
        """Operations of one kernel."""
        return float(n_rounds) * _N_PARTS * _FLOP_PER_MMA * self.n_blocks * _THREADS / 32


def rounds_for(gpu: Gpu, kernel_s: float) -> int:
    """Rounds that take about `kernel_s`, found by trial."""
    n_rounds = 2_000
    gpu.launch(n_rounds)
    gpu.wait()
    begin_s = time.perf_counter()
    for _ in range(5):
        gpu.launch(n_rounds)
    gpu.wait()
    return max(1, round(n_rounds * kernel_s * 5 / (time.perf_counter() - begin_s)))


def burn(gpu: Gpu, seconds: float, busy_frac: float, n_rounds: int, n_ahead: int) -> Iterator[None]:
    """Compute for so long; yields after each kernel queued."""
    marks = [gpu.event() for _ in range(max(1, n_ahead))]
    end_s = time.monotonic() + seconds
    slot_s, count = time.monotonic(), 0
    while time.monotonic() < end_s:
        mark = marks[count % len(marks)]
        gpu.wait_for(mark)  # the kernel queued so many before this one
        gpu.launch(n_rounds)
        gpu.record(mark)
        count += 1
        yield
        if busy_frac < 1.0 and time.monotonic() - slot_s >= _SLOT_S * busy_frac:
            gpu.wait()
            time.sleep(max(0.0, slot_s + _SLOT_S - time.monotonic()))
            slot_s = time.monotonic()
    gpu.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--busy", type=float, default=1.0)
    parser.add_argument("--kernel-ms", type=float, default=5.0)
    parser.add_argument("--ahead", type=int, default=2)
    options = parser.parse_args()
    try:
        gpu = Gpu()
    except OSError as error:
        raise SystemExit(f"no GPU: {error}") from None
    n_rounds = rounds_for(gpu, options.kernel_ms / 1000.0)
    begin_s = time.monotonic()
    count = sum(1 for _ in burn(gpu, options.seconds, options.busy, n_rounds, options.ahead))
    took_s = time.monotonic() - begin_s
    told = {
        "gpu": gpu.name,
        "visible": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "kernels": count,
        "seconds": round(took_s, 3),
        "tflop_per_s": round(count * gpu.flop(n_rounds) / took_s / 1e12, 1),
        "sum": gpu.sum_of_thread_0(),
    }
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
