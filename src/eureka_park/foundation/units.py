"""Units: the only place where quantities are converted or read from words.

Instants are UTC epoch seconds (`*_s`, float or int) in cores and aware UTC ISO 8601 text at the edges.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from eureka_park.foundation.errors import BadInput

HOUR_S: Final = 3600
DAY_S: Final = 86400
J_PER_KWH: Final = 3_600_000.0
KILO: Final = 1000.0
MWH_PER_GWH: Final = 1000.0
GIB: Final = 1024**3
MIB: Final = 1024**2

_LAST_S: Final = 253_370_764_800.0  # 9999-01-01: calendars end there, and time zones need a margin
_DURATION_UNITS: Final = {"s": 1, "m": 60, "h": HOUR_S, "d": DAY_S, "w": 7 * DAY_S}
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?[smhdw])+")
_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)([smhdw])")
_BYTE_UNITS: Final = {
    "": 1, "b": 1, "k": 1000, "kb": 1000, "m": 1000**2, "mb": 1000**2, "g": 1000**3, "gb": 1000**3,
    "t": 1000**4, "tb": 1000**4,
    "ki": 1024, "kib": 1024, "mi": MIB, "mib": MIB, "gi": GIB, "gib": GIB, "ti": 1024**4, "tib": 1024**4,
}  # fmt: skip
_BYTES_END: Final = 2.0**63
_BYTES = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]*)")


def kwh_from_j(energy_j: float) -> float:
    """Joules to kilowatt-hours."""
    return energy_j / J_PER_KWH


def kw_from_w(power_w: float) -> float:
    """Watts to kilowatts."""
    return power_w / 1000.0


def mw_from_kw(power_kw: float) -> float:
    """Kilowatts to megawatts."""
    return power_kw / 1000.0


def kw_from_mw(power_mw: float) -> float:
    """Megawatts to kilowatts."""
    return power_mw * 1000.0


def parse_duration_s(text: str) -> float:
    """Read a duration such as `90s`, `15m`, `2h`, `3d` or `1h30m`; seconds.

    Raises BadInput with the accepted forms.
    """
    word = text.strip().lower()
    if not _DURATION.fullmatch(word):
        raise BadInput(
            f"'{text}' is not a duration.", fix="Write it as 90s, 15m, 2h, 3d or 1h30m.", code="bad_duration"
        )
    return sum(float(number) * _DURATION_UNITS[unit] for number, unit in _DURATION_PART.findall(word))


def parse_instant_s(text: str) -> float:
    """Read an ISO 8601 instant with an offset or `Z`; UTC epoch seconds. Raises BadInput when it has no offset."""
    try:
        instant = datetime.fromisoformat(text.strip())
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise BadInput(
            f"'{text}' is not an instant.",
            fix="Write it in ISO 8601 with an offset, such as 2026-11-22T18:00:00Z.",
            code="bad_instant",
        )
    return instant.timestamp()


def parse_when_s(text: str, now_s: float) -> float:
    """Read a deadline: a duration from now (`2h`) or an ISO 8601 instant; UTC epoch seconds."""
    if _DURATION.fullmatch(text.strip().lower()):
        return now_s + parse_duration_s(text)
    try:
        return parse_instant_s(text)
    except BadInput:
        raise BadInput(
            f"'{text}' is neither a duration nor an instant.",
            fix="Write 90s, 15m, 2h or 3d from now, or an instant such as 2026-11-22T18:00:00Z.",
            code="bad_instant",
        ) from None


def parse_bytes(text: str) -> int:
    """Read a size such as `512M`, `2GiB`, `1.5g` or `4096`; bytes (K, M, G, T are decimal, Ki, Mi, Gi, Ti binary)."""
    match = _BYTES.fullmatch(text.strip().lower())
    if not match or match[2] not in _BYTE_UNITS:
        raise BadInput(f"'{text}' is not a size.", fix="Write it as 512M, 2GiB or a number of bytes.", code="bad_size")
    size_bytes = float(match[1]) * _BYTE_UNITS[match[2]]
    if size_bytes >= _BYTES_END:
        raise BadInput(f"'{text[:40]}' is larger than any memory.", fix="Write it as 512M or 2GiB.", code="bad_size")
    return int(size_bytes)


def parse_count(text: str) -> int:
    """Read a count such as `1000`, `10e6` or `1_000`."""
    try:
        value = float(text.replace("_", ""))
    except ValueError:
        value = -1.0
    if not 0.0 <= value < float("inf") or value != int(value):
        raise BadInput(f"'{text}' is not a count.", fix="Write a whole number such as 1000 or 10e6.", code="bad_count")
    return int(value)


def iso_from_s(instant_s: float | None) -> str | None:
    """UTC epoch seconds to ISO 8601 text with `Z`, to the millisecond, from 1970 to 9998; None stays None."""
    if instant_s is None:
        return None
    instant_s = min(max(instant_s, 0.0), _LAST_S)
    text = datetime.fromtimestamp(instant_s, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def duration_text(seconds: float) -> str:
    """A duration in the two largest units that matter, such as `1 h 05 min` or `42 s`."""
    whole = round(max(0.0, seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < HOUR_S:
        return f"{whole // 60} min" if whole % 60 == 0 or whole >= 600 else f"{whole // 60} min {whole % 60:02d} s"
    if whole < 2 * DAY_S:
        return f"{whole // HOUR_S} h {whole % HOUR_S // 60:02d} min"
    return f"{whole // DAY_S} d {whole % DAY_S // HOUR_S} h"


def bytes_text(n_bytes: int) -> str:
    """A size with a unit that fits it: B, KiB, MiB, GiB or TiB."""
    for unit_bytes, unit in ((1024 * GIB, "TiB"), (GIB, "GiB"), (MIB, "MiB"), (1024, "KiB")):
        if n_bytes >= unit_bytes:
            return f"{n_bytes / unit_bytes:.1f} {unit}"
    return f"{n_bytes} B"


def power_text(power_mw: float) -> str:
    """A power with a unit that fits its size: W, kW or MW."""
    return _scaled_text(power_mw * 1e6, (("W", 1.0), ("kW", 1e3), ("MW", 1e6)))


def energy_text(energy_kwh: float) -> str:
    """An energy with a unit that fits its size: Wh, kWh, MWh or GWh."""
    return _scaled_text(energy_kwh * 1e3, (("Wh", 1.0), ("kWh", 1e3), ("MWh", 1e6), ("GWh", 1e9)))


def _scaled_text(base: float, scales: tuple[tuple[str, float], ...]) -> str:
    unit, size = scales[0]
    for name, scale in scales:
        if abs(base) >= scale:
            unit, size = name, scale
    value = base / size
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 0.1 or value == 0 else 4
    return f"{value:.{digits}f} {unit}"
