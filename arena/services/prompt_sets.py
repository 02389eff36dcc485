"""Prompt sets: uploaded once, answered by every candidate of the campaign's pool, and going on where that was cut off."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from arena.dates import basque_date
from arena.errors import PromptSetTaken
from arena.models import Campaign, Prompt, PromptSet, SetAnswer, User
from arena.prompt_files import PromptRow, digest
from arena.selectors.pools import pool_now
from arena.types import AnswerStatus
from inference import gateway
from inference.database import in_thread
from inference.errors import StreamError, StreamErrorCode
from inference.models import ModelEndpoint
from inference.selectors import target_for
from inference.types import (
    Delta,
    Done,
    GenerationRequest,
    Message,
    Role,
    Sampling,
    SystemPromptMode,
    with_system_prompt,
)

logger = logging.getLogger(__name__)

CLAIM = timedelta(minutes=10)
"""So long a set stays its process's own after the last answer; then another may go on."""
MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Progress:
    """Of a set: how many answers there are to be, how many are complete, and how many failed for good."""

    wanted: int
    complete: int
    failed: int


def create_set(
    *, slug: str, name: str, campaign: Campaign, rows: list[PromptRow], staff: User | None
) -> PromptSet:
    """Store a list of prompts, all or none. The same list under the same code changes nothing; another one raises :class:`PromptSetTaken`."""
    content = digest(rows)
    with transaction.atomic():
        made, is_new = PromptSet.objects.get_or_create(
            slug=slug,
            defaults={"name": name, "campaign": campaign, "content_digest": content, "staff": staff},
        )
        if is_new:
            Prompt.objects.bulk_create(
                Prompt(
                    prompt_set=made,
                    position=position,
                    text=row.text,
                    task=row.task,
                    register=row.register,
                    dialect=row.dialect,
                )
                for position, row in enumerate(rows, start=1)
            )
        elif (made.content_digest, made.campaign_id) != (content, campaign.pk):
            raise PromptSetTaken(f"another list has the code {slug}")
    return made


def answer_set(*, set_id: UUID) -> Progress:
    """Ask every candidate that can be drawn for every answer that lacks, a few at a time, so that battles hardly wait.

    A set that another process answers is left to it; one whose process died is taken over. What failed is asked again, three times in all.
    """
    found = PromptSet.objects.select_related("campaign").get(pk=set_id)
    if _claim(set_id):
        try:
            waiting = _waiting(found)
            asyncio.run(_answer_all(found, waiting))
        finally:
            PromptSet.objects.filter(pk=set_id).update(claimed_until=None)
    return progress_of(found)


def progress_of(prompt_set: PromptSet) -> Progress:
    answers = SetAnswer.objects.filter(prompt__prompt_set=prompt_set)
    failed = Q(status=AnswerStatus.FAILED.value, attempts__gte=MOST_ATTEMPTS)
    return Progress(
        **answers.aggregate(
            wanted=Count("pk"),
            complete=Count("pk", filter=Q(status=AnswerStatus.COMPLETE.value)),
            failed=Count("pk", filter=failed),
        )
    )


def _claim(set_id: UUID) -> bool:
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    return bool(PromptSet.objects.filter(free, pk=set_id).update(claimed_until=now + CLAIM))


def _waiting(prompt_set: PromptSet) -> list[int]:
    """The answers to ask for, those of one prompt together; rows of candidates that are new are made."""
    SetAnswer.objects.bulk_create(
        (
            SetAnswer(
                prompt_id=prompt_id,
                candidate=candidate,
                temperature=candidate.temperature,
                top_p=candidate.top_p,
                max_tokens=candidate.max_tokens,
                stop=candidate.stop,
                seed=secrets.randbelow(2**31),
            )
            for prompt_id in prompt_set.prompts.values_list("pk", flat=True)
            for candidate in pool_now(prompt_set.campaign).candidates.values()
        ),
        ignore_conflicts=True,
    )
    lacking = SetAnswer.objects.filter(prompt__prompt_set=prompt_set, attempts__lt=MOST_ATTEMPTS)
    lacking = lacking.exclude(status=AnswerStatus.COMPLETE.value)
    return list(lacking.order_by("prompt__position", "candidate__code").values_list("pk", flat=True))


