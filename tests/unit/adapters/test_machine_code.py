"""Kernels as Python first and as machine code once that pays; compiled once, by one process, in the background."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from eureka_park.adapters import machine_code
from eureka_park.foundation import kernels

TOY = """
from eureka_park.foundation.kernels import kernel

@kernel
def add(x):
    return x + 1

@kernel
def twice(x):
    return add(add(x))
"""
COMPILE = """
from eureka_park.adapters import machine_code
from toy import twice
twice(1)
machine_code.note_compiled()
"""
RUN = """
import sys, time
from eureka_park.adapters import machine_code
from toy import add, twice

def wait_for(what):
    until_s = time.monotonic() + 60
    while not what():
        assert time.monotonic() < until_s
        time.sleep(0.02)

code = machine_code.MachineCode([sys.executable, "compile_all.py"], work=lambda: twice(1))
assert twice(3) == 5 and "numba" not in sys.modules
code.note(machine_code.PAYS_CPU_S / 2)
assert not code._is_loaded and code._compiler is None, "too little to pay"
machine_code_is_ready = machine_code.kernels.machine_code_is_ready
"""
GOES_OVER = """
code.note(machine_code.PAYS_CPU_S)
assert twice(3) == 5 and "numba" not in sys.modules, "it is compiled elsewhere first"
wait_for(lambda: code._compiler.poll() is not None)
assert code._compiler.returncode == 0
code._again_s = 0.0
code.note(machine_code.PAYS_CPU_S)
wait_for(lambda: code._is_loaded)
assert twice._call is twice.compiled and twice(3) == 5
assert [list(twice.stats.cache_misses.values()), list(twice.stats.cache_hits.values())] == [[], [1]]
assert machine_code_is_ready()
assert add._call != add.compiled, "what only kernels call stays as it is"
"""
LOST = """
machine_code.note_compiled()  # a lie
code.note(2 * machine_code.PAYS_CPU_S)
wait_for(lambda: not code._busy.locked())
assert not code._is_loaded and not machine_code.is_compiled() and twice(3) == 5
code.compile()
code.close()
assert code._compiler.returncode != 0 and not machine_code.is_compiled(), "ended half-way"
code.compile()
assert code._again_s > time.monotonic() + 500 and twice(3) == 5, "not started again at once"
"""
NEVER_KEPT = """
import subprocess
from eureka_park.adapters import machine_code
from toy import twice

machine_code.AGAIN_S, opened, n_begun = 0.02, subprocess.Popen, 0
def counted(*args, **more):
    global n_begun
    n_begun += 1
    return opened(*args, **more)
subprocess.Popen = counted
code = machine_code.MachineCode([sys.executable, "nothing.py"], work=lambda: twice(1))
until_s = time.monotonic() + 120
while code._again_s < time.monotonic() + 500:
    assert time.monotonic() < until_s and not code.is_ready() and twice(3) == 5
    time.sleep(0.02)
print(n_begun)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "toy.py").write_text(TOY)
    (tmp_path / "compile_all.py").write_text(COMPILE)
    return tmp_path


def run(folder: Path, code: str, **environment: str) -> str:
    known = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    known |= {"NUMBA_CACHE_DIR": str(folder / "kept"), "PYTHONPATH": str(folder)} | environment
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_process_goes_over_to_machine_code_when_that_pays(folder: Path) -> None:
    run(folder, RUN + GOES_OVER)


def test_a_process_goes_over_to_machine_code_when_somebody_wants_it(folder: Path) -> None:
    run(folder, COMPILE)
    run(folder, RUN + "assert not machine_code_is_ready(); wait_for(machine_code_is_ready); assert twice(3) == 5")


def test_what_is_said_to_be_compiled_and_is_not_does_no_harm(folder: Path) -> None:
    run(folder, RUN + LOST)


def test_where_nothing_can_be_kept_a_process_compiles_for_itself(folder: Path) -> None:
    (folder / "kept").write_text("a file where the folder should be")
    code = "code.note(2 * machine_code.PAYS_CPU_S); wait_for(lambda: code._is_loaded); assert twice(3) == 5"
    run(folder, RUN + code)


