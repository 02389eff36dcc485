"""Candidates: what public pages say of them, and for researchers how they are asked."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from arena.api import cursors, schemas
from arena.api.problems import not_found
from arena.api.routes import route
from arena.api.schemas import Slug
from arena.selectors.candidates import public_candidates
from arena.types import ApiScope
from inference.models import Candidate

router = Router(tags=["candidates"])
UNKNOWN = "No candidate has this code: /api/v1/candidates lists those that have a counted vote."


@route(router, "/candidates", name="candidates", response=schemas.CandidatesOut)
def candidates(request: HttpRequest, query: Query[schemas.PageQuery]) -> dict[str, Any]:
    """Those with a counted vote on a live board, by code."""
    found = public_candidates()
    if query.cursor is not None:
        (code,) = cursors.read("candidates", query.cursor)
        found = found.filter(code__gt=code)
    listed = list(found[: query.limit + 1])
    items, more = listed[: query.limit], len(listed) > query.limit
    return {"items": items, "next": cursors.write("candidates", items[-1].code) if more else None}


@route(router, "/candidates/{slug:code}", name="candidate", response=schemas.CandidateOut)
def candidate(request: HttpRequest, code: Slug) -> Candidate:
    """What its page says of it."""
    found = public_candidates().filter(code=code).first()
    if found is None:
        raise not_found(UNKNOWN)
    return found


@route(
    router,
    "/candidates/{slug:code}/provenance",
    name="provenance",
    response=schemas.ProvenanceOut,
    scope=ApiScope.CANDIDATES,
)
def provenance(request: HttpRequest, code: Slug) -> dict[str, Any]:
    """Revision, sampling, system prompt mode and template, also of a candidate that has no vote yet."""
    found = Candidate.objects.filter(code=code).first()
    if found is None:
        raise not_found("No candidate has this code.")
    said = {key: value for key, value in found.manifest.items() if key != "model_folder"}
    return {
        **{name: getattr(found, name) for name in schemas.CandidateOut.model_fields},
        "revision": found.revision,
        "created_at": found.created_at,
        "system_prompt_mode": found.system_prompt_mode,
        "sampling": {
            "temperature": found.temperature,
            "top_p": found.top_p,
            "max_tokens": found.max_tokens,
            "stop": found.stop,
        },
        "chat_template": said.get("chat_template"),
        "adapter_of": said.get("adapter_of"),
        "manifest_sha256": _digest(said) if said else None,
    }


def _digest(manifest: dict[str, Any]) -> str:
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()