async def _answer_all(prompt_set: PromptSet, waiting: list[int]) -> None:
    queue = iter(waiting)
    system_prompt = prompt_set.campaign.system_prompt.replace("{date}", basque_date(timezone.localdate()))
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(settings.LEHIA_BATCH_IN_FLIGHT):
                group.create_task(_work(prompt_set.pk, queue, system_prompt))
    finally:
        await gateway.close()


async def _work(set_id: UUID, queue: Iterator[int], system_prompt: str) -> None:
    for answer_id in queue:
        while not await _answer(set_id, answer_id, system_prompt):
            pass


async def _answer(set_id: UUID, answer_id: int, system_prompt: str) -> bool:
    """Ask once and store what came; whether there is no more to do for it."""
    request = await in_thread(_planned)(set_id, answer_id, system_prompt)
    if request is None:
        return await in_thread(_store_failure)(set_id, answer_id, StreamErrorCode.CONNECT)
    said: list[str] = []
    try:
        async for event in gateway.stream(request):
            if isinstance(event, Delta):
                said.append(event.text)
            elif isinstance(event, Done) and said:
                await in_thread(_store)(set_id, answer_id, request, "".join(said), event)
                return True
    except StreamError as error:
        return await in_thread(_store_failure)(set_id, answer_id, error.code)
    return await in_thread(_store_failure)(set_id, answer_id, StreamErrorCode.EMPTY)


def _planned(set_id: UUID, answer_id: int, system_prompt: str) -> GenerationRequest | None:
    """The request of one more attempt; ``None`` for a candidate without an endpoint."""
    answer = SetAnswer.objects.select_related("prompt", "candidate").get(pk=answer_id)
    SetAnswer.objects.filter(pk=answer_id).update(attempts=answer.attempts + 1)
    try:
        target = target_for(answer.candidate_id)
    except ModelEndpoint.DoesNotExist:
        return None
    mode = SystemPromptMode(answer.candidate.system_prompt_mode)
    return GenerationRequest(
        target=target,
        messages=with_system_prompt((Message(Role.USER, answer.prompt.text),), system_prompt, mode),
        sampling=Sampling(
            temperature=answer.temperature,
            top_p=answer.top_p,
            max_tokens=answer.max_tokens,
            seed=answer.seed,
            stop=tuple(answer.stop),
        ),
        request_id=f"set-{answer_id}-{answer.attempts + 1}",
        user=set_id.hex,  # the whole set is one in the queue, however much it asks
    )


def _store(set_id: UUID, answer_id: int, request: GenerationRequest, text: str, done: Done) -> None:
    SetAnswer.objects.filter(pk=answer_id).update(
        status=AnswerStatus.COMPLETE.value,
        text=text.replace("\x00", "\ufffd"),
        finish_reason=done.finish_reason.value,
        error_code="",
        endpoint_id=request.target.endpoint_id,
        prompt_tokens=done.prompt_tokens,
        completion_tokens=done.completion_tokens,
        answered_at=timezone.now(),
    )
    _go_on(set_id)


def _store_failure(set_id: UUID, answer_id: int, code: StreamErrorCode) -> bool:
    """Whether that was the last attempt."""
    SetAnswer.objects.filter(pk=answer_id).update(status=AnswerStatus.FAILED.value, error_code=code.value)
    _go_on(set_id)
    return SetAnswer.objects.filter(pk=answer_id, attempts__gte=MOST_ATTEMPTS).exists()


def _go_on(set_id: UUID) -> None:
    PromptSet.objects.filter(pk=set_id).update(claimed_until=timezone.now() + CLAIM)