@pytest.mark.parametrize(
    ("compiles", "n_begun"),
    [
        ("", 1),  # another version was installed meanwhile: it leaves word under its own name
        ("from eureka_park.adapters import machine_code; machine_code.note_compiled()", 2),  # the disk is full
    ],
)
def test_a_compiler_whose_work_is_not_found_is_not_started_over_and_over(
    folder: Path, compiles: str, n_begun: int
) -> None:
    (folder / "nothing.py").write_text(compiles)
    assert run(folder, "import sys, time" + NEVER_KEPT) == f"{n_begun}\n"


def test_a_compiler_that_has_ended_is_buried(folder: Path) -> None:
    (folder / "compile_all.py").write_text("")
    gone = """
    code.compile()
    wait_for(lambda: not machine_code.Path(f"/proc/{code._compiler.pid}").exists())
    code.close()
    """
    run(folder, RUN + textwrap.dedent(gone))


def test_where_the_usual_folders_cannot_be_written_a_home_keeps_kernels(folder: Path) -> None:
    (folder / "kept").write_text("a file where the folder should be")
    keep = """
    from pathlib import Path
    from eureka_park.adapters import machine_code
    assert not machine_code.is_compiled()
    machine_code.keep_in(Path("home"))
    """
    run(folder, keep + textwrap.indent(COMPILE, "    "))
    assert len(list((folder / "home" / "eureka-park").glob(f"*{kernels.SUFFIX}"))) == 1
    run(folder, textwrap.dedent(keep) + RUN + "wait_for(machine_code_is_ready); assert code._compiler is None")
    kept = """
    from pathlib import Path
    from eureka_park.adapters import machine_code
    machine_code.note_compiled()
    machine_code.keep_in(Path("another"))
    assert machine_code.is_compiled()
    """
    run(folder, kept, NUMBA_CACHE_DIR=str(folder / "writable"))
    assert (folder / "writable").is_dir() and not (folder / "another").exists()


def test_kernels_that_are_switched_off_stay_so(folder: Path) -> None:
    code = "code.note(9.0); code.compile(); assert machine_code_is_ready() and code._compiler is None and twice(3) == 5"
    run(folder, RUN + code, NUMBA_DISABLE_JIT="1")
    assert not (folder / "kept").exists()


def test_two_processes_do_not_compile_the_same(folder: Path) -> None:
    """The one that is slow holds the right; the other waits for it and takes what it has made."""
    slow = """
    import time
    from eureka_park.foundation import kernel_compiler
    save = kernel_compiler._Store.save_overload
    def slowly(self, sig, data):
        print("begun", flush=True)
        time.sleep(2.0)
        save(self, sig, data)
    kernel_compiler._Store.save_overload = slowly
    from toy import twice
    print(twice(1))
    """
    ask = "from toy import twice; twice(1); print(sum(twice.stats.cache_hits.values()))"
    known = os.environ | {"NUMBA_CACHE_DIR": str(folder / "kept"), "PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", textwrap.dedent(slow)]
    with subprocess.Popen(command, cwd=folder, env=known, stdout=subprocess.PIPE, text=True) as first:
        assert first.stdout is not None and first.stdout.readline() == "begun\n"
        assert run(folder, ask).strip() == "1", "found, not compiled"
    with subprocess.Popen(command, cwd=folder, env=known | {"NUMBA_OPT": "1"}, stdout=subprocess.PIPE) as killed:
        assert killed.stdout is not None and killed.stdout.readline() == b"begun\n"
        killed.kill()
    assert run(folder, ask, NUMBA_OPT="1").strip() == "0", "nobody holds the right any more"
    kept = [path.name for path in (folder / "kept" / "eureka-park").iterdir() if path.suffix == kernels.SUFFIX]
    assert len(kept) == 2


def test_word_of_what_is_compiled_is_kept_and_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    assert not machine_code.is_compiled()
    assert machine_code.note_compiled() == tmp_path / "eureka-park" and machine_code.is_compiled()
    machine_code.forget_compiled()
    assert not machine_code.is_compiled()
    for index in range(machine_code._N_MARKS_MAX + 3):
        (tmp_path / "eureka-park" / f"{machine_code._MARK}{index}").touch()
    machine_code.note_compiled()
    assert len(list((tmp_path / "eureka-park").iterdir())) == machine_code._N_MARKS_MAX and machine_code.is_compiled()
