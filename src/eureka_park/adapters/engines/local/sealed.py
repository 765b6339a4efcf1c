"""Secret variables of an order, opened at the last moment: they lie sealed in every file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from eureka_park.foundation.wire.engine import StartOrder


def opened(order: StartOrder, home: str) -> StartOrder:
    """The order with its secrets among its variables. Raises Unavailable or BadInput without the park's key."""
    if not order.secrets:
        return order
    from eureka_park.adapters.home import Home
    from eureka_park.adapters.job_secrets import JobSecrets

    secrets = JobSecrets(Home(Path(home)))
    more = {name: secrets.unseal(order.job_id, name, sealed) for name, sealed in order.secrets}
    return replace(order, env={**order.env, **more}, secrets=())
