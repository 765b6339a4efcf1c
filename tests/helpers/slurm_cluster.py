"""A real Slurm on loopback for contract tests: munge, MariaDB, slurmdbd, slurmctld and one slurmd with fake GPUs.

All files lie in one folder; nothing of the system's own configuration is read or written. Needs root (munge and slurmd
do), and Debian's packages slurm-wlm, slurmdbd, munge and mariadb-server. GPUs are names without devices.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PROGRAMS: Final = ("munged", "mariadbd", "mariadb", "mariadb-install-db", "slurmdbd", "slurmctld", "slurmd", "sacct")
N_GPUS: Final = 4
N_SERVERS: Final = 5
GPU_TYPE: Final = "h100"
_PATH: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def missing() -> str:
    """Why no Slurm can be started here; empty where it can."""
    absent = [name for name in PROGRAMS if shutil.which(name, path=_PATH) is None]
    if absent:
        return f"no {', '.join(absent)}: install slurm-wlm slurmdbd munge mariadb-server"
    return "" if os.geteuid() == 0 else "a Slurm of one's own needs root"


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@dataclass
class SlurmCluster:
    """A cluster in a folder; `start` before use, `stop` after it."""

    folder: Path
    n_gpus: int = N_GPUS
    ports: tuple[int, int, int] = field(default_factory=lambda: (_free_port(), _free_port(), _free_port()))
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """What Slurm's commands need to find this cluster."""
        own = {"SLURM_CONF": str(self.folder / "slurm.conf"), "MYSQL_UNIX_PORT": str(self.folder / "sql.sock")}
        return {**os.environ, **own, "PATH": _PATH}

    def run(self, *command: str, timeout_s: float = 30.0) -> str:
        """A command of the cluster; its standard output. Raises AssertionError with what it said where it fails."""
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, timeout=timeout_s
        )
        assert done.returncode == 0, f"{command}: {done.stderr}{done.stdout}\n{self.logs()}"
        return done.stdout

    def start(self) -> None:
        """Start all of it, in order; about 10 s."""
        self.folder.chmod(0o755)
        self._write()
        self._spawn("munged", "--foreground", "--force", f"--socket={self.folder}/munge.sock",
                    f"--key-file={self.folder}/munge.key", f"--pid-file={self.folder}/munge.pid",
                    f"--log-file={self.folder}/munge.log", f"--seed-file={self.folder}/munge.seed")  # fmt: skip
        self.run("mariadb-install-db", "--no-defaults", f"--datadir={self.folder}/sql", "--user=root",
                 "--auth-root-authentication-method=socket", "--skip-test-db", timeout_s=120)  # fmt: skip
        self._spawn("mariadbd", "--no-defaults", f"--datadir={self.folder}/sql", f"--socket={self.folder}/sql.sock",
                    "--skip-networking", "--user=root", f"--pid-file={self.folder}/sql.pid",
                    "--innodb-buffer-pool-size=64M")  # fmt: skip
        ask = ("mariadb", "--no-defaults", f"--socket={self.folder}/sql.sock", "-e")
        self._until(*ask, "create database slurm_acct_db")
        self._spawn("slurmdbd", "-D")
        self._until("sacctmgr", "-i", "add", "cluster", "observed")
        self.run("sacctmgr", "-i", "add", "account", "physics")
        self.run("sacctmgr", "-i", "add", "user", "root", "account=physics")
        self._spawn("slurmctld", "-D", "-c", "-f", f"{self.folder}/slurm.conf")
        self._spawn("slurmd", "-D", "-N", "node1", "-f", f"{self.folder}/slurm.conf")
        self._until_idle()

    def stop(self) -> None:
        """End what was started here, jobs first, then servers, newest first."""
        if len(self.started) == N_SERVERS:
            words = ("scancel", "--user", "root")
            subprocess.run(words, env=self.environment, cwd=self.folder, capture_output=True, check=False, timeout=30)
            time.sleep(1.0)  # steps that are left alone outlive slurmd
        for process in reversed(self.started):
            process.terminate()
        for process in reversed(self.started):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)

    def logs(self) -> str:
        """The last lines that the servers wrote."""
        return "\n".join(
            f"{path.name}: {path.read_text(errors='replace')[-1500:]}" for path in sorted(self.folder.glob("*.log"))
        )

    def _spawn(self, name: str, *words: str) -> None:
        program = shutil.which(name, path=_PATH)
        assert program is not None
        with (self.folder / f"{name}.out.log").open("wb") as out:
            self.started.append(
                subprocess.Popen([program, *words], env=self.environment, cwd=self.folder, stdout=out, stderr=out)
            )

    def _until(self, *command: str, within_s: float = 40.0) -> None:
        """Repeat a command until it works."""
        end_s = time.monotonic() + within_s
        while True:
            done = subprocess.run(command, env=self.environment, cwd=self.folder, capture_output=True, text=True)
            if done.returncode == 0:
                return
            assert time.monotonic() < end_s, f"{command}: {done.stderr}{done.stdout}\n{self.logs()}"
            time.sleep(0.2)

    def _until_idle(self, within_s: float = 40.0) -> None:
        end_s = time.monotonic() + within_s
        while "State=IDLE" not in self.run("scontrol", "show", "node", "-o"):
            assert time.monotonic() < end_s, self.logs()
            time.sleep(0.2)

    def _write(self) -> None:
        """Keys and configuration."""
        folder, (ctl, d, dbd) = self.folder, self.ports
        (folder / "munge.key").write_bytes(os.urandom(1024))
        (folder / "munge.key").chmod(0o400)
        for name in ("state", "spool"):
            (folder / name).mkdir()
        for index in range(self.n_gpus):  # slurmd counts files; nothing is ever read from them
            (folder / f"gpu{index}").touch()
        files = f"{folder}/gpu[0-{self.n_gpus - 1}]"
        (folder / "gres.conf").write_text(f"NodeName=node1 Name=gpu Type={GPU_TYPE} File={files}\n")
        (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
        (folder / "slurmdbd.conf").write_text(
            f"AuthType=auth/munge\nAuthInfo=socket={folder}/munge.sock\nDbdHost=localhost\nDbdAddr=127.0.0.1\n"
            f"DbdPort={dbd}\nSlurmUser=root\nStorageType=accounting_storage/mysql\nStorageUser=root\n"
            f"StorageLoc=slurm_acct_db\nPidFile={folder}/slurmdbd.pid\nLogFile={folder}/slurmdbd.log\n"
        )
        (folder / "slurmdbd.conf").chmod(0o600)
        (folder / "slurm.conf").write_text(
            f"""ClusterName=observed
SlurmctldHost={socket.gethostname()}(127.0.0.1)
SlurmctldPort={ctl}
SlurmdPort={d}
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge.sock
SlurmUser=root
SlurmdUser=root
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=1,bf_interval=1
GresTypes=gpu
MpiDefault=none
ReturnToService=2
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={dbd}
AccountingStoragePass={folder}/munge.sock
AccountingStorageTRES=gres/gpu,gres/gpu:{GPU_TYPE}
PriorityType=priority/multifactor
NodeName=node1 NodeAddr=127.0.0.1 NodeHostname={socket.gethostname()} CPUs=16 CoresPerSocket=16 RealMemory=64000 \
Gres=gpu:{GPU_TYPE}:{self.n_gpus} Feature=nvlink State=UNKNOWN
PartitionName=gpu Nodes=node1 Default=YES MaxTime=1-00:00:00 State=UP
"""
        )
