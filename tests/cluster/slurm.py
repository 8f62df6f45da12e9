"""A real SLURM on this machine: one node that says it has 16 cores, 64 GB and two GPUs.

The GPUs are character devices without hardware behind them, so that SLURM hands them out and sets
CUDA_VISIBLE_DEVICES; a third job that wants one waits. Needs root and the Debian packages slurm-wlm
and munge. By hand: `python -m tests.cluster.slurm FOLDER`, and `scontrol shutdown` to end it.
"""

import os
import shutil
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

CONTROLLER, NODE = 16817, 16818  # ports
CONF = Path("/etc/slurm")  # job steps look only there
PROGRAMS = ("slurmctld", "slurmd", "sbatch", "squeue", "munged")


def why_not() -> str | None:
    """The reason why there can be no SLURM here, if there is one."""
    missing = [program for program in PROGRAMS if not shutil.which(program, path=path())]
    if missing:
        return f"no {', '.join(missing)}; as root: apt-get install --no-install-recommends slurm-wlm munge"
    if os.geteuid() != 0:
        return "a cluster of one's own is started by root"
    if not (CONF / "slurm.conf").is_symlink() and (CONF / "slurm.conf").exists():
        return "this machine is part of a cluster: /etc/slurm/slurm.conf is there"
    return None


def path() -> str:
    """Where daemons are looked for."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


class Slurm:
    """The daemons below a folder, from `start` to `stop`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.daemons: list[subprocess.Popen] = []

    def start(self) -> None:
        """Start the daemons and wait until the node is there."""
        for name in ("state", "spool", "log", "devices"):
            (self.folder / name).mkdir(parents=True)
        prolog = self.folder / "prolog"
        prolog.write_text(f'#!/bin/sh\necho "$CUDA_VISIBLE_DEVICES" >> {self.folder}/devices/$SLURM_JOB_ID\n')
        prolog.chmod(0o755)
        for index in range(2):
            os.mknod(self.folder / f"nvidia{index}", stat.S_IFCHR | 0o666, os.makedev(195, index))
        (self.folder / "slurm.conf").write_text(slurm_conf(self.folder, host()))
        (self.folder / "gres.conf").write_text(f"Name=gpu Type=h200 File={self.folder}/nvidia[0-1]\n")
        CONF.mkdir(exist_ok=True)
        for name in ("slurm.conf", "gres.conf"):
            (CONF / name).unlink(missing_ok=True)
            (CONF / name).symlink_to(self.folder / name)
        self._munge()
        self._daemon("slurmctld", "-D")
        self._daemon("slurmd", "-D")
        self._wait_for_node()

    def _munge(self) -> None:
        """Start the service that signs messages, unless there is one."""
        if subprocess.run(["munge", "-n"], capture_output=True, check=False).returncode == 0:
            return
        Path("/run/munge").mkdir(exist_ok=True)
        shutil.chown("/run/munge", "munge", "munge")
        munged = shutil.which("munged", path=path())
        self._daemon("runuser", "-u", "munge", "--", munged, "--foreground")
        deadline = time.monotonic() + 20
        while subprocess.run(["munge", "-n"], capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, "munged does not answer"
            time.sleep(0.2)

    def _daemon(self, program: str, *arguments: str) -> None:
        command = [shutil.which(program, path=path()) or program, *arguments]
        with open(self.folder / "log" / f"{program}.out", "ab") as log:
            daemon = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self.daemons.append(daemon)

    def _wait_for_node(self) -> None:
        deadline = time.monotonic() + 30
        while self.state() != "idle":
            assert time.monotonic() < deadline, f"the node is {self.state()!r}"
            time.sleep(0.2)

    def state(self) -> str:
        """The state of the node."""
        return output("sinfo", "--noheader", "--format=%T")

    def jobs(self) -> list[str]:
        """All jobs that were submitted, by their numbers."""
        return sorted(path.name for path in (self.folder / "devices").iterdir())

    def devices(self, job: str) -> set[str]:
        """What CUDA_VISIBLE_DEVICES was in the steps of a job."""
        return set((self.folder / "devices" / job).read_text().split())

    def lose_node(self) -> None:
        """Let SLURM know that the node is lost, with all that runs there."""
        self._tell_node("State=DOWN", "Reason=lost")

    def resume_node(self) -> None:
        """The node is back, by itself as soon as it reports to SLURM, or because somebody says so."""
        deadline = time.monotonic() + 60
        while "down" in self.state():
            assert time.monotonic() < deadline, "the node stays down"
            self._tell_node("State=RESUME", check=False)
            time.sleep(0.5)

    def _tell_node(self, *changes: str, check: bool = True) -> None:
        subprocess.run(["scontrol", "update", f"NodeName={host()}", *changes], check=check)

    def stop(self) -> None:
        """End all jobs and the daemons."""
        subprocess.run(["scancel", "--full", "--user=root"], check=False)
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            try:
                daemon.wait(15)
            except subprocess.TimeoutExpired:
                daemon.kill()
        for name in ("slurm.conf", "gres.conf"):
            (CONF / name).unlink(missing_ok=True)


def host() -> str:
    """The name of this machine, and of the node."""
    return socket.gethostname().partition(".")[0]


def output(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, text=True, capture_output=True, check=False).stdout.strip()


def slurm_conf(folder: Path, host: str) -> str:
    """The configuration of a cluster of one node, without accounting."""
    return f"""\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={CONTROLLER}
SlurmdPort={NODE}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=cred_expire=10
CryptoType=crypto/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
TaskProlog={folder}/prolog
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,sched_min_interval=200000
SlurmdParameters=config_overrides
ReturnToService=2
JobRequeue=1
KillWait=10
MinJobAge=600
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=64000 Gres=gpu:h200:2 State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


if __name__ == "__main__":
    cluster = Slurm(Path(sys.argv[1]).resolve())
    sys.exit(why_not()) if why_not() else cluster.start()
    print(output("sinfo", "--Node", "--long"))
