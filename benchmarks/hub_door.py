"""How fast is the hub's door to its own client, and how much does the server pay for it?

    .venv/bin/python benchmarks/hub_door.py [--mb 2000] [--files 10000] [--only download,again,files,beside] [--json]

A park of its own behind a loopback port, served in a process of its own as `park up` serves it; the unmodified
`huggingface_hub` with `hf_xet` at its defaults in a fresh process for each step. Wall and CPU seconds of the client's
call (without imports), MB/s, CPU seconds and the highest resident memory of the server. Wanted of a file of 2 GB:
150 MB/s up, 400 down, 200 MB of memory; 5 % of it for one percent changed; 20 s for 10,000 files.
`again`: the file with one percent changed in ten places, sent from the same machine and from one with an empty cache.
`beside`: the same client fetching the file from a server that does nothing but send files, and boto3 and s3fs sending
it to moto and fetching it; what the door does is told as ratios to these too.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import logging
import multiprocessing
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from eureka_park import bootstrap
from eureka_park.accounts.core.roles import Role
from eureka_park.data.core.repository import RepositoryKind
from eureka_park.web import serve, wire

MB = 1_000_000
PIECE = 1024**2
CHANGED_FRAC, N_PLACES = 0.01, 10
SMALL_BYTES, S3_BYTES_MAX = 10_000, 200 * MB
TIMED = """
import json, sys, time
from huggingface_hub import HfApi, hf_hub_download
import hf_xet
api = HfApi()
begun_s, cpu_s = time.perf_counter(), time.process_time()
{call}
print(json.dumps({{"wall_s": time.perf_counter() - begun_s, "client_cpu_s": time.process_time() - cpu_s}}))
"""
UPLOAD = TIMED.format(
    call="api.upload_file(path_or_fileobj=sys.argv[1], path_in_repo=sys.argv[2], repo_id='lab/x', repo_type='dataset')"
)
DOWNLOAD = TIMED.format(call="hf_hub_download('lab/x', sys.argv[1], repo_type='dataset')")
FOLDER = TIMED.format(call="api.upload_folder(folder_path=sys.argv[1], repo_id='lab/x', repo_type='dataset')")
PLAIN = """
import json, os, socket, sys, time
begun_s, cpu_s = time.perf_counter(), time.process_time()
host, _, port = sys.argv[1].rpartition(":")
asked = socket.create_connection((host, int(port)))
asked.sendall(f"GET {sys.argv[2]} HTTP/1.1\\r\\nHost: localhost\\r\\nAuthorization: Bearer {os.environ['HF_TOKEN']}"
              "\\r\\nConnection: close\\r\\n\\r\\n".encode())
into, n = bytearray(1 << 20), 0
while got := asked.recv_into(into):
    n += got
wall_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - cpu_s
assert n >= int(sys.argv[3]), (n, bytes(into[:300]))
print(json.dumps({"wall_s": wall_s, "client_cpu_s": cpu_s}))
"""


S3 = """
import json, os, sys, time
import boto3, s3fs
url, file, name, back = sys.argv[1:]
key = dict(aws_access_key_id="x", aws_secret_access_key="x", region_name="us-east-1")
client = boto3.client("s3", endpoint_url=url, **key)
client.create_bucket(Bucket=name)
fs = s3fs.S3FileSystem(key="x", secret="x", endpoint_url=url)
told = {}
for what, call in (
    ("boto3 up", lambda: client.upload_file(file, name, "one")),
    ("boto3 down", lambda: client.download_file(name, "one", back)),
    ("s3fs up", lambda: fs.put(file, f"{name}/two")),
    ("s3fs down", lambda: fs.get(f"{name}/two", back)),
):
    begun_s = time.perf_counter()
    call()
    told[what] = os.path.getsize(file) / 1e6 / (time.perf_counter() - begun_s)
