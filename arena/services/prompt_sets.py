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
from arena.types import AnswerStatus
from inference import gateway
from inference.database import in_thread
from inference.errors import StreamError, StreamErrorCode
from inference.identity.detect import Exchange, leaks_identity
from inference.models import Candidate, ModelEndpoint
from inference.selectors import target_for
from inference.types import (
    Delta,
    Done,
    EndpointStatus,
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
TELLS = "identity_leak"
_OUT_OF_REACH = {
    *(StreamErrorCode.CONNECT, StreamErrorCode.UNAUTHORIZED, StreamErrorCode.MODEL_NOT_FOUND),
    *(StreamErrorCode.RATE_LIMITED, StreamErrorCode.QUEUE_FULL, StreamErrorCode.CIRCUIT_OPEN),
    StreamErrorCode.BUDGET,
}
"""What says nothing of the prompt: the same question later may well be answered."""


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
            defaults={
                "name": name,
                "campaign": campaign,
                "content_digest": content,
                "staff": staff,
                "system_prompt": campaign.system_prompt.replace("{date}", basque_date(timezone.localdate())),
            },
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
    """Ask every candidate of the campaign for every answer that lacks, a few at a time, so that battles hardly wait.

    A set that another process answers is left to it; one whose process died is taken over. A bad answer is asked for again, three times in all; a server that
    cannot be reached costs no attempt, and its candidate is left alone until the next time.
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


def resume_sets() -> int:
    """Go on with the sets whose process died: their claim ran out and was never given back. Returns how many."""
    dead = list(PromptSet.objects.filter(claimed_until__lt=timezone.now()).values_list("pk", flat=True))
    for set_id in dead:
        logger.info("prompt set %s is taken over", set_id)
        answer_set(set_id=set_id)
    return len(dead)


def _claim(set_id: UUID) -> bool:
    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    return bool(PromptSet.objects.filter(free, pk=set_id).update(claimed_until=now + CLAIM))


def _waiting(prompt_set: PromptSet) -> list[int]:
    """The answers to ask for, those of one prompt together; rows of candidates that are new are made."""
    at_work = Candidate.objects.filter(endpoints__status=EndpointStatus.ACTIVE.value).distinct()
    candidates = list(prompt_set.campaign.candidates.all() or at_work)
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
            for candidate in candidates
        ),
        ignore_conflicts=True,
    )
    lacking = SetAnswer.objects.filter(prompt__prompt_set=prompt_set, attempts__lt=MOST_ATTEMPTS)
    lacking = lacking.exclude(status=AnswerStatus.COMPLETE.value)
    return list(lacking.order_by("prompt__position", "candidate__code").values_list("pk", flat=True))


async def _answer_all(prompt_set: PromptSet, waiting: list[int]) -> None:
    queue, away = iter(waiting), set[UUID]()
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(settings.LEHIA_BATCH_IN_FLIGHT):
                group.create_task(_work(prompt_set, queue, away))
    finally:
        await gateway.close()


async def _work(prompt_set: PromptSet, queue: Iterator[int], away: set[UUID]) -> None:
    """Take answers one after the other; *away* are the candidates whose servers cannot be reached this time."""
    for answer_id in queue:
        while not await _answer(prompt_set, answer_id, away):
            pass


async def _answer(prompt_set: PromptSet, answer_id: int, away: set[UUID]) -> bool:
    """Ask once and store what came; whether there is no more to do for it this time."""
    answer, request = await in_thread(_planned)(prompt_set, answer_id)
    if answer.candidate_id in away:
        return True
    if request is None:
        return await in_thread(_store_failure)(answer, StreamErrorCode.CONNECT, away)
    said: list[str] = []
    try:
        async for event in gateway.stream(request):
            if isinstance(event, Delta):
                said.append(event.text)
            elif isinstance(event, Done) and said:
                await in_thread(_store)(answer, request, "".join(said), event)
                return True
    except StreamError as error:
        return await in_thread(_store_failure)(answer, error.code, away)
    return await in_thread(_store_failure)(answer, StreamErrorCode.EMPTY, away)


def _planned(prompt_set: PromptSet, answer_id: int) -> tuple[SetAnswer, GenerationRequest | None]:
    """The answer, and the request of one more attempt; ``None`` for a candidate without an endpoint."""
    answer = SetAnswer.objects.select_related("prompt__prompt_set", "candidate").get(pk=answer_id)
    try:
        target = target_for(answer.candidate_id)
    except ModelEndpoint.DoesNotExist:
        return answer, None
    mode = SystemPromptMode(answer.candidate.system_prompt_mode)
    return answer, GenerationRequest(
        target=target,
        messages=with_system_prompt(
            (Message(Role.USER, answer.prompt.text),), prompt_set.system_prompt, mode
        ),
        sampling=Sampling(
            temperature=answer.temperature,
            top_p=answer.top_p,
            max_tokens=answer.max_tokens,
            seed=answer.seed,
            stop=tuple(answer.stop),
        ),
        request_id=f"set-{answer_id}-{answer.attempts + 1}",
        user=prompt_set.pk.hex,  # the whole set is one in the queue, however much it asks
    )


def _store(answer: SetAnswer, request: GenerationRequest, text: str, done: Done) -> None:
    """An answer that tells who wrote it is kept, but shown to nobody."""
    tells = leaks_identity(
        [Exchange(answer.prompt.text, text)],
        names=[answer.candidate.name, answer.candidate.code],
        makers=[answer.candidate.maker],
        system_prompt=answer.prompt.prompt_set.system_prompt,
    )
    incomplete = SetAnswer.objects.filter(pk=answer.pk).exclude(status=AnswerStatus.COMPLETE.value)
    incomplete.update(
        status=(AnswerStatus.FAILED if tells else AnswerStatus.COMPLETE).value,
        error_code=TELLS if tells else "",
        attempts=MOST_ATTEMPTS if tells else answer.attempts + 1,
        text=text.replace("\x00", "\ufffd"),
        finish_reason=done.finish_reason.value,
        endpoint_id=request.target.endpoint_id,
        prompt_tokens=done.prompt_tokens,
        completion_tokens=done.completion_tokens,
        answered_at=timezone.now(),
    )
    _go_on(answer)


def _store_failure(answer: SetAnswer, code: StreamErrorCode, away: set[UUID]) -> bool:
    """Whether no more is asked this time: after the last attempt, or where the server is out of reach."""
    attempts = answer.attempts + (code not in _OUT_OF_REACH)
    SetAnswer.objects.filter(pk=answer.pk).exclude(status=AnswerStatus.COMPLETE.value).update(
        status=AnswerStatus.FAILED.value, error_code=code.value, attempts=attempts
    )
    _go_on(answer)
    if code in _OUT_OF_REACH:
        away.add(answer.candidate_id)
    return code in _OUT_OF_REACH or attempts >= MOST_ATTEMPTS


def _go_on(answer: SetAnswer) -> None:
    PromptSet.objects.filter(pk=answer.prompt.prompt_set_id).update(claimed_until=timezone.now() + CLAIM)
