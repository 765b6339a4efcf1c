"""A real HTTP server on this machine that keeps every call, and can be slow, broken, or point elsewhere."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Call:
    path: str
    headers: dict[str, str]
    body: bytes


class HookCatcher:
    """`mode`: ok, 500, 410, redirect (to `elsewhere`), slow (a byte now and then, for `slow_s`)."""

    def __init__(self) -> None:
        self.mode, self.elsewhere, self.slow_s = "ok", "", 5.0
        self.calls: queue.Queue[Call] = queue.Queue()
        catcher = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                found = {name.lower(): value for name, value in self.headers.items()}
                catcher.calls.put(Call(self.path, found, body))
                catcher.answer(self)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.url = f"http://localhost:{self.port}/hook"
        self._over = threading.Event()
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def answer(self, to: BaseHTTPRequestHandler) -> None:
        if self.mode == "slow":
            began_s = time.monotonic()
            try:
                while time.monotonic() - began_s < self.slow_s and not self._over.is_set():
                    to.wfile.write(b"H")
                    to.wfile.flush()
                    self._over.wait(0.05)
            except OSError:
                pass
            return
        if self.mode == "redirect":
            to.send_response(302)
            to.send_header("Location", self.elsewhere)
        else:
            to.send_response(200 if self.mode == "ok" else int(self.mode))
        to.send_header("Content-Length", "0")
        to.end_headers()

    def next(self, wait_s: float = 10.0) -> Call:
        return self.calls.get(timeout=wait_s)

    def n_waiting(self) -> int:
        return self.calls.qsize()

    def stop(self) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
