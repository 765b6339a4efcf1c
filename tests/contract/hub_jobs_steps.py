"""Steps of `hf jobs` at its defaults against a park that runs jobs; see hub_steps.py.

HF_ENDPOINT=... HF_TOKEN=... STRANGER_TOKEN=... python tests/contract/hub_jobs_steps.py PROJECT
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from client_walk import PROJECT, STRANGER, fails, step, walk, work
from huggingface_hub import HfApi, Volume
from huggingface_hub.errors import BadRequestError, HfHubHTTPError

HF = Path(sys.executable).with_name("hf")
SECRET = "correct horse battery"
SCRIPT = """# /// script
# requires-python = ">=3.10"
# ///
import pathlib, sys
print("script", sys.argv[1:], sorted(path.name for path in pathlib.Path().iterdir()))
"""
api, stranger = HfApi(), HfApi(token=STRANGER)


def run(*command: str, **more: Any) -> Any:
    return api.run_job(image=more.pop("image", "python"), command=list(command), namespace=PROJECT, **more)


def logs(job_id: str, **more: Any) -> list[str]:
    return list(api.fetch_job_logs(job_id=job_id, namespace=PROJECT, follow=True, **more))


def hf(*words: str) -> str:
    done = subprocess.run([str(HF), "jobs", *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


def send() -> None:
    step("list_jobs_hardware", lambda: "cpu" in [one.name for one in api.list_jobs_hardware()], True)
    code = "import os; print(os.environ['PLAIN'], len(os.environ['KEY'])); print('end')"
    labels = {"team": "dunes", "tier": "firm"}
    more = {"env": {"PLAIN": "seen"}, "secrets": {"KEY": SECRET}, "labels": labels, "timeout": "5m"}
    job = step("run_job", lambda: run("python", "-c", code, **more))
    step("fetch_job_logs, followed to the end", lambda: logs(job.id), [f"seen {len(SECRET)}", "end"])
    done = step("wait_for_job", lambda: api.wait_for_job(job.id, namespace=PROJECT, poll_interval=0.2))
    step(
        "it is completed", lambda: (done.status.stage, done.flavor, done.labels["team"]), ("COMPLETED", "cpu", "dunes")
    )
    step("inspect_job tells no secret", lambda: SECRET in str(api.inspect_job(job_id=job.id, namespace=PROJECT)), False)
    step("its names alone", lambda: done.secrets, {"KEY": ""})
    step("the last line", lambda: logs(job.id, tail=1), ["end"])
    find = lambda **labels: [one.id for one in api.list_jobs(namespace=PROJECT, labels=labels)]  # noqa: E731
    step("list_jobs by label", lambda: (find(team="dunes"), find(team="other")), ([job.id], []))
    script = work / "script.py"
    script.write_text(SCRIPT)
    (work / "more.txt").write_text("more\n")
    args = [str(work / "more.txt"), "b"]
    uv = step("run_uv_job, a local script", lambda: api.run_uv_job(str(script), script_args=args, namespace=PROJECT))
    step("it runs among its files", lambda: logs(uv.id), ["script ['more.txt', 'b'] ['more.txt', 'script.py']"])
    uv = step("run_uv_job, another one", lambda: api.run_uv_job(str(script), script_args=["c"], namespace=PROJECT))
    step("it runs too", lambda: logs(uv.id), ["script ['c'] ['script.py']"])
    command = ("run", "--namespace", PROJECT, "--name", "by-hand", "-l", "tier=firm", "python", "echo", "hello")
    step("hf jobs run", lambda: "hello" in hf(*command).splitlines(), True)
    step("hf jobs ps", lambda: "by-hand" in hf("ps", "-a", "--namespace", PROJECT, "--format", "json"), True)
    long = step("run_job, long", lambda: run("sleep", "100"))
    step("hf jobs cancel", lambda: hf("cancel", f"{PROJECT}/{long.id}"))
    ended = step("wait_for_job", lambda: api.wait_for_job(long.id, namespace=PROJECT, poll_interval=0.2))
    step("it is cancelled", lambda: ended.status.stage, "CANCELED")
    failed = run("python", "-c", "raise SystemExit(3)")
    ended = step("a job that fails", lambda: api.wait_for_job(failed.id, namespace=PROJECT, poll_interval=0.2))
    step("is said to", lambda: ended.status.stage, "ERROR")


def read() -> None:
    api.create_repo(f"{PROJECT}/read", repo_type="dataset")
    api.upload_file(path_or_fileobj=b"1\n", path_in_repo="a/b.txt", repo_id=f"{PROJECT}/read", repo_type="dataset")
    volume = Volume(type="dataset", source=f"{PROJECT}/read", mount_path="/given", path="a")
    code = "import os, pathlib; print(pathlib.Path(os.environ['PARK_INPUT_GIVEN'], 'b.txt').read_text())"
    job = step("run_job with a volume", lambda: run("python", "-c", code, volumes=[volume]))
    step("it reads it", lambda: logs(job.id)[0], "1")


def refused() -> None:
    fails("an image", BadRequestError, lambda: run("true", image="pytorch/pytorch"))
    fails("no such flavour", BadRequestError, lambda: run("true", flavor="a100-large"))
    fails("more GPUs than there are", BadRequestError, lambda: run("true", flavor="9999xh100"))
    fails("ports", BadRequestError, lambda: run("true", expose=[80]))
    theirs = lambda: stranger.run_job(image="python", command=["true"], namespace=PROJECT)  # noqa: E731
    fails("a stranger", HfHubHTTPError, theirs)
    fails("a stranger who looks", HfHubHTTPError, lambda: list(stranger.list_jobs(namespace=PROJECT)))
    fails("no such project", HfHubHTTPError, lambda: list(api.list_jobs(namespace="nothing")))
    fails("no such job", HfHubHTTPError, lambda: api.inspect_job(job_id="job-none", namespace=PROJECT))


if __name__ == "__main__":
    os.environ["HF_HUB_DISABLE_EXPERIMENTAL_WARNING"] = "1"
    walk(send, read, refused)
