"""What do 500 people with a page open cost? Memory of the web process, and CPU seconds for each change of the park.

    .venv/bin/python benchmarks/open_streams.py [--streams 500] [--changes 20]

Starts a bare park of its own in a temporary home on a free port, opens the streams over loopback from this process,
submits a small job every second, and ends everything. The CPU that the same submissions cost without any stream is
taken off. PSS, so that shared pages are not counted twice.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import time
from contextlib import suppress
from urllib.parse import urlsplit

import psutil
from whole_park import a_park

from eureka_park.client import Park

READ_BYTES = 1 << 16


def web_of(root: psutil.Process) -> psutil.Process:
    """The park's web process."""
    return next(child for child in root.children() if "eureka_park.web" in " ".join(child.cmdline()))


def pss_mb(process: psutil.Process) -> float:
    """Its proportional set size; MB."""
    return process.memory_full_info().pss / 1e6


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds it has used."""
    times = process.cpu_times()
    return times.user + times.system


class Listeners:
    """Many open streams, read by one selector."""

    def __init__(self, url: str, count: int) -> None:
        self.selector = selectors.DefaultSelector()
        self.sockets: list[socket.socket] = []
        self.n_events = self.n_bytes = 0
        parts = urlsplit(url)
        request = f"GET /api/v1/events HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: text/event-stream\r\n\r\n"
        for _ in range(count):
            opened = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=20)
            opened.sendall(request.encode())
            opened.setblocking(False)
            self.selector.register(opened, selectors.EVENT_READ)
            self.sockets.append(opened)

    def read(self, seconds: float) -> None:
        """Read what comes for a while."""
        end_s = time.monotonic() + seconds
        while (left_s := end_s - time.monotonic()) > 0:
            if not self.sockets:
                time.sleep(left_s)
                return
            for key, _ in self.selector.select(left_s):
                with suppress(BlockingIOError):
                    chunk = key.fileobj.recv(READ_BYTES)  # type: ignore[union-attr]
                    self.n_bytes += len(chunk)
                    self.n_events += chunk.count(b"event: changed")
                    if not chunk:
                        self.selector.unregister(key.fileobj)

    def close(self) -> None:
        """Leave."""
        for opened in self.sockets:
            opened.close()
        self.selector.close()


def changes(park: Park, web: psutil.Process, listeners: Listeners, count: int) -> tuple[float, int]:
    """Change the park so many times, a second apart; CPU seconds of the web process and events heard."""
    begin_s, heard = cpu_s(web), listeners.n_events
    for _ in range(count):
        park.submit(["true"], cpus=0.1, memory="16MiB", tier="green", time="5m")
        listeners.read(1.0)
    return cpu_s(web) - begin_s, listeners.n_events - heard


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=500)
    parser.add_argument("--changes", type=int, default=20)
    options = parser.parse_args()
    with a_park() as (park, root, address):
        web, nobody = web_of(root), Listeners(address[0], 0)
        changes(park, web, nobody, 3)
        alone_s, _ = changes(park, web, nobody, options.changes)
        before_mb = pss_mb(web)
        listeners = Listeners(address[0], options.streams)
        listeners.read(3.0)
        opened_mb = pss_mb(web)
        with_s, heard = changes(park, web, listeners, options.changes)
        after_mb = pss_mb(web)
        idle_s = cpu_s(web)
        listeners.read(10.0)
        idle_s = cpu_s(web) - idle_s
        listeners.close()
        nobody.close()
    n_beats = heard / options.streams if options.streams else 0.0
    figures = {
        "streams": options.streams,
        "web_pss_mb_before": round(before_mb, 1),
        "web_pss_mb_opened": round(opened_mb, 1),
        "web_pss_mb_after_changes": round(after_mb, 1),
        "more_mb": round(max(opened_mb, after_mb) - before_mb, 1),
        "events_per_stream": round(n_beats, 1),
        "bytes_per_event": round(listeners.n_bytes / max(1, listeners.n_events)),
        "cpu_ms_per_event_to_all": round((with_s - alone_s) / max(1.0, n_beats) * 1000, 1),
        "core_frac_while_nothing_happens": round(idle_s / 10.0, 3),
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
