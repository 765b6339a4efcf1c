"""The table [money] of the settings file as rules, read anew when the file changed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any

from eureka_park.foundation.errors import BadInput
from eureka_park.ledger.core.money_rules import MoneyRules, read_money_rules

_log = logging.getLogger("eureka_park")


class MoneySettings:
    """What the operator says of money as of now. `table`: the settings' own, the same object while nothing changes.

    What is wrong when the park starts stops it with a line that names the field; a table that is damaged while it runs
    leaves the last good rules.
    """

    def __init__(self, table: Callable[[], Mapping[str, Any]]) -> None:
        self._table, self._lock = table, threading.Lock()
        self._read = table()
        self._rules = read_money_rules(self._read)

    def rules(self) -> MoneyRules:
        """VAT, currencies, series and seller as of now."""
        found = self._table()
        if found is not self._read:
            with self._lock:
                if found is not self._read:
                    self._read = found
                    try:
                        self._rules = read_money_rules(found)
                    except BadInput as error:
                        _log.error("the rules of money stay as they were: %s", error.line())
        return self._rules
