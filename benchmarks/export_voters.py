"""Volunteers who vote through the service, so many a second, in processes of their own: ``python -m benchmarks.export_voters PLACE OF RATE``.

Each has its share of the battles that wait for a vote, says that it is ready, votes from the first line on its standard input to the end of it, and says how many
votes it cast, how many the database refused, how long the longest took, and what
processor time that was, PostgreSQL's included.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import time
from typing import IO, Any

from inference.processes import stat


class Voters:
    """*rate* votes a second by several processes, until the block ends."""

    def __init__(self, *, rate: int, processes: int) -> None:
        self._processes = [self._started(place, processes, rate / processes) for place in range(processes)]
        for each in self._processes:
            self._pipe(each.stdout).readline()
        self.cast = self.refused = 0
        self.votes_per_s = self.longest_ms = self.cpu_s = 0.0

    def __enter__(self) -> Voters:
        for each in self._processes:
            self._pipe(each.stdin).write("go\n")
            self._pipe(each.stdin).flush()
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._processes:
            self._pipe(each.stdin).close()
        told = [json.loads(self._pipe(each.stdout).read()) for each in self._processes]
        self.cast = sum(each["cast"] for each in told)
        self.refused = sum(each["refused"] for each in told)
        self.cpu_s = sum(each["cpu_s"] for each in told)
        self.longest_ms = max(each["longest_ms"] for each in told)
        self.votes_per_s = sum(each["cast"] / each["seconds"] for each in told)
        for each in self._processes:
            each.wait()

    @staticmethod
    def _started(*arguments: object) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "benchmarks.export_voters", *map(str, arguments)]
        return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        assert pipe is not None
        return pipe


def vote(place: int, of: int, rate: float) -> dict[str, Any]:
    from django.db import DatabaseError, connection

    from arena.models import Battle
    from arena.selectors.judgements import Judgements
    from arena.services.votes import cast_vote
    from ranking.types import Outcome

    ready = Battle.objects.filter(status="ready").order_by("pk").select_related("participant")
    waiting = list(ready[place::of])
    print("ready", flush=True)
    sys.stdin.readline()
    began, cast, refused, longest = time.perf_counter(), 0, 0, 0.0
    backend, cpu = _backend(), -_cpu_s(_backend())
    while waiting and not _is_over(began + (cast + refused) / rate - time.perf_counter()):
        battle = waiting.pop()
        judged = Judgements(list(Outcome)[cast % 2], Outcome.TIE)
        asked = time.perf_counter()
        try:
            cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=judged)
            cast += 1
        except DatabaseError:  # a migration took away what this code knows
            connection.close()
            refused += 1
        longest = max(longest, time.perf_counter() - asked)
    seconds, cpu = time.perf_counter() - began, cpu + _cpu_s(backend)
    return {"cast": cast, "refused": refused, "longest_ms": longest * 1000, "seconds": seconds, "cpu_s": cpu}


def _backend() -> int:
    """PostgreSQL's process that works for this one."""
    from django.db import connection

    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def _cpu_s(backend: int) -> float:
    """What this process and its backend have used; after a refusal the backend is another one, and not counted."""
    fields = stat(backend) or ["0"] * 13
    return time.process_time() + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _is_over(wait_s: float) -> bool:
    """Waits that long at most."""
    return bool(select.select([sys.stdin], [], [], max(0.0, wait_s))[0])


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(vote(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))), flush=True)
