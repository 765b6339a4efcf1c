"""`python -m eureka_park.web`: the web process of a running park, on sockets handed down by `park up`."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from pathlib import Path

from eureka_park import bootstrap
from eureka_park.adapters.home_database import PATIENCE_S
from eureka_park.adapters.machine_code import MachineCode, keep_in
from eureka_park.adapters.process import log_to_stderr
from eureka_park.web.serve import serve


def main() -> None:
    """Serve the home named by --home on the sockets named by --fds, and the S3 door on those named by --s3-fds."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--fds", required=True)
    parser.add_argument("--s3-fds", default="")
    parser.add_argument("--ready-fd", type=int)
    options = parser.parse_args()
    log_to_stderr()
    MachineCode(work=_warm)  # a quote runs rules: as Python, until that takes long
    if options.ready_fd is not None:
        told = os.read(options.ready_fd, 16)  # returns when the home is prepared, or empty when its maker died
        os.close(options.ready_fd)
        if not told:
            sys.exit(1)
    keep_in(options.home / "kernels")
    serve(
        bootstrap.open_park(options.home, patience_s=PATIENCE_S),
        *(
            [socket.socket(fileno=int(item)) for item in fds.split(",") if item]
            for fds in (options.fds, options.s3_fds)
        ),
    )


def _warm() -> None:
    """Call all kernels that quotes call."""
    from eureka_park.control import tick
    from eureka_park.twin.core import play

    tick.warm()
    play.warm()


if __name__ == "__main__":
    main()
