"""Time zones from the locked `tzdata` package alone, not from the machine: rules change (Morocco's did in 2026), the
machine's copy may be years old, and a browser's clock beside the page must agree with the page.
"""

from __future__ import annotations

import zoneinfo
from zoneinfo import ZoneInfo

zoneinfo.reset_tzpath(to=())

__all__ = ["ZoneInfo"]
