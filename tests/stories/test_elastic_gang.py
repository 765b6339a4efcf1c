"""A gang on four machines gives up two while the sky gives less, and goes on from its checkpoint: real processes, a
real engine, a sky that the test turns.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.helpers.sky_park import FULL_MW, SkyPark

from eureka_park.foundation.wire.engine import Capability

SITE = """
name = "four-racks"
title = "Four small machines on one"
timezone = "Africa/Casablanca"
[scale]
of = "eureka-park"
[[nodes]]
id = "rack"
engine = "local"
n_nodes = 4
n_cpus = 1
memory_gib = 1
n_gpus = 0
gpu_type = ""
gpu_w_max = 0
rated_kw = 2.0
idle_kw = 0.4
[policy]
margin_frac = 0
[prices.mad_per_gpu_h]
firm = 10.0
flex = 6.0
green = 4.0
[prices.mad_per_cpu_h]
firm = 0.2
flex = 0.1
green = 0.05
"""
LESS_MW = 0.0066  # after cooling, enough for two machines of four
TRAINS = '''
"""Parts that count together, in step; part 0 tells the others whether to go on, and keeps the checkpoint."""
import json, os, signal, socket, sys, time

rank, size, folder = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"]), os.environ["PARK_CHECKPOINT_DIR"]
path, out = folder + "/step.json", os.environ["PARK_OUTPUT_DIR"]
step = json.load(open(path))["step"] if os.path.exists(path) else 0
asked = []
signal.signal(signal.SIGTERM, lambda *_: asked.append(1))
place = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
if rank == 0:
    server = socket.create_server(place)
    others = [server.accept()[0] for _ in range(size - 1)]
    os.write(1, f"{size} parts from {step} count {os.environ['PARK_RESUME_COUNT']}\\n".encode())
else:
    while True:
        try:
            line = socket.create_connection(place)
            break
        except ConnectionRefusedError:
            time.sleep(0.02)
while not os.path.exists(out + "/end"):
    time.sleep(0.02)
    step += size
    word = (b"s" if asked else b"g") if rank == 0 else line.recv(1)
    if rank == 0:
        for other in others:
            other.send(word)
    if word != b"g":
        if rank == 0:
            json.dump({"step": step}, open(path + ".new", "w"))
            os.replace(path + ".new", path)
        sys.exit(75)
'''


@pytest.mark.timeout(120)
def test_a_gang_gives_up_two_of_four_machines_and_goes_on(tmp_path: Path) -> None:
    site, script = tmp_path / "four.toml", tmp_path / "train.py"
    site.write_text(SITE)
    script.write_text(TRAINS)
    park = SkyPark(tmp_path, str(site))
    try:
        if Capability.GANG not in park.engine.capabilities():
            pytest.skip("the parts of a gang cannot reach each other at the level of isolation of this machine")
        job_id = park.submit(script=script, nodes=4, min_nodes=2, checkpoint=True, memory="64MiB")
        park.says(job_id, "4 parts from 0 count 0")
        view = park.view(job_id)
        assert view["state"] == "running" and view["held_nodes"] == [f"rack-{at}" for at in range(4)], view
        park.sky(LESS_MW)
        park.says(job_id, "2 parts from")
        view = park.view(job_id)
        assert (view["state"], view["held_nodes"]) == ("running", ["rack-0", "rack-1"])
        assert (view["attempt"], view["resume_count"], view["n_pauses"]) == (2, 1, 0)
        again = park.log(job_id).splitlines()[-1].split()
        step = json.loads((park.folder / "jobs" / job_id / "checkpoint" / "step.json").read_text())["step"]
        assert int(again[3]) == step > 0, "its work was kept"
        park.sky(FULL_MW)
        park.output_path(job_id, "end").touch()
        assert park.end(job_id)["state"] == "finished"
        assert "paused" not in park.timeline(job_id), "it never left its machines"
    finally:
        park.close()
