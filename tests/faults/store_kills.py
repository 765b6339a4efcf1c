"""kill -9 of a served park in the middle of uploads, commits, deletions and collection, by real HTTP; all is compared.

    python tests/faults/store_kills.py --kills 1000 --seed 1

Prints one JSON summary and ends with code 0 when nothing was lost that was acknowledged, nothing is half-visible, a
scrub finds nothing, and nothing is left that nobody needs. The served process is a child that serves the hub door of a
park and keeps the store in order in a thread, as the deciding process does. Each new one is forked from a process that
has everything imported, and serves the socket of the one before, so that a restart costs less than a tenth of a second.
PARK_DATABASE_URL names a PostgreSQL database, empty before.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import multiprocessing
import os
import random
import socket
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (sys.path[0], os.environ.get("PYTHONPATH"))))

import httpx2 as httpx
import uvicorn
from fastapi import FastAPI
from sqlalchemy import func, select, update
from tests.unit.data.test_xet import pack_of, shard_of

from eureka_park import bootstrap
from eureka_park.data.objects import store as objects
from eureka_park.data.repositories import store as repositories
from eureka_park.data.upkeep import service as upkeep
from eureka_park.live.storage import StorageKeeper
from eureka_park.web.app import Guard
from eureka_park.web.doors.hub.app import add_hub_door
from eureka_park.web.limits import LIMITS, Limit, Limits

DAY_S: Final = 86_400.0
N_WORKERS: Final = 3
PROJECT: Final = "welcome"
PATIENCE_S: Final = 60.0
STARVED_S: Final = 5.0
PAUSE_S: Final = 0.06  # between a deed that is done and the next kill, on the average
LARGE: Final = 70_000  # beyond what comes within a commit
Files = dict[str, bytes]


def serve(folder: Path, listener: socket.socket) -> None:
    """The child: the hub door, and the store's upkeep without a pause."""
    upkeep.IDLE_S = upkeep.BREATH_S = 0.01  # type: ignore[misc]
    upkeep.LITTER_EVERY_S = 0.1  # type: ignore[misc]
    park = bootstrap.open_park(folder)
    park.data.upkeep.rules = lambda: upkeep.UpkeepRules(scrub_s=2.0, scrub_bytes_s_max=1e7)
    keeper = StorageKeeper(lambda _fence: park.data.upkeep.turn(lambda _conn: None), 0)
    keeper.start()
    app = FastAPI(openapi_url=None)
    app.state.park, app.state.limits = park, Limits(dict.fromkeys(LIMITS, Limit(1e9, 1e9)))
    add_hub_door(app)
    config = uvicorn.Config(
        Guard(app, app.state.limits), log_level="critical", access_log=False, lifespan="off", ws="none", http="h11"
    )
    uvicorn.Server(config).run([listener])


