"""A real Slurm on this machine alone: one node, two pretended GPUs, loopback, no accounting.

Its tools and job steps read their configuration from /etc/slurm only, so its two files lie there
while it is up; everything else, keys and sockets included, lies in a scratch folder.
"""

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

CONFIGURATION = Path("/etc/slurm")
PROGRAMS = ("munged", "munge", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol")
#: The first line of our files: a slurm.conf without it belongs to a real cluster; hands off.
MARK = "# Written by Fleeting's tests (tests/slurm_cluster.py); removed when they end."
#: Processes of a Slurm: if one is running already, this machine is a node of a real cluster.
DAEMONS = frozenset({"slurmctld", "slurmd", "slurmstepd"})
#: Seconds for a daemon to start or end, or for cancelled jobs to end.
PATIENCE = 60
#: What the node claims to have: processors for jobs that mostly wait, memory in MB for what the
#: profile asks for and never uses.
GPUS = 2
CPUS = 8
MEMORY = 100_000


def missing() -> str | None:
    """Why no cluster can be brought up here, or None."""
    if os.geteuid() != 0:
        return "not root: the daemons of Slurm need it"
    lacking = [name for name in PROGRAMS if shutil.which(name, path=_search_path()) is None]
    if lacking:
        return f"not installed: {', '.join(lacking)} (run tests/slurm_install.sh)"
    if running := processes(DAEMONS):
        return f"a Slurm runs on this machine (processes {sorted(running)}): it is left alone"
    return _foreign_configuration()


def processes(names: frozenset[str]) -> set[int]:
    """The process ids of all programs of these names."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        # A process may end while it is looked at.
        with suppress(OSError):
            name, _, rest = (folder / "stat").read_text().partition("(")[2].rpartition(")")
            ended = rest.split()[0] == "Z"
            if name in names and not ended:
                found.add(int(folder.name))
    return found


@contextmanager
def cluster() -> Iterator[Path]:
    """The cluster, up from here on and taken down however the block ends.

    Yields:
        The file in which every task of every job leaves a line: the job's number, the devices it
        was given (`CUDA_VISIBLE_DEVICES`, `-` for none).
    """
    if reason := missing():
        raise RuntimeError(f"no Slurm can be brought up: {reason}")
    with ExitStack() as stack:
        # Asked to end from outside, it comes down as well.
        before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        stack.callback(signal.signal, signal.SIGTERM, before)
        # Not pytest's folder: the path of a socket may have 107 characters.
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fleeting-slurm-")))
        scratch.chmod(0o755)
        tasks = scratch / "tasks.tsv"
        tasks.touch()
        _configure(scratch, tasks, stack)
        munge = ["--foreground", f"--key-file={scratch}/munge.key", f"--socket={scratch}/socket"]
        munge += [f"--{name}-file={scratch}/munge.{name}" for name in ("pid", "log", "seed")]
        stack.enter_context(_daemon(scratch, "munged", *munge))
        _wait("munged answers", lambda: _succeeds("munge", "-n", "-S", f"{scratch}/socket"))
        stack.enter_context(_daemon(scratch, "slurmctld", "-D"))
        _wait("slurmctld answers", lambda: _succeeds("scontrol", "ping"))
        # Steps outlive a slurmd on purpose; there was none when this one started.
        stack.callback(_end_steps)
        stack.enter_context(_daemon(scratch, "slurmd", "-D"))
        _wait("the node is idle", lambda: _output("sinfo", "-h", "-o", "%T") == "idle")
        stack.callback(_cancel_jobs)
        yield tasks


def _foreign_configuration() -> str | None:
    """What lies in /etc/slurm and was not written by a test that was killed."""
    for name in ("slurm.conf", "gres.conf"):
        path = CONFIGURATION / name
        if path.exists() and not path.read_text().startswith(MARK):
            return f"{path} is not ours: this machine belongs to a cluster and is left alone"
    return None


def _configure(scratch: Path, tasks: Path, stack: ExitStack) -> None:
    for folder in ("state", "spool"):
        (scratch / folder).mkdir()
    devices = [scratch / f"nvidia{number}" for number in range(GPUS)]
    for device in devices:
        # /dev/null by another name: Slurm wants a device's file, and never opens it.
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    (scratch / "munge.key").write_bytes(os.urandom(128))
    (scratch / "munge.key").chmod(0o600)
    prolog = scratch / "task_prolog"
    prolog.write_text(
        "#!/bin/sh\n"
        f'printf "%s\\t%s\\n" "$SLURM_JOB_ID" "${{CUDA_VISIBLE_DEVICES:--}}" >> "{tasks}"\n'
    )
    prolog.chmod(0o755)
    node = socket.gethostname().split(".")[0]
    control, worker = _free_ports(2)
    lines = {
        "ClusterName": "fleeting",
        "SlurmctldHost": f"{node}(127.0.0.1)",
        "SlurmctldPort": control,
        "SlurmdPort": worker,
        "CommunicationParameters": "NoCtldInAddrAny,NoInAddrAny",
        "SlurmUser": "root",
        "SlurmdUser": "root",
        "AuthType": "auth/munge",
        # A job that is put back into the queue waits until its credentials have expired.
        "AuthInfo": f"socket={scratch}/socket,cred_expire=5",
        "CredType": "cred/munge",
        "StateSaveLocation": f"{scratch}/state",
        "SlurmdSpoolDir": f"{scratch}/spool",
        "SlurmctldPidFile": f"{scratch}/slurmctld.pid",
        "SlurmdPidFile": f"{scratch}/slurmd.pid",
        "SwitchType": "switch/none",
        "MpiDefault": "none",
        # When a step ends, what is left of it is killed, as on real clusters.
        "ProctrackType": "proctrack/pgid",
        "TaskPlugin": "task/none",
        "TaskProlog": prolog,
        "JobAcctGatherType": "jobacct_gather/none",
        "AccountingStorageType": "accounting_storage/none",
        "SelectType": "select/cons_tres",
        "SelectTypeParameters": "CR_Core_Memory",
        "GresTypes": "gpu",
        "KillWait": 5,
        "MinJobAge": 3600,
        "ReturnToService": 2,
        "SchedulerParameters": "sched_interval=2,bf_interval=2",
        # The node is what the line below says, whatever this machine has.
        "SlurmdParameters": "config_overrides",
    }
    text = "".join(f"{name}={value}\n" for name, value in lines.items())
    text += f"NodeName={node} NodeAddr=127.0.0.1 CPUs={CPUS} RealMemory={MEMORY} "
    text += f"Gres=gpu:{GPUS} State=UNKNOWN\n"
    text += "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP\n"
    gres = "".join(f"Name=gpu File={device}\n" for device in devices)
    if not CONFIGURATION.exists():
        CONFIGURATION.mkdir()
        stack.callback(CONFIGURATION.rmdir)
    for name, content in {"slurm.conf": text, "gres.conf": gres}.items():
        path = CONFIGURATION / name
        stack.callback(path.unlink)
        path.write_text(f"{MARK}\n{content}")


@contextmanager
def _daemon(scratch: Path, name: str, *arguments: str) -> Iterator[None]:
    """A daemon as a child of this process; what it prints is shown if it does not come up."""
    with (scratch / f"{name}.out").open("wb") as log:
        process = subprocess.Popen(
            [name, *arguments],
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield
    except BaseException as error:
        error.add_note((scratch / f"{name}.out").read_text(errors="replace")[-2000:])
        raise
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _cancel_jobs() -> None:
    for job in _output("squeue", "-h", "-o", "%i").split():
        _succeeds("scancel", "--full", "--signal=KILL", job)
        _succeeds("scancel", job)
    with suppress(TimeoutError):
        _wait("no job is left", lambda: not _output("squeue", "-h"))


def _end_steps() -> None:
    for process in processes(frozenset({"slurmstepd"})):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def _search_path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"


def _environment() -> dict[str, str]:
    """Ours, less what would lead the tools elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
    return {**kept, "PATH": _search_path()}


def _free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _succeeds(*command: str) -> bool:
    return subprocess.run(command, env=_environment(), capture_output=True).returncode == 0


def _output(*command: str) -> str:
    done = subprocess.run(command, env=_environment(), capture_output=True, text=True)
    return done.stdout.strip()


def _wait(what: str, done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"after {PATIENCE} seconds still not: {what}")
        time.sleep(0.2)