print(json.dumps(told))
"""


class FileServer(BaseHTTPRequestHandler):
    """Sends one file, with the headers that the hub's client needs to take it for one of a hub."""

    protocol_version, file = "HTTP/1.1", Path()

    def do_GET(self) -> None:
        """The file."""
        with self.file.open("rb") as content:
            size = os.fstat(content.fileno()).st_size
            self.send_response(200)
            for name, value in (("Content-Length", size), ("ETag", '"x"'), ("X-Repo-Commit", "1" * 40)):
                self.send_header(name, str(value))
            self.end_headers()
            at = size if self.command == "HEAD" else 0
            while at < size:
                at += os.sendfile(self.connection.fileno(), content.fileno(), at, size - at)

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Door:
    """A served park: `url`, `env` of a client, the server's process, and the bytes of bodies that came."""

    def __init__(self, folder: Path) -> None:
        home = folder / "home"
        bootstrap.make_home(home, now_real_s=time.time() - 3600.0, is_bare=True)
        bootstrap.prepare(home)
        park = bootstrap.open_park(home)
        accounts = park.accounts
        owner = accounts.principal_of_token(accounts.new_token(accounts.ensure_owner()[0], "bench"))
        accounts.places.new_project(owner, "lab", "Lab")
        lead = accounts.people.add("Lea", is_verified=True)
        accounts.places.give_role(owner, lead, Role.LEAD, "project:lab")
        token = accounts.tokens.new(lead, "data", scopes=["data", "manage"])[0]
        park.data.repositories.create(accounts.principal_of_token(token), RepositoryKind.DATASET, "lab", "x")
        park.close()
        self.folder, self.n_sent = folder, multiprocessing.Value(ctypes.c_longlong, 0)
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.server = multiprocessing.get_context("fork").Process(target=_serve, args=(home, listener, self.n_sent))
        self.server.start()
        listener.close()
        self.url = f"http://localhost:{self.port}"
        self.env = {
            **{key: value for key, value in os.environ.items() if not key.startswith("HF_")},
            "HF_ENDPOINT": f"{self.url}/hub", "HF_TOKEN": token, "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "HF_HOME": str(folder / "machine"),
        }  # fmt: skip

    def client(self, code: str, *args: str, **env: str) -> dict[str, float]:
        """What a client in a process of its own tells."""
        done = subprocess.run(
            [sys.executable, "-c", code, *args], env={**self.env, **env}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return told

    def timed(self, code: str, *args: str, n_bytes: int = 0, machine: str = "machine") -> dict[str, float]:
        """One step of a client, and what it cost the server."""
        pid = self.server.pid
        Path(f"/proc/{pid}/clear_refs").write_text("5")
        cpu_s, n_sent = _cpu_s(pid), self.n_sent.value
        found = self.client(code, *args, HF_HOME=str(self.folder / machine))
        found["server_cpu_s"] = _cpu_s(pid) - cpu_s
        found["server_peak_mb"] = _peak_mb(pid)
        found["sent_mb"] = (self.n_sent.value - n_sent) / MB
        if n_bytes:
            found["mb_per_s"] = n_bytes / MB / found["wall_s"]
        told = {key: round(value, 2) for key, value in found.items()}
        print(args, told, file=sys.stderr)
        return told

    def stop(self) -> None:
        """End the server."""
        self.server.terminate()
        self.server.join(10)


def _serve(home: Path, listener: socket.socket, n_sent: Any) -> None:
    def counted(app: Any) -> Any:
        async def call(scope: Any, receive: Any, send: Any) -> None:
            async def received() -> Any:
                message = await receive()
                n_sent.value += len(message.get("body", b""))
                return message

            await app(scope, received, send)

        call.state = app.state  # type: ignore[attr-defined]
        return call

    def lend(self: wire.Wire) -> wire.Lent | None:
        lent = of_connection(self)
        n_sent.value += lent.n_lent + len(lent.first) if lent is not None else 0
        return lent

    of_connection = wire.Wire.lend
    wire.Wire.lend = lend  # type: ignore[method-assign]
    make_app = serve.make_app  # type: ignore[attr-defined]
    serve.make_app = lambda park: counted(make_app(park))  # type: ignore[attr-defined,assignment]
    serve.serve(bootstrap.open_park(home), [listener])


def _cpu_s(pid: int | None) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mb(pid: int | None) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / MB


def write_random(path: Path, n_bytes: int, seed: int) -> None:
    """A file that nothing packs."""
    chance = random.Random(seed)
    with path.open("wb") as file:
        for start in range(0, n_bytes, PIECE):
            file.write(chance.randbytes(min(PIECE, n_bytes - start)))


def change(path: Path, seed: int) -> None:
    """Write anew one percent of a file, in ten places."""
    n_bytes, chance = path.stat().st_size, random.Random(seed)
    size = int(n_bytes * CHANGED_FRAC / N_PLACES)
    with path.open("r+b") as file:
        for place in range(N_PLACES):
            file.seek(n_bytes * place // N_PLACES + chance.randrange(n_bytes // N_PLACES - size))
            file.write(chance.randbytes(size))


def beside(door: Door, file: Path) -> dict[str, float]:
    """MB/s of others on this machine: the hub's client at a plain server of files; boto3 and s3fs at moto, with 200 MB
    at most, as it reads all of a file for each part that is fetched.
    """
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    n_mb, files = file.stat().st_size / MB, type("Files", (FileServer,), {"file": file})
    plain, moto = ThreadingHTTPServer(("127.0.0.1", 0), files), ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    moto.start()
    try:
        port = plain.server_address[1]
        home = str(door.folder / "beside")
        hub = door.client(DOWNLOAD, "large.bin", HF_ENDPOINT=f"http://localhost:{port}", HF_HOME=home)
        raw = door.client(PLAIN, f"localhost:{port}", "/large.bin", str(file.stat().st_size))
        told = {"hub client, plain files": n_mb / hub["wall_s"], "plain GET, plain files": n_mb / raw["wall_s"]}
        host, s3_port = moto.get_host_and_port()
        os.truncate(file, min(S3_BYTES_MAX, file.stat().st_size))
        told |= door.client(S3, f"http://{host}:{s3_port}", str(file), "bench", str(door.folder / "back"))
    finally:
        plain.shutdown()
        moto.stop()
    return {name: round(value, 1) for name, value in told.items()}


def ratios(found: dict[str, Any]) -> dict[str, float]:
    """How many times as fast the door is as each of them."""
    rows = found["beside"]
    pairs = {
        "download / hub client at plain files": ("download", "hub client, plain files"),
        "plain GET / plain GET of plain files": ("plain GET", "plain GET, plain files"),
        **{f"upload / {name}": ("upload", f"{name} up") for name in ("boto3", "s3fs")},
        **{f"download / {name}": ("download", f"{name} down") for name in ("boto3", "s3fs")},
    }
    return {
        what: round(found[mine]["mb_per_s"] / rows[other], 2) for what, (mine, other) in pairs.items() if mine in found
    }


def _small_files(folder: Path, n_files: int) -> None:
    chance = random.Random(3)
    for number in range(n_files):
        path = folder / f"part-{number % 50:02}" / f"{number:05}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(chance.randbytes(SMALL_BYTES // 2).hex())


@contextmanager
def a_door() -> Iterator[Door]:
    """A served park, and its end."""
    with tempfile.TemporaryDirectory(prefix="park-bench-") as folder:
        door = Door(Path(folder))
        try:
            yield door
        finally:
            door.stop()


def measured(door: Door, n_mb: int, n_files: int, wanted: Callable[[str], bool]) -> dict[str, Any]:
    """The figures of each step."""
    n_bytes, large, small = n_mb * MB, door.folder / "large.bin", door.folder / "small"
    write_random(large, n_bytes, 1)
    found: dict[str, Any] = {"load": round(os.getloadavg()[0], 1)}
    path = "/hub/datasets/lab/x/resolve/main/large.bin"
    found["upload"] = door.timed(UPLOAD, str(large), "large.bin", n_bytes=n_bytes)
    if wanted("download"):
        found["download"] = door.timed(DOWNLOAD, "large.bin", n_bytes=n_bytes)
        found["plain GET"] = door.timed(PLAIN, f"localhost:{door.port}", path, str(n_bytes), n_bytes=n_bytes)
    if wanted("again"):
        for number, machine in enumerate(("machine", "other"), start=100):
            change(large, number)
            step = door.timed(UPLOAD, str(large), f"again-{number}.bin", n_bytes=n_bytes, machine=machine)
            found[f"1 % changed, {machine}"] = {**step, "sent_frac": round(step["sent_mb"] / n_mb, 4)}
    if wanted("files"):
        _small_files(small, n_files)
        found[f"{n_files} files"] = door.timed(FOLDER, str(small), n_bytes=n_files * SMALL_BYTES)
    if wanted("beside"):
        found["beside"] = beside(door, large)
        found["ratios"] = ratios(found)
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mb", type=int, default=2000)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    steps = [step for step in options.only.split(",") if step]
    with a_door() as door:
        found = measured(door, options.mb, options.files, lambda step: not steps or step in steps)
    print(json.dumps(found) if options.json else json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
