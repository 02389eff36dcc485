"""The way of one request: admitted, let in by the queue, asked and asked again, guarded, accounted for."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from inference import metrics, providers
from inference.breaker import Admission, Verdict, verdict_on
from inference.errors import BudgetSpent, CircuitOpen, QueueFull, StreamError
from inference.gateway.account import CANCELLED, DONE, Account
from inference.gateway.ports import NoTraffic, Standing, Traffic
from inference.gateway.standings import Standings
from inference.gateway.writer import Writer
from inference.guards import Limits, guarded
from inference.queue import Gate, Place, Terms
from inference.retry import RetryPolicy, pause_s
from inference.types import CircuitState, Delta, Done, GenerationRequest, Queued, Reasoning, StreamEvent

logger = logging.getLogger(__package__)

_WORDS = (Delta, Reasoning)
Source = Callable[[GenerationRequest], AsyncGenerator[StreamEvent, None]]


class Gateway:
    """Serves the requests of one event loop.

    Parameters
    ----------
    traffic
        What is known of endpoints, and where passages are written.
    valkey_url
        Where the slots and queues of all processes stand; ``None`` keeps to this process.
    source
        The wire: asks a server once.
    terms, retries
        How the queue and the retries behave.
    rng, sleep
        For the pauses between tries.
    """

    def __init__(
        self,
        *,
        traffic: Traffic | None = None,
        valkey_url: str | None = None,
        source: Source = providers.stream,
        terms: Terms | None = None,
        retries: RetryPolicy | None = None,
        rng: random.Random | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._traffic = traffic or NoTraffic()
        self._source, self._terms, self._retries = source, terms or Terms(), retries or RetryPolicy()
        self._rng, self._sleep = rng or random.SystemRandom(), sleep
        self._gate = Gate(valkey_url, self._terms)
        self._standings = Standings(self._traffic, time.monotonic)
        self._writer = Writer(self._traffic, self._standings.learn)

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[StreamEvent, None]:
        """Generate one answer; see :func:`inference.gateway.stream`."""
        account = Account(request)
        try:
            async with aclosing(self._let_in(account)) as waits:
                async for queued in waits:
                    yield queued
            async with aclosing(self._answer(account)) as events:
                async for event in events:
                    if isinstance(event, Done):
                        account.done, account.outcome = event, DONE
                        self._settle(account)  # before the reader has it: readers leave at this event
                    yield event
        except StreamError as error:
            account.outcome = error.code.value
            raise
        finally:
            self._settle(account)

    async def settled(self) -> None:
        """Wait until what ended is written down and its slots are free for other processes."""
        await self._gate.settled()
        await self._writer.settled()

    async def close(self) -> None:
        """Settle, and give back connections and tasks."""
        await self._gate.close()
        await self._writer.close()

    async def _let_in(self, account: Account) -> AsyncGenerator[Queued, None]:
        """Until the request has a slot and may be asked. Yields only where it has to wait."""
        target = account.request.target
        endpoint_id = target.endpoint_id
        account.standing = await self._admitted(account)
        ticket = await self._gate.enter(Place(str(endpoint_id), account.request.user, target.max_in_flight))
        account.ticket = ticket
        if ticket.position:
            account.queued = True
            metrics.queued(endpoint_id, 1)
            until = asyncio.get_running_loop().time() + self._terms.longest_wait_s
            try:
                while position := ticket.position:
                    yield Queued(position)
                    await ticket.moved(position, until)
            except TimeoutError:
                raise QueueFull("the wait for the endpoint was too long") from None
            finally:
                metrics.queued(endpoint_id, -1)
                metrics.waited(endpoint_id, account.queued_s)
            account.standing = await self._admitted(account)  # much may have happened meanwhile
        account.in_flight = True
        metrics.in_flight(endpoint_id, 1)
        if account.standing.breaker.admission(datetime.now(UTC)) is Admission.TRIAL:
            await self._claim_trial(account)

    async def _admitted(self, account: Account) -> Standing:
        """The endpoint's standing. Raises where its circuit is open or its budget spent."""
        endpoint_id = account.request.target.endpoint_id
        standing = await self._standings.of(endpoint_id)
        metrics.circuit(endpoint_id, standing.breaker.state)
        if standing.breaker.admission(datetime.now(UTC)) is Admission.NO:
            raise CircuitOpen("the endpoint failed too often")
        if standing.spent.exhausts(standing.budget):
            raise BudgetSpent("the endpoint's budget of the day is spent")
        return standing

    async def _claim_trial(self, account: Account) -> None:
        target, breaker = account.request.target, account.standing.breaker
        now, lease = datetime.now(UTC), timedelta(seconds=target.deadlines.total_s)
        account.trial = True  # before the answer: if this is cancelled, the claim may have been made
        if not await self._traffic.claim_trial(target.endpoint_id, breaker, now + lease):
            account.trial = False
            self._standings.forget(target.endpoint_id)
            raise CircuitOpen("another request tries the endpoint")
        self._standings.learn({target.endpoint_id: breaker.claimed(now, lease)})
        logger.info(
            "request %s tries endpoint %s, whose circuit was open",
            account.request.request_id,
            target.endpoint_id,
            extra=_ids(account.request),
        )

    async def _answer(self, account: Account) -> AsyncGenerator[StreamEvent, None]:
        """Ask, and ask again while nothing has come and it is worth it."""
        limits = Limits.of(account.request.sampling)
        while True:
            account.asks()
            request = _within_deadlines(account)
            try:
                async with aclosing(guarded(self._source(request), limits=limits)) as events:
                    async for event in events:
                        if isinstance(event, _WORDS):
                            account.received(event)
                        yield event
            except StreamError as error:
                pause = self._pause_s(account, error)
                if pause is None:
                    raise
                logger.info(
                    "request %s to endpoint %s: %s, again in %d ms",
                    request.request_id,
                    request.target.endpoint_id,
                    error.code.value,
                    round(pause * 1000),
                    extra=_ids(request),
                )
            else:
                return
            await self._sleep(pause)

    def _pause_s(self, account: Account, error: StreamError) -> float | None:
        if account.events:
            return None
        left_s = account.request.target.deadlines.first_token_s - account.asked_s
        return pause_s(error, tried=account.attempts, left_s=left_s, policy=self._retries, rng=self._rng)

    def _settle(self, account: Account) -> None:
        """Free the slot and account for the request, once. Nothing here waits."""
        if account.settled:
            return
        account.settled = True
        endpoint_id = account.request.target.endpoint_id
        if account.ticket is not None:
            self._gate.leave(account.ticket)
        if account.in_flight:
            metrics.in_flight(endpoint_id, -1)
        passage = account.passage(self._verdict(account))
        self._writer.add(passage)
        metrics.ended(
            endpoint_id,
            error=None if account.outcome in {DONE, CANCELLED} else account.outcome,
            first_token_s=account.first_token_s,
            between_tokens_s=account.between_tokens_s,
            use=passage.use,
        )
        logger.info(
            "request %s to endpoint %s: %s in %d ms",
            passage.request_id,
            endpoint_id,
            passage.outcome,
            passage.duration_ms,
            extra=_ids(account.request) | {"duration_ms": passage.duration_ms},
        )

    def _verdict(self, account: Account) -> Verdict:
        """What the circuit must learn of it; nothing where the row would stay as it is."""
        if account.attempts == 0:
            return Verdict.NOTHING
        if account.error_code is not None:
            verdict = verdict_on(account.error_code)
        elif account.outcome == DONE or (account.trial and account.events):
            verdict = Verdict.WORKED
        else:
            return Verdict.NOTHING
        known = self._standings.latest(account.request.target.endpoint_id).breaker
        if account.trial:
            return verdict
        if known.state is not CircuitState.CLOSED or (verdict is Verdict.WORKED and not known.failures):
            return Verdict.NOTHING
        return verdict


def _ids(request: GenerationRequest) -> dict[str, object]:
    """Beside the site's own id of the work, which the line carries too: the id that the model server was told."""
    return {"generation": request.request_id, "endpoint": str(request.target.endpoint_id)}


def _within_deadlines(account: Account) -> GenerationRequest:
    """The request for its next try: what earlier ones took is gone."""
    request = account.request
    if account.attempts == 1:
        return request
    deadlines, gone_s = request.target.deadlines, account.asked_s
    left = replace(
        deadlines,
        first_token_s=max(0.001, deadlines.first_token_s - gone_s),
        total_s=max(0.001, deadlines.total_s - gone_s),
    )
    return replace(request, target=replace(request.target, deadlines=left))
