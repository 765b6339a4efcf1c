"""Serving: uvicorn on sockets that somebody else holds; the S3 door has sockets of its own."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from eureka_park.bootstrap import Park
from eureka_park.web.app import make_app
from eureka_park.web.doors.s3.app import S3Door
from eureka_park.web.events import watch_of
from eureka_park.web.wire import Wire


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


class ByPort:
    """The park's application, and the S3 door for whoever comes to one of its ports."""

    def __init__(self, app: FastAPI, s3_ports: frozenset[int]) -> None:
        self._app, self._s3_ports, self.state = app, s3_ports, app.state
        self._door = S3Door(app.state.park, app.state.limits)
        app.state.s3_port = min(s3_ports, default=None)  # what pages and the API tell of it

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        came_to = (scope.get("server") or ("", 0))[1]
        door = self._door if scope["type"] == "http" and came_to in self._s3_ports else self._app
        await door(scope, receive, send)


def serve(park: Park, sockets: Sequence[socket.socket], s3_sockets: Sequence[socket.socket] = ()) -> None:
    """Serve until told to stop (SIGTERM, SIGINT)."""
    app = make_app(park)
    s3_ports = frozenset(one.getsockname()[1] for one in s3_sockets)
    config = uvicorn.Config(
        ByPort(app, s3_ports) if s3_ports else app,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
        http=Wire,
        ws="none",
        lifespan="off",
        server_header=False,
    )
    Server(config).run([*sockets, *s3_sockets])
