"""Serving: uvicorn on sockets that somebody else holds."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import uvicorn

from eureka_park.bootstrap import Park
from eureka_park.web.app import make_app
from eureka_park.web.events import watch_of


class Server(uvicorn.Server):
    """Lets streams go before it waits for them."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams and computations, then everything else."""
        await watch_of(self.config.app).close()  # type: ignore[arg-type]
        state = self.config.app.state  # type: ignore[union-attr]
        for desk in (state.desk, state.runs):
            if desk is not None:
                desk.close()
        await super().shutdown(sockets)


def serve(park: Park, sockets: Sequence[socket.socket]) -> None:
    """Serve until told to stop (SIGTERM, SIGINT)."""
    config = uvicorn.Config(
        make_app(park),
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
        http="h11",
        ws="none",
        lifespan="off",
        server_header=False,
    )
    Server(config).run(list(sockets))
