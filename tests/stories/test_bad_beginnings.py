"""Bad beginnings: one clear line that names the fix, an exit code that is not zero, and nothing half-made."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from tests.helpers.running_park import RunningPark, park_command


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPark]:
    with RunningPark(tmp_path_factory.mktemp("park"), env={"PARK_S3_PORT": "0"}) as park:
        yield park


def one_line(text: str) -> str:
    """The one line that was said; no traceback, no second line."""
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) == 1, text
    assert lines[0].startswith("park: "), text
    return lines[0]


# -- submissions ---------------------------------------------------------------------------------------------------
JOB_FILES = {
    "not TOML": ('command = ["true"\ntier = "flex"\n', r"job\.toml, line \d+: .*not TOML.* Correct the line\."),
    "unknown field": ('command = ["true"]\nmemroy = "1GiB"\n', r"job\.toml, line 2: .*'memroy'.*memory"),
    "negative size": ('command = ["true"]\nmemory = "-1GiB"\n', r"job\.toml, line 2: .*-1GiB.*(GiB|size)"),
    "negative count": ('command = ["true"]\n\ncpus = -2\n', r"job\.toml, line 3: .*greater than 0, not -2"),
    "wrong tier": ('command = ["true"]\ntier = "gren"\n', r"job\.toml, line 2: .*gren.*green"),
    "missing script": ('script = "no-such.py"\n', r"no-such\.py"),
    "nothing to run": ('tier = "flex"\n', r"neither 'script' nor 'command'.*exactly one"),
}
NO_SPACE = r"cannot be (made|used): no space left on device\. Free some space there, or .*--home"
COMMANDS = {
    "missing script": (["no-such.py"], r"no-such\.py"),
    "more memory than any node": (["--memory", "900TiB", "--", "true"], r"largest node has .* GiB\. Ask for less"),
    "more cores than any node": (["--cpus", "5000", "--", "true"], r"largest node has \d+.* Ask for at most"),
    "no such GPU": (["--gpus", "64", "--", "true"], r"largest node has .*(Leave it out|Ask for at most)"),
    "negative memory": (["--memory", "-5GiB", "--", "true"], r"-5GiB.*(GiB|size)"),
    "a deadline in the past": (["--by", "2020-01-01T00:00:00Z", "--", "true"], r"lies in the past.*still to come"),
    "no time until the deadline": (["--by", "5m", "--time", "2h", "--", "true"], r"deadline.*less time or a later"),
    "after a job that is not there": (
        ["--after", "job-0000000000000000", "--", "true"],
        r"no job job-0{16}.*park jobs",
    ),
    "another's project": (["--project", "no-such-project", "--", "true"], r"no-such-project"),
}


@pytest.mark.parametrize("name", JOB_FILES)
def test_bad_job_file(running: RunningPark, tmp_path: Path, name: str) -> None:
    text, says = JOB_FILES[name]
    (tmp_path / "job.toml").write_text(text)
    check_refused(running, tmp_path, ["job.toml"], says)


@pytest.mark.parametrize("name", COMMANDS)
def test_bad_submission(running: RunningPark, tmp_path: Path, name: str) -> None:
    words, says = COMMANDS[name]
    check_refused(running, tmp_path, words, says)


def check_refused(running: RunningPark, folder: Path, words: list[str], says: str) -> None:
    before = sorted(view["job_id"] for view in running.park.jobs())
    done = running.ask("submit", *words, folder=folder)
    assert done.exit_code not in (0, 125), done.output
    assert re.search(says, one_line(done.stderr)), done.stderr
    assert done.stdout == ""
    assert sorted(view["job_id"] for view in running.park.jobs()) == before, "no half-made job"


def test_dependencies_that_nothing_can_meet_fail_in_words(running: RunningPark, tmp_path: Path) -> None:
    script = tmp_path / "wants.py"
    script.write_text('# /// script\n# dependencies = ["numpy>=2.0", "numpy<1.0"]\n# ///\nprint("never")\n')
    job = running.park.submit(script)
    view = job.wait(60.0)
    assert (view["state"], view["exit_code"]) == ("failed", None)
    assert "numpy" in running.log(job.id) + view["detail"]
    assert "never" not in running.log(job.id)
    assert view["detail"]
    assert running.ask("wait", job.id).exit_code == 125
    assert not list((running.home / "envs").glob("*/*/complete")), "no half-made environment is taken for a whole one"


# -- parks -----------------------------------------------------------------------------------------------------------
def check_no_park(home: Path, *words: str, says: str) -> None:
    """`park up` refuses in one line and leaves no home."""
    was_there = home.exists()
    done = park_command(home, "up", "--bare", "--port", "0", *words)
    assert done.returncode not in (0, None), done.stdout
    assert re.search(says, one_line(done.stderr)), done.stderr
    assert home.exists() == was_there
    assert not was_there or not any(home.iterdir())


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        (tmp_path / "empty").mkdir()
        check_no_park(tmp_path / "empty", "--port", port, says="in use")
        check_no_park(tmp_path / "home", "--port", port, says=rf"Port {port} .*in use.*--port")
        check_no_park(tmp_path / "home", "--port", "0", "--s3-port", port, says=rf"Port {port} .*in use.*--s3-port")


def test_a_port_for_s3_clients(running: RunningPark) -> None:
    url = re.search(r"S3 clients: (http://\S+)", running.said.read_text())
    assert url is not None
    with pytest.raises(HTTPError) as refused:
        urlopen(url[1], timeout=20)
    with refused.value as answer:
        assert (answer.code, b"<Code>AccessDenied</Code>" in answer.read()) == (403, True)


def test_a_second_park_on_one_home(running: RunningPark) -> None:
    done = running.run("up", "--port", str(running.port))
    assert done.returncode == 1
    line = one_line(done.stderr)
    assert f"already runs in {running.home} at {running.park.url}" in line
    assert "park down" in line
    code = done.stdout.strip().rsplit("code=", 1)[1]
    assert running.opened(lambda opened: opened.accounts.redeem_sign_in(code)), "a new way in is offered"
    assert running.park.status()["ready"], "the first one is unharmed"
    assert (running.home / "run" / "client.json").exists()


def test_a_wrong_site_file(tmp_path: Path) -> None:
    site = tmp_path / "mine.toml"
    template = Path(__file__).parents[2] / "src/eureka_park/sites/bench.toml"
    site.write_text(template.read_text() + "min_run_s = -5\n")
    line = len(site.read_text().splitlines())
    check_no_park(
        tmp_path / "home",
        "--site",
        str(site),
        says=rf"mine\.toml, line {line}: policy\.min_run_s = -5 .*allowed: 0 to 86400 s",
    )


def test_a_site_file_that_is_not_there(tmp_path: Path) -> None:
    check_no_park(tmp_path / "home", "--site", str(tmp_path / "none.toml"), says=r"none\.toml")


def test_a_site_whose_nodes_are_modelled(tmp_path: Path) -> None:
    check_no_park(tmp_path / "home", "--site", "eureka-park", says=r"no engine here.*park up --site bench")


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    try:
        check_no_park(tmp_path / "home", says=r"cannot be made: permission denied.*--home or PARK_HOME")
    finally:
        tmp_path.chmod(0o700)


def test_a_home_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = park_command(tmp_path / "file" / "home", "up", "--bare", "--port", "0")
    assert done.returncode not in (0, None)
    assert "--home or PARK_HOME" in one_line(done.stderr)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "park-test", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk(small_disk: Path) -> None:
    check_no_park(small_disk / "home", says=NO_SPACE)


def test_a_disk_full_from_the_first_byte(small_disk: Path) -> None:
    with (small_disk / "ballast").open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    check_no_park(small_disk / "home", says=NO_SPACE)
