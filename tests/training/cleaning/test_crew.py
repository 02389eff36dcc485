from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from tests.training.cleaning.hands import make_counter
from training.data.cleaning.crew import Crew
from training.errors import RunFailed

ORPHANS = """
from training.data.cleaning.crew import Crew
from tests.training.cleaning.hands import make_waiter
with Crew(2) as crew:
    list(crew.each("wait", make_waiter, [{fifo!r}] * 2))
"""


def test_one_process_works_here() -> None:
    with Crew(1) as crew:
        records = list(crew.each("count", make_counter, range(3)))
    assert records == [{"task": n, "process": os.getpid(), "made": os.getpid()} for n in range(3)]


def test_several_processes_do_every_task_with_a_worker_each() -> None:
    with Crew(2) as crew:
        records = list(crew.each("count", make_counter, [0, 1, 2, 4, 5, 6, 7, 8, 9]))
    assert sorted(each["task"] for each in records) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert all(each["process"] == each["made"] != os.getpid() for each in records)


@pytest.mark.parametrize(("processes", "most"), [(1, 1), (2, 4)])
def test_tasks_are_taken_as_they_are_needed(processes: int, most: int) -> None:
    taken: list[int] = []

    def tasks() -> Iterator[int]:
        for n in range(4, 100):
            taken.append(n)
            yield n

    with Crew(processes) as crew:
        next(crew.each("count", make_counter, tasks()))
    assert len(taken) == most


def test_a_process_that_ends_is_told_and_not_waited_for() -> None:
    with Crew(2) as crew, pytest.raises(RunFailed, match="stage count"):
        list(crew.each("count", make_counter, range(8)))


def test_processes_end_with_the_one_that_started_them(repository: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    parent = subprocess.Popen([sys.executable, "-c", ORPHANS.format(fifo=str(fifo))], cwd=repository)
    with fifo.open() as said:
        processes = [int(said.readline()) for _ in range(2)]
        parent.kill()
        parent.wait()
        # the end of the file comes when the last process that holds it open is gone
        ended = Thread(target=said.read, daemon=True)
        ended.start()
        ended.join(60)
        gone = not ended.is_alive()
        for process in [] if gone else processes:
            os.kill(process, signal.SIGKILL)
    assert gone
