"""Many rows asked for at once, each noted as soon as it is there."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from tqdm import tqdm

from training.data.asking.journal import Journal
from training.data.rows import Fields
from training.errors import ServerFailed, Unanswered

Item = TypeVar("Item")
NO_ANSWER = "no answer from the server"
_EVERY_S = {True: 0.5, False: 15.0}  # a log file wants fewer lines than a terminal


@dataclass(frozen=True, slots=True)
class Pool:
    """How rows are asked for.

    Parameters
    ----------
    concurrency
        How many rows are under way at a time.
    leave_unanswered
        Note a row for which all attempts failed, while others were answered, as dropped. Otherwise it is left open, and :meth:`run` raises
        at the end.
    """

    concurrency: int
    leave_unanswered: bool = False

    async def run(
        self,
        name: str,
        items: Iterable[tuple[int, Item]],
        work: Callable[[int, Item], Awaitable[Fields]],
        journal: Journal,
        *,
        total: int | None,
    ) -> None:
        """Do *work* for each item whose number the journal lacks, and note what it returns.

        Parameters
        ----------
        items
            Numbered; drawn as workers become free, so that they may come from a file of any length.
        total
            How many items there are, for the progress bar.

        Raises
        ------
        ServerFailed
            If the server fails for good, for rows one after the other, or if rows are left open. Run again to go on.
        """
        waiting = iter(items)
        state = _State()
        bar = tqdm(
            total=total, desc=name, file=sys.stderr, unit="row", mininterval=_EVERY_S[sys.stderr.isatty()]
        )

        async def worker() -> None:
            for index, item in waiting:
                if index not in journal:
                    await self._one(index, item, work, journal, state)
                bar.update()

        with bar:
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(self.concurrency):
                        group.create_task(worker())
            except (
                ExceptionGroup
            ) as failed:  # a task group wraps even one error, and callers wait for the error itself
                raise failed.exceptions[0] from None
        if self.leave_unanswered:
            state.drop(journal)
        if state.failed:
            rows = ", ".join(map(str, sorted(state.failed)[:5]))
            raise ServerFailed(
                f"{name}: no answer for {len(state.failed)} rows ({rows} ..); run again to ask for them, "
                "or with --leave-unanswered to go on without"
            )

    async def _one(
        self,
        index: int,
        item: Item,
        work: Callable[[int, Item], Awaitable[Fields]],
        journal: Journal,
        state: _State,
    ) -> None:
        try:
            fields = await work(index, item)
        except Unanswered as error:
            state.fail(index, error, most=self.concurrency)
        else:
            journal.add(index, fields)
            state.in_a_row = 0
            if self.leave_unanswered:
                state.drop(journal)


@dataclass(slots=True)
class _State:
    failed: list[int] = field(default_factory=list)
    in_a_row: int = 0

    def fail(self, index: int, error: Unanswered, *, most: int) -> None:
        """A row that fails may be the row's fault; more of them one after the other than are under way at a time are the server's."""
        self.failed.append(index)
        self.in_a_row += 1
        if self.in_a_row > most:
            raise ServerFailed(f"the server does not answer: {error}; run again to go on")

    def drop(self, journal: Journal) -> None:
        """Only while the server answers others: a row is not dropped because the server is away."""
        for index in self.failed:
            journal.add(index, {"dropped": NO_ANSWER})
        self.failed.clear()
