"""Which job runs after which: a cycle among them would wait for ever."""

from __future__ import annotations

from eureka_park.foundation.cycles import chain_text as chain_text
from eureka_park.foundation.cycles import find_cycle as find_cycle
