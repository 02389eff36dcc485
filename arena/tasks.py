"""What beat asks for: each task calls one service."""

from __future__ import annotations

from celery import shared_task

from arena.services import boards, reviews, turns
from inference import services as endpoints


@shared_task
def probe_endpoints() -> int:
    """Look at every endpoint that is in use. Returns how many."""
    return endpoints.probe_endpoints()


@shared_task
def reap_turns() -> int:
    """Free turns whose process died. Returns how many."""
    return turns.reap_turns()


@shared_task
def publish_boards() -> int:
    """Publish a snapshot of every live board that moved. Returns how many."""
    return boards.publish_moved()


@shared_task
def review_votes() -> int:
    """Queue what speaks against volunteers, for staff. Returns how many findings are new."""
    return sum(reviewed.new for reviewed in reviews.review_all().values())
