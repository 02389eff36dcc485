"""What beat asks for: each task calls one service."""

from __future__ import annotations

import logging
from uuid import UUID

from django.conf import settings
from kombu.exceptions import OperationalError

from arena.celery import app
from arena.models import User
from arena.services import (
    backups,
    boards,
    doubts,
    export_jobs,
    languages,
    limits,
    prompt_sets,
    releases,
    retention,
    studies,
    turns,
)
from inference import services as endpoints
from inference.services import traffic

logger = logging.getLogger(__name__)


@app.task
def probe_endpoints() -> int:
    """Look at every endpoint that is in use. Returns how many."""
    return endpoints.probe_endpoints()


@app.task
def prune_traffic() -> int:
    """Delete a week's old records of requests, and endpoints that nobody went on adding. Returns how many rows."""
    return traffic.prune() + endpoints.prune_drafts()


@app.task
def prune_api() -> int:
    """Forget the counts of the API's limits that no longer matter. Returns how many."""
    return limits.prune()


@app.task
def retain() -> dict[str, int]:
    """Delete what was kept long enough. Returns how much, by rule."""
    return retention.retain()


@app.task
def back_up() -> str:
    """Make the day's backup, where a time for it is set. Returns its folder."""
    return str(backups.back_up(settings.LEHIA_BACKUPS).folder)


@app.task
def reap_turns() -> int:
    """Free turns whose process died. Returns how many."""
    return turns.reap_turns()


@app.task
def publish_boards() -> int:
    """Review and publish every live board that moved. Returns how many snapshots were made."""
    return boards.publish_moved()


@app.task
def answer_prompts(set_id: str) -> int:
    """Have every candidate answer a prompt set. Returns how many answers are complete."""
    return prompt_sets.answer_set(set_id=UUID(set_id)).complete


@app.task
def resume_prompt_sets() -> int:
    """Go on with prompt sets whose worker died. Returns how many."""
    return prompt_sets.resume_sets()


@app.task
def measure_languages() -> int:
    """Measure the language of what was stored since. Returns of how many messages and answers."""
    return languages.measure_languages()


@app.task
def scan_ended_battles() -> int:
    """Queue what may be a personal detail in battles that ended. Returns how many battles were read."""
    return doubts.scan_ended()


@app.task
def keep_releases() -> int:
    """End the holds that are over, take out of releases what was taken back. Returns how many changed."""
    return releases.keep()


@app.task
def compute_studies() -> int:
    """Compute the analyses that somebody asked for, and forget old ones. Returns how many were computed."""
    return studies.compute_waiting()


@app.task
def hold_release(release_id: str, by: int) -> None:
    """Make a draft's files and begin its hold."""
    releases.hold(release_id=UUID(release_id), by=User.objects.filter(pk=by).first())


@app.task
def write_export(job_id: str) -> None:
    """Write an export that was ordered."""
    export_jobs.run_export(job_id=UUID(job_id))


@app.task
def tend_exports() -> int:
    """Delete old files of exports, then begin those whose worker died. Returns how many were begun."""
    export_jobs.expire_exports()
    return export_jobs.resume_exports()


def begin_export(job_id: UUID) -> None:
    """Tell a worker of an order. Where none can be told, beat begins it within two minutes."""
    try:
        write_export.delay(str(job_id))
    except OperationalError:
        logger.warning("no worker could be told of export %s", job_id)
