"""A park behind a real server on a loopback port, with pages of a test beside the real ones, under the same policy."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from eureka_park.web.app import make_app
from eureka_park.web.assets import asset
from eureka_park.web.serve import ByPort, Server
from eureka_park.web.wire import Wire
from tests.helpers.live_park import LivePark

Answer = Callable[[Request], Any]


def document(main: str, *, lang: str = "en", after: str = "", live: bool = True) -> str:
    """A page as the park's own ones are made: the built files, a main part, what stands after it."""
    direction = "rtl" if lang == "ar" else "ltr"
    return f"""<!doctype html><html lang="{lang}" dir="{direction}"><head><meta charset="utf-8"><title>Test</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="/static/favicon.svg" type="image/svg+xml">
<link rel="stylesheet" href="{asset("park.css")}"><script src="{asset("theme.js")}"></script>
<script type="module" src="{asset("live.js")}"></script></head>
<body><main id="main"{" data-live" if live else ""}>{main}</main>{after}</body></html>"""


class Served:
    """The park (`live`), its addresses (`url`; `s3_url`: the S3 door), what pages of a test answer (`pages`)."""

    def __init__(self, folder: Path, pages: Mapping[str, Answer] | None = None, **home: Any) -> None:
        self.live = LivePark(folder, **home)
        self.pages = dict(pages or {})
        self.app = app = make_app(self.live.park)
        app.add_api_route("/test/{name:path}", self._answer, methods=["GET", "POST"], include_in_schema=False)
        listener, for_s3 = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
        self.url, self.s3_url = (f"http://localhost:{one.getsockname()[1]}" for one in (listener, for_s3))
        doors = ByPort(app, frozenset({for_s3.getsockname()[1]}))
        self.server = Server(
            uvicorn.Config(doors, log_level="error", lifespan="off", ws="none", access_log=False, http=Wire)
        )
        self._thread = threading.Thread(target=self.server.run, args=([listener, for_s3],), daemon=True)
        self._thread.start()
        while not self.server.started:
            time.sleep(0.01)

    async def _answer(self, request: Request, name: str) -> Response:
        found = self.pages[name](request)
        if hasattr(found, "__await__"):
            found = await found
        if isinstance(found, Response):
            return found
        return HTMLResponse(found) if isinstance(found, str) else JSONResponse(found)

    def sign_in_link(self) -> str:
        """Spent by the first who opens it."""
        person_id, _ = self.live.park.accounts.ensure_owner()
        return f"{self.url}/sign-in?code={self.live.park.accounts.new_sign_in_link(person_id)}"

    def stop(self) -> None:
        """Stop the server and close the park."""
        self.server.should_exit = True
        self._thread.join(10)
        self.live.park.close()
