"""What beat asks for: each task calls one service."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from arena.services import boards, languages, prompt_sets, turns
from inference import services as endpoints
from inference.services import traffic


@shared_task
def probe_endpoints() -> int:
    """Look at every endpoint that is in use. Returns how many."""
    return endpoints.probe_endpoints()


@shared_task
def prune_traffic() -> int:
    """Delete a week's old records of requests, and endpoints that nobody went on adding. Returns how many rows."""
    return traffic.prune() + endpoints.prune_drafts()


@shared_task
def reap_turns() -> int:
    """Free turns whose process died. Returns how many."""
    return turns.reap_turns()


@shared_task
def publish_boards() -> int:
    """Review and publish every live board that moved. Returns how many snapshots were made."""
    return boards.publish_moved()


@shared_task
def answer_prompts(set_id: str) -> int:
    """Have every candidate answer a prompt set. Returns how many answers are complete."""
    return prompt_sets.answer_set(set_id=UUID(set_id)).complete


@shared_task
def measure_languages() -> int:
    """Measure the language of what was stored since. Returns of how many messages and answers."""
    return languages.measure_languages()
