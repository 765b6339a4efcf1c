"""What a file of weights holds: names, types and shapes out of the head of a safetensors file, without its weights.

Format: https://huggingface.co/docs/safetensors (an unsigned 64-bit length, then as many bytes of JSON).
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from eureka_park.web.preview.texts import shown

HEAD_BYTES_MAX: Final = 8 * 1024**2
TENSORS_SHOWN: Final = 500


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor of a file."""

    name: str
    kind: str
    shape: tuple[int, ...]
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Weights:
    """The tensors of a file, the first ones by place, and what all of them come to."""

    tensors: tuple[Tensor, ...]
    n_tensors: int
    n_parameters: int
    by_kind: tuple[tuple[str, int], ...]  # parameters of each type, the most frequent first
    notes: tuple[tuple[str, str], ...]


def safetensors_head(read: Callable[[int, int], bytes], size_bytes: int) -> Weights | None:
    """The head of a safetensors file; None where it is none, or its head is too large."""
    start = read(0, 8)
    if len(start) < 8:
        return None
    (length,) = struct.unpack("<Q", start)
    if not 2 <= length <= min(HEAD_BYTES_MAX, size_bytes - 8):
        return None
    try:
        head: Any = json.loads(read(8, 8 + length))
    except (ValueError, RecursionError):
        return None
    return _weights(head) if isinstance(head, dict) else None


def _weights(head: dict[str, Any]) -> Weights | None:
    notes = head.pop("__metadata__", {})
    found: list[tuple[int, Tensor]] = []
    totals: dict[str, int] = {}
    for name, told in head.items():
        tensor = _tensor(name, told)
        if tensor is None:
            return None
        found.append(tensor)
        totals[tensor[1].kind] = totals.get(tensor[1].kind, 0) + math.prod(tensor[1].shape)
    found.sort(key=lambda item: item[0])
    said = notes.items() if isinstance(notes, dict) else ()
    return Weights(
        tuple(tensor for _, tensor in found[:TENSORS_SHOWN]), len(found), sum(totals.values()),
        tuple(sorted(totals.items(), key=lambda item: -item[1])),
        tuple((shown(str(key)[:100]), shown(str(value)[:300])) for key, value in list(said)[:20]),
    )  # fmt: skip


def _tensor(name: str, told: Any) -> tuple[int, Tensor] | None:
    try:
        kind, shape, (start, end) = str(told["dtype"])[:12], tuple(told["shape"]), told["data_offsets"]
    except (KeyError, TypeError, ValueError):
        return None
    numbers = (start, end, *shape)
    if len(shape) > 32 or not all(type(number) is int and 0 <= number < 2**63 for number in numbers) or end < start:
        return None
    return start, Tensor(shown(name[:300]), shown(kind), shape, end - start)
