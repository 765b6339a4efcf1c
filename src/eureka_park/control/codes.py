"""Codes of actions and reasons that kernels write; `reasons.py` has the words."""

from __future__ import annotations

START, CAP, PAUSE, FREEZE, THAW, END, DEFER, RESIZE = 1, 2, 3, 4, 5, 6, 7, 8

NO_REASON = 0
FIRM_POWER = 1  # a: needed kW, b: kW that can be promised
SITE_POWER = 2  # a: needed kW, b: free kW
CLEAN_POWER = 3  # a: needed kW, b: free kW
BETTER_HOUR = 4  # a: price now, b: price then
ROOM = 5  # a: parts that are needed, b: parts that are free
NO_SUCH_NODE = 6
RESERVED = 7  # there is room, but it is promised to others who come first; a: parts, b: parts free
WINDOW = 8  # maintenance or an advance reservation stands before it
CAPPED = 20  # a: kW missing at its turn, b: cap fraction
PAUSED_FOR_POWER = 21  # a: kW missing at its turn
FROZEN_FOR_POWER = 22  # a: kW missing at its turn
RESUMED = 23  # a: clean kW, b: 1 when it was frozen, more: the nodes that a gang has now
SHRUNK = 24  # a: kW missing at its turn, b: nodes kept
RECLAIMED = 25  # a: the share that reclaims (index), b: its floor kW
STAYS_FROZEN = 26  # a: kW missing
STAYS_CAPPED = 27  # a: kW missing, b: cap fraction
