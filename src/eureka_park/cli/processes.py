"""What commands share that stay with processes of a park: sockets that outlive those, and starting them again."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import click

from eureka_park.adapters.process import die_with_parent
from eureka_park.foundation.errors import BadInput, Unavailable

STOP_WAIT_S: Final = 20.0
S3_PORT_HELP: Final = "Port for S3 clients; 0 takes a free one. Without it there is no S3 door."
_LOOPBACK: Final = ("127.0.0.1", "::1")
_QUICK_DEATHS_MAX: Final = 5


def bind(host: str, port: int, *, behind_proxy: bool, option: str = "--port") -> list[socket.socket]:
    """Sockets that listen on a port; 0 takes a free one. `option`: by which another one is chosen.

    Raises Unavailable for one in use, BadInput for an address that needs TLS.
    """
    hosts = _LOOPBACK if host == "localhost" else (host,)
    if host not in ("localhost", *_LOOPBACK) and not behind_proxy:
        raise BadInput(
            f"{host} is not a loopback address, and the park itself speaks no TLS.",
            fix="Put a proxy with TLS before it and say --behind-proxy.",
            code="needs_tls",
        )
    sockets: list[socket.socket] = []
    for name in hosts:
        family = socket.AF_INET6 if ":" in name else socket.AF_INET
        try:
            listener = socket.socket(family, socket.SOCK_STREAM)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind((name, port))
            listener.listen(512)
        except OSError as error:
            if family == socket.AF_INET6 and sockets:
                continue  # a machine without IPv6 listens on IPv4 alone
            raise Unavailable(
                f"Port {port} of {name} cannot be used: {(error.strerror or str(error)).lower()}.",
                fix=f"Stop what uses it, or choose another with {option}.",
                code="port_in_use",
            ) from None
        port = listener.getsockname()[1]
        sockets.append(listener)
    return sockets


def fds_of(sockets: Sequence[socket.socket]) -> str:
    """Their handles, as a child of this process is told them."""
    return ",".join(str(item.fileno()) for item in sockets)


def url_of(sockets: Sequence[socket.socket]) -> str:
    """What a browser on this machine asks for."""
    host, port = sockets[0].getsockname()[:2]
    name = "localhost" if host in _LOOPBACK else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


@dataclass
class Child:
    """A process of the park, started again when it dies."""

    name: str
    command: Callable[[], list[str]]
    fds: Callable[[], tuple[int, ...]]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_s: float = 0.0
    n_quick_deaths: int = 0

    def start(self) -> None:
        """Start it; its words go to its log."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=self.fds(),
                start_new_session=True,
                # Before the program begins: a parent killed in the meantime must leave no orphan on its port.
                preexec_fn=partial(die_with_parent, os.getpid()),
            )
        self.started_s = time.monotonic()

    def restart_if_dead(self) -> None:
        """Start it again when it has ended. Raises Unavailable for one that ends at once, again and again."""
        if self.process is None or self.process.poll() is None:
            return
        code = self.process.returncode
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        self.n_quick_deaths = self.n_quick_deaths + 1 if time.monotonic() - self.started_s < 2.0 else 0
        if self.n_quick_deaths > _QUICK_DEATHS_MAX:
            raise Unavailable(f"The {self.name} process dies at once: {last_line(self.log)}", fix=f"See {self.log}.")
        click.echo(f"park: the {self.name} process {how}; it is started again", err=True)
        time.sleep(min(2.0, 0.1 * 2**self.n_quick_deaths) if self.n_quick_deaths else 0.0)
        self.start()

    def stop(self) -> None:
        """Ask it to end, and see to it."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_WAIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def last_line(log: Path) -> str:
    """The last words of a log."""
    lines = (
        [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        if log.exists()
        else []
    )
    return lines[-1].removeprefix("park: ") if lines else "no word in its log."


def is_ready(listener: socket.socket) -> bool:
    """Whether a web process answers on a socket."""
    import http.client

    host, port = listener.getsockname()[:2]
    connection = http.client.HTTPConnection(host, port, timeout=1.0)
    try:
        connection.request("GET", "/healthz", headers={"Host": f"localhost:{port}"})
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
