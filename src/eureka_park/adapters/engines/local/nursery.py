"""The nursery: a small process that has everything loaded and forks supervisors in milliseconds.

It is a child of the engine's process, listens on a socket pair and ends when that closes; the supervisors it forked
run on.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import socket
import sys
from typing import Any, NoReturn

from eureka_park.adapters.engines.local.supervisor import IGNORED, WATCHED, supervise
from eureka_park.sandbox.detect import Sandbox, detect
from eureka_park.sandbox.levels import Level

MESSAGE_BYTES_MAX = 65_536


def main() -> None:
    """`python -m … FD`: the first message says which home; then each message is one attempt to supervise."""
    line = socket.socket(fileno=int(sys.argv[1]))
    hello = json.loads(line.recv(MESSAGE_BYTES_MAX))
    known = hello.get("sandbox")
    sandbox = Sandbox.from_json(known) if known else detect(hello["key"], Level.from_word(hello["ceiling"]))
    line.send(json.dumps(sandbox.to_json()).encode())
    os.umask(0o022)
    os.chdir("/")
    signal.pthread_sigmask(signal.SIG_BLOCK, [*WATCHED, *IGNORED])
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries supervisors that end; none stays as a zombie
    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, the pages shared with every supervisor
    while message := line.recv(MESSAGE_BYTES_MAX):
        try:
            pid = os.fork()
        except OSError as error:
            sys.stderr.write(f"park: no new process: {error}\n")
            continue
        if pid == 0:
            _grow_up(line, json.loads(message), hello, sandbox)


def _grow_up(line: socket.socket, message: dict[str, Any], hello: dict[str, Any], sandbox: Sandbox) -> NoReturn:
    """In the fork: leave the nursery's session and sockets, be a supervisor, and end without the nursery's clean-up."""
    code = 1
    try:
        gc.disable()
        line.close()
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        supervise(hello["home"], message["job_id"], message["attempt"], sandbox, hello["key"])
        code = 0
    except BaseException as error:
        with contextlib.suppress(Exception):
            sys.stderr.write(f"park: a supervisor failed: {error!r}\n")
            sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