class Served:
    """A served park that can be killed and started again at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "home"
        bootstrap.make_home(self.folder, now_real_s=time.time(), is_bare=True, sky="observed")
        self.token = bootstrap.prepare(self.folder)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/hub"
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([serve.__module__])
        self.process: Any = None

    def start(self) -> None:
        self.process = self._context.Process(target=serve, args=(self.folder, self.listener), daemon=True)
        self.process.start()

    def kill(self) -> None:
        self.process.kill()
        self.process.join()
        self.process.close()
        if "PARK_DATABASE_URL" in os.environ:  # the server may still be at what the dead process asked for last
            park = bootstrap.open_park(self.folder)
            with park.db.write():
                pass
            park.close()


class Refused(Exception):
    """The park said no, cleanly."""


class Cut(Exception):
    """No answer came: the deed is done, or it is not."""


@dataclass
class Worker:
    """Somebody who works with repositories of their own, and knows what was acknowledged."""

    served: Served
    number: int
    seed: int
    kept: dict[str, Files] = field(default_factory=dict)  # by repository: what it holds for sure
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    looks_since_s: float = 0.0  # since when it asks for all of a repository; 0: it does not

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.seed}-{self.number}")
        headers = {"Authorization": f"Bearer {self.served.token}"}
        self.http = httpx.Client(timeout=30.0, headers=headers, trust_env=False)

    def work(self, over: threading.Event) -> None:
        while not over.is_set() and not self.faults:
            name = f"w{self.number}-{self.rng.randrange(3)}"
            try:
                self._one(name)
            except (Cut, Refused) as end:
                self.counts[type(end).__name__.lower()] += 1
            except AssertionError as error:
                self.faults.append(str(error))
            except Exception as error:  # whatever it is, the run has to tell it
                self.faults.append(f"{type(error).__name__}: {error}")

    def _one(self, name: str) -> None:
        """One deed; what it makes of the repository counts only once it is known to be done."""
        before = self.kept.get(name)
        if before is None:
            self._deed(name, None, {}, lambda: self._create(name))
            return
        what = self.rng.choices(["commit", "look", "branch", "squash", "delete"], [12, 3, 2, 1, 2])[0]
        if what == "commit":
            after, lines = self._changes(name, before)
            self._deed(name, before, after, lambda: self._commit(name, lines))
        elif what == "look":
            self.look(name)
        elif what == "branch":
            tag = f"t{self.rng.randrange(10**9)}"
            self._deed(name, before, before, lambda: self._ask("POST", "/tag/main", name, json={"tag": tag}))
        elif what == "squash":
            self._deed(name, before, before, lambda: self._ask("POST", "/super-squash/main", name, json={}))
        else:
            body = {"type": "dataset", "organization": PROJECT, "name": name}
            self._deed(name, before, None, lambda: self._send("DELETE", "/api/repos/delete", json=body))

    def _deed(self, name: str, before: Files | None, after: Files | None, call: Any) -> None:
        try:
            call()
        except Cut:
            found = self._found(name)
            assert found in (before, after), f"{name} is neither as before nor as after: {self._told(found)}"
            self._note(name, found)
            raise
        self.counts["done"] += 1
        self._note(name, after)

    def _note(self, name: str, files: Files | None) -> None:
        if files is None:
            self.kept.pop(name, None)
        else:
            self.kept[name] = files

    def look(self, name: str) -> None:
        """Compare a repository with what it holds for sure."""
        found = self._found(name)
        assert found == self.kept.get(name), f"{name} is not what was acknowledged: {self._told(found)}"

    @staticmethod
    def _told(found: Files | None) -> str:
        return "none" if found is None else ", ".join(f"{path} {len(content)}" for path, content in found.items())

    # -- deeds ---------------------------------------------------------------------------------------------------------
    def _create(self, name: str) -> None:
        body = {"type": "dataset", "organization": PROJECT, "name": name}
        self._send("POST", "/api/repos/create", json=body)

    def _content(self, size: int) -> bytes:
        """Of each worker's own, or one that others send too."""
        number = self.rng.randrange(6) if self.rng.random() < 0.3 else self.rng.randrange(10**9)
        return random.Random(number).randbytes(1 + size * (1 + number % 7) // 7)

    def _changes(self, name: str, before: Files) -> tuple[Files, list[dict[str, Any]]]:
        """Some changes of files, with the contents of large ones sent before; what the files are then."""
        after, lines = dict(before), list[dict[str, Any]]()
        for _ in range(self.rng.randrange(1, 4)):
            path, how = f"d{self.rng.randrange(2)}/f{self.rng.randrange(6)}", self.rng.random()
            if path in after and how < 0.25:
                del after[path]
                lines.append({"key": "deletedFile", "value": {"path": path}})
            elif how < 0.6:
                content = self._content(3_000)
                after[path] = content
                told = {"path": path, "encoding": "base64", "content": base64.b64encode(content).decode()}
                lines.append({"key": "file", "value": told})
            else:
                content = self._content(4 * LARGE)
                (self._upload if how < 0.85 else self._pack)(name, content)
                after[path] = content
                told = {
                    "path": path,
                    "algo": "sha256",
                    "oid": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                }
                lines.append({"key": "lfsFile", "value": told})
        return after, lines

    def _commit(self, name: str, lines: list[dict[str, Any]]) -> None:
        given = [{"key": "header", "value": {"summary": "x"}}, *lines]
        content = "\n".join(json.dumps(line) for line in given).encode()
        self._ask("POST", "/commit/main", name, content=content)

    def _upload(self, name: str, content: bytes) -> None:
        """As Git LFS sends a file."""
        sha256 = hashlib.sha256(content).hexdigest()
        body = {"operation": "upload", "transfers": ["basic"], "objects": [{"oid": sha256, "size": len(content)}]}
        told = self._send("POST", f"/datasets/{PROJECT}/{name}.git/info/lfs/objects/batch", json=body).json()
        action = told["objects"][0].get("actions")
        if action:
            self._send("PUT", action["upload"]["href"], content=content)

    def _pack(self, name: str, content: bytes) -> None:
        """As packs of chunks."""
        chunks = [content[at : at + 50_000] for at in range(0, len(content), 50_000)]
        token = self._ask("GET", "/xet-write-token/main", name).json()
        headers = {"Authorization": f"Bearer {token['accessToken']}"}
        pack, packed = pack_of(chunks)
        self._send("POST", f"/xet/v1/xorbs/default/{pack}", content=packed, headers=headers)
        shard = shard_of([(pack, chunks, 0, len(chunks))], hashlib.sha256(content).hexdigest())
        self._send("POST", "/xet/v1/shards", content=shard, headers=headers)

    # -- what is there -------------------------------------------------------------------------------------------------
    def _found(self, name: str) -> Files | None:
        """All of a repository by HTTP, asked until there is an answer."""
        self.looks_since_s = time.monotonic()
        while True:
            try:
                found = self._all(name)
            except Cut:
                assert time.monotonic() < self.looks_since_s + PATIENCE_S, "the park does not answer"
            else:
                self.looks_since_s = 0.0
                return found

    def _all(self, name: str) -> Files | None:
        try:
            rows = self._ask("GET", "/tree/main", name, params={"recursive": "true"}).json()
        except Refused as error:
            if "404" in str(error):
                return None
            raise
        files = {}
        for row in rows:
            if row["type"] == "file":
                answer = self._send("GET", f"/datasets/{PROJECT}/{name}/resolve/main/{row['path']}")
                assert len(answer.content) == row["size"], f"{name} {row['path']} is cut off"
                files[row["path"]] = answer.content
        return files

    def _ask(self, method: str, path: str, name: str, **more: Any) -> httpx.Response:
        return self._send(method, f"/api/datasets/{PROJECT}/{name}{path}", **more)

    def _send(self, method: str, path: str, **more: Any) -> httpx.Response:
        url = path if path.startswith("http") else self.served.url + path
        try:
            answer = self.http.request(method, url, **more)
        except httpx.TransportError:
            raise Cut from None
        if answer.status_code >= 500 and answer.status_code != 503:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        if answer.status_code >= 400:
            raise Refused(f"{method} {path}: {answer.status_code} {answer.text[:300]}")
        return answer


@dataclass
class Run:
    """So many kills; what was found."""

    served: Served
    n_kills: int
    seed: int
    n_passed: int = 0  # times that a day passed while nobody served
    n_collected: int = 0

    def run(self) -> dict[str, Any]:
        begun_s, over, rng = time.monotonic(), threading.Event(), random.Random(self.seed)
        workers = [Worker(self.served, number, self.seed) for number in range(N_WORKERS)]
        self.served.start()
        threads = [threading.Thread(target=worker.work, args=(over,)) for worker in workers]
        for thread in threads:
            thread.start()
        n_kills = 0
        while n_kills < self.n_kills and not any(worker.faults for worker in workers):
            n_before = sum(worker.counts["done"] for worker in workers)
            end_s = time.monotonic() + PATIENCE_S
            while sum(worker.counts["done"] for worker in workers) == n_before and time.monotonic() < end_s:
                time.sleep(0.005)  # each process does something before it ends
            time.sleep(rng.expovariate(1.0 / PAUSE_S))
            while any(0.0 < worker.looks_since_s < time.monotonic() - STARVED_S for worker in workers):
                time.sleep(0.01)  # all of a repository does not fit between two kills: let it be told once
            self.served.kill()
            n_kills += 1
            if rng.random() < 0.3:
                self._a_day_passes()
            self.served.start()
        over.set()
        for thread in threads:
            thread.join(2 * PATIENCE_S)
        for worker in workers:
            for name in list(worker.kept) if not worker.faults else ():
                worker.look(name)
            worker.http.close()
        self.served.kill()
        counts = sum((worker.counts for worker in workers), Counter[str]())
        self.served.listener.close()
        faults = [fault for worker in workers for fault in worker.faults] + self._left(workers)
        return {
            "kills": n_kills, "days": self.n_passed, **counts, "collected": self.n_collected,
            "seconds": round(time.monotonic() - begun_s, 1), "faults": faults,
        }  # fmt: skip

    def _a_day_passes(self) -> None:
        """While nobody serves, everything becomes two days older: rows, objects, what was on its way."""
        self.n_passed += 1
        park = bootstrap.open_park(self.served.folder)
        try:
            with park.db.write() as conn:
                for table, column in _AGES:
                    conn.execute(update(table).values({column.name: column - 2 * DAY_S}))
        finally:
            park.close()
        for file in (self.served.folder / "blobs").rglob("*"):
            if file.is_file():
                found = file.stat()
                os.utime(file, (found.st_atime - 2 * DAY_S, found.st_mtime - 2 * DAY_S))

    def _left(self, workers: list[Worker]) -> list[str]:
        """What a scrub finds, what is left when it is old enough, and what is when nothing is needed any more."""
        faults = self._settled({f"{PROJECT}/{name}": files for one in workers for name, files in one.kept.items()})
        park = bootstrap.open_park(self.served.folder)
        try:
            owner = park.accounts.principal_of_token(self.served.token)
            for one in park.data.repositories.page(owner, "dataset", most=500):
                park.data.repositories.delete(owner, one)
        finally:
            park.close()
        return faults + [f"at the end: {fault}" for fault in self._settled({})]

    def _settled(self, kept: dict[str, Files]) -> list[str]:
        for _ in range(3):
            self._a_day_passes()
            park = bootstrap.open_park(self.served.folder)
            try:
                done = park.data.collector.collect(DAY_S)
                self.n_collected += done.n_objects
            finally:
                park.close()
        park = bootstrap.open_park(self.served.folder)
        try:
            faults = list(park.data.collector.scrub().findings)
            on_disk = {file.name for file in (self.served.folder / "blobs" / "store").rglob("*") if file.is_file()}
            with park.db.read() as conn:
                rows = set()
                for table in (objects.blobs, objects.packs):
                    rows.update(
                        conn.execute(select(table.c.object_key).where(table.c.object_key.is_not(None))).scalars()
                    )
                held = conn.execute(select(func.sum(objects.holdings.c.size_bytes))).scalar() or 0
                n_nodes = conn.execute(select(func.count()).select_from(repositories.tree_nodes)).scalar()
                used = objects.use_of(conn, PROJECT)[0]
        finally:
            park.close()
        if {Path(key).name for key in rows} != on_disk:
            faults.append(f"{len(on_disk)} objects, {len(rows)} rows")
        if used != held:
            faults.append(f"{used} bytes are counted, {held} are held")
        staged = [file.name for file in (self.served.folder / "blobs" / "incoming").glob("*")]
        if staged:
            faults.append(f"{len(staged)} staged files are left")
        if not kept and (on_disk or n_nodes or held):
            faults.append(f"{len(on_disk)} objects, {n_nodes} nodes, {held} bytes are left of nothing")
        return faults


_AGES: Final = (
    (objects.blobs, objects.blobs.c.idle_since_s),
    (objects.packs, objects.packs.c.idle_since_s),
    (repositories.tree_nodes, repositories.tree_nodes.c.idle_since_s),
    (repositories.repositories, repositories.repositories.c.deleted_at_s),
)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="park-kills-") as folder:
        summary = Run(Served(Path(folder)), given.kills, given.seed).run()
    print(json.dumps(summary, indent=2))
    return 1 if summary["faults"] else 0


if __name__ == "__main__":
    from tests.faults import store_kills  # under its name, so that children find it

    sys.exit(store_kills.main())
