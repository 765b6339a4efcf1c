"""From a StartOrder to a box: the command, what it sees, its environment variables and limits. No
process is started here.

The parts of a gang share one box, and so its files and its network of its own: they reach each other, and nobody else.
"""

# Plain strings and os calls: a supervisor starts in milliseconds, and pathlib is felt there.
# ruff: noqa: PTH103, PTH104, PTH110, PTH120, PTH123

from __future__ import annotations

import contextlib
import json
import os
import socket
from typing import Final

from eureka_park.adapters.engines.local import gang_parts, gpus
from eureka_park.adapters.engines.local.environments import Environment, base_folders, base_python
from eureka_park.adapters.engines.local.places import JOB_FOLDERS, Attempt
from eureka_park.foundation.park_uri import variable_of
from eureka_park.foundation.wire.engine import StartOrder
from eureka_park.sandbox.box import Bind, Box, Limits
from eureka_park.sandbox.levels import Level

N_PROCESSES: Final = 4096  # per part: enough for wide data loaders, small enough to stop a fork bomb
MASTER_PORT: Final = 29_500  # of a gang in a network of its own; the usual one of torch


def make_box(
    order: StartOrder, attempt: Attempt, environment: Environment, level: Level, user_id: int | None, key: str
) -> Box:
    """The box of one attempt. In a container the job's folders are at /job; below, they are
    where they are on the machine."""
    is_inside = level >= Level.CONTAINER
    job = "/job" if is_inside else attempt.job_folder
    binds = [Bind(f"{attempt.job_folder}/{name}", f"{job}/{name}", is_writable=True) for name in JOB_FOLDERS]
    if is_inside:
        binds.append(Bind(f"{attempt.job_folder}/tmp", "/tmp", is_writable=True))
    if order.inputs:
        binds.append(Bind(f"{attempt.job_folder}/inputs", f"{job}/inputs"))
    binds += [Bind(folder, folder) for folder in base_folders()]
    python = environment.python
    if environment.folder:
        shown = "/job/env" if is_inside else environment.folder
        binds.append(Bind(environment.folder, shown))
        python = f"{shown}/bin/python"
    command = (python, *order.command[1:]) if order.uses_python and order.command[0] == "python" else order.command
    env = _variables(order, attempt, job, python, key)
    if order.parts:
        env |= _variables_of_gang(order, is_inside=is_inside)
        runner = os.path.realpath(gang_parts.__file__)
        place = "/job/gang_parts.py" if is_inside else runner
        binds.append(Bind(runner, place))
        command = (base_python(), "-I", "-S", place, json.dumps(_variables_of_parts(order)), *command)
    return Box(
        command=command,
        env=env,
        folder=f"{job}/work",
        binds=tuple(binds),
        devices=gpus.device_nodes(order.gpu_indices),
        user_id=user_id,
        limits=Limits(
            order.memory_bytes * order.n_parts,
            max(0.01, order.n_cpus * order.n_parts * order.cap_frac),
            N_PROCESSES * order.n_parts,
        ),
    )


def _variables(order: StartOrder, attempt: Attempt, job: str, python: str, key: str) -> dict[str, str]:
    """The job's own variables may change the ordinary ones, never those the park promises."""
    folder = os.path.dirname(python)
    ordinary = {
        "PATH": f"{folder}:/usr/local/bin:/usr/bin:/bin",
        "HOME": f"{job}/tmp",
        "TMPDIR": f"{job}/tmp",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": str(max(1, int(order.n_cpus))),
        "PYTHONUNBUFFERED": "1",
    }
    promised = {
        "PARK_JOB_ID": order.job_id,
        "PARK_ATTEMPT": str(attempt.number),
        "PARK_ENGINE": key,
        "PARK_PROJECT": order.project,
        "PARK_CHECKPOINT_DIR": f"{job}/checkpoint",
        "PARK_OUTPUT_DIR": f"{job}/out",
        "PARK_RESUME_COUNT": str(order.resume_count),
        "PARK_GRACE_S": f"{order.grace_s:g}",
        "PARK_N_GPUS": str(len(order.gpu_indices)),
        "CUDA_VISIBLE_DEVICES": gpus.visible_devices(order.gpu_indices),
    }
    if order.inputs:
        promised |= {"PARK_INPUTS": f"{job}/inputs"}
        promised |= {variable_of(one.mount): f"{job}/inputs/{one.mount}" for one in order.inputs}
    return {**ordinary, **order.env, **promised}


def _variables_of_gang(order: StartOrder, *, is_inside: bool) -> dict[str, str]:
    """What all parts of a gang are told alike. Its own variables may choose another port."""
    names = [part.node for part in order.parts]
    return {
        "MASTER_PORT": order.env.get("MASTER_PORT", str(MASTER_PORT if is_inside else _free_port())),
        "MASTER_ADDR": "127.0.0.1",
        "WORLD_SIZE": str(order.n_parts),
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
        "PARK_N_NODES": str(order.n_parts),
        "PARK_NODES": ",".join(names),
    }


def _variables_of_parts(order: StartOrder) -> list[dict[str, str]]:
    """What each part of a gang is told for itself; the first is rank 0."""
    return [
        {
            "RANK": str(rank),
            "NODE_RANK": str(rank),
            "PARK_NODE": part.node,
            "PARK_N_GPUS": str(len(part.gpu_indices)),
            "CUDA_VISIBLE_DEVICES": gpus.visible_devices(part.gpu_indices),
        }
        for rank, part in enumerate(order.parts)
    ]


def _free_port() -> int:
    """A port that nobody listens on: below a container gangs share the machine's network."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return int(asked.getsockname()[1])


def passwd_stubs(folder: str, user_id: int) -> dict[str, str]:
    """Small /etc/passwd and /etc/group that name the job's user, made once per user; place to file."""
    files = {
        "passwd": f"root:x:0:0:root:/nonexistent:/usr/sbin/nologin\npark:x:{user_id}:{user_id}:park:/job/tmp:/bin/sh\n",
        "group": f"root:x:0:\npark:x:{user_id}:\n",
        "hosts": "127.0.0.1 localhost park\n::1 localhost\n",
    }
    stubs: dict[str, str] = {}
    for name, text in files.items():
        path = f"{folder}/{name}-{user_id}"
        if not os.path.exists(path):
            os.makedirs(folder, mode=0o755, exist_ok=True)
            temporary = f"{path}.{os.getpid()}"
            with open(temporary, "w") as file:
                file.write(text)
            with contextlib.suppress(OSError):
                os.rename(temporary, path)
        stubs[f"/etc/{name}"] = path
    return stubs
