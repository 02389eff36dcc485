"""Processes that outlive the command that starts them, and records by which a later command knows them again."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import msgspec

from inference.fleet.errors import FleetFailed
from inference.processes import birth, locked, stat, wait_until

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Record(msgspec.Struct, frozen=True):
    """Who a process is.

    Parameters
    ----------
    pid, birth, boot
        Its number, its start in the kernel's ticks, and the boot that those count from: a number that was given out again differs in one.
    command
        A digest of its command line and environment.
    url
        Where it answers.
    """

    pid: int
    birth: str
    boot: str
    command: str
    url: str

    @classmethod
    def of(cls, pid: int, *, command: str, url: str) -> Record | None:
        """The record of a process that was just started, unless it has ended again."""
        born = birth(pid)
        return None if born is None else cls(pid, born, boot(), command, url)

    @property
    def is_alive(self) -> bool:
        return self.boot == boot() and birth(self.pid) == self.birth

    def family(self) -> dict[int, str]:
        """The process and all that it started, with their births; also what it left behind where it is dead.

        The kernel gives a number to nobody as long as a session goes by it, so while none has it the session is still this one's.
        """
        if self.boot != boot() or birth(self.pid) not in {self.birth, None}:
            return {}
        return session(self.pid)


def boot() -> str:
    """This boot's id."""
    return _BOOT.read_text().strip()


def session(pid: int) -> dict[int, str]:
    """The living processes of the session that *pid* leads, with their births: a server and all that it started."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        fields = stat(int(path.name))
        if fields is not None and int(fields[3]) == pid:
            found[int(path.name)] = fields[19]
    return found


def resident_bytes(pid: int) -> int:
    """Memory of a process and all of its session that is its own, shared pages counted in parts."""
    return sum(_proportional(each) for each in session(pid))


def _proportional(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def start(argv: Sequence[str], env: Mapping[str, str], log: Path) -> int:
    """Start a process in a session of its own, its output appended to *log*. Returns its pid.

    Raises
    ------
    FleetFailed
        Where there is no such program.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    opened = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        opened,
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    try:
        # no Popen: that one wants its child waited for, and this one goes on without us
        return os.posix_spawnp(argv[0], list(argv), dict(env), file_actions=actions, setsid=True)
    except OSError as error:
        raise FleetFailed(f"{argv[0]}: {error.strerror}; is the engine installed there?") from None


def end(record: Record, *, within_s: float) -> bool:
    """End a process and all of its session, politely first. Returns whether any had to be killed; another process of that number is left alone."""
    family = record.family()
    _signal({record.pid: record.birth} if record.is_alive else family, signal.SIGTERM)
    gone = wait_until(lambda: not _alive(family), within_s=within_s)
    if not gone:
        _signal(record.family() | family, signal.SIGKILL)
        wait_until(lambda: not _alive(family), within_s=within_s)
    with suppress(ChildProcessError):
        os.waitpid(record.pid, os.WNOHANG)  # where we are its parent still
    return not gone


def _alive(family: Mapping[int, str]) -> list[int]:
    return [pid for pid, born in family.items() if birth(pid) == born]


def _signal(family: Mapping[int, str], number: signal.Signals) -> None:
    for pid in _alive(family):
        with suppress(ProcessLookupError):
            os.kill(pid, number)


@contextmanager
def exclusive(path: Path, *, within_s: float = 5) -> Iterator[None]:
    """Hold a file's lock, which the kernel frees with the process. Raises :class:`FleetFailed`."""
    with ExitStack() as held:
        try:
            held.enter_context(locked(path, within_s=within_s))
        except TimeoutError:
            raise FleetFailed(
                f"another command is at work on this fleet ({path}); wait for it to end"
            ) from None
        yield
