"""A final release sent to the Hugging Face hub, through the hub's own library."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings

from arena.errors import ReleaseRefused
from arena.models import ReleaseEvent, User
from arena.services.release_copies import copy, givable
from arena.types import ReleaseAct, ReleaseState


def push(slug: str, *, repo: str, private: bool = False, by: User | None = None) -> str:
    """Send all files of the release *slug* as one commit to the data set *repo*, made where it is new. Returns the commit's address.

    What is sent is checked against its checksums first. Raises :class:`ReleaseRefused`: not final, no token, no library, or what the hub answered.
    """
    release = givable(slug)
    if release.state != ReleaseState.FINAL.value:
        raise ReleaseRefused(
            f"{slug} is on hold: what is on the hub cannot be taken back, so it goes there once it is final"
        )
    if not settings.HF_TOKEN:
        raise ReleaseRefused("HF_TOKEN holds no token that may write to the hub")
    with tempfile.TemporaryDirectory() as folder:
        copy(slug, folder=Path(folder))
        address = _sent(Path(folder), repo, f"Release {slug}", private=private)
    ReleaseEvent.objects.create(release=release, act=ReleaseAct.PUSHED.value, by=by, about=repo[:200])
    return address


def _sent(folder: Path, repo: str, message: str, *, private: bool) -> str:
    try:
        from huggingface_hub import CommitOperationAdd, HfApi
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ImportError:
        raise ReleaseRefused("the hub's library is not installed: pip install 'lehia[hub]'") from None
    api: Any = HfApi(endpoint=settings.HF_ENDPOINT, token=settings.HF_TOKEN, library_name="lehia")
    additions = [CommitOperationAdd(each.name, str(each)) for each in sorted(folder.iterdir())]
    try:
        api.create_repo(repo, repo_type="dataset", private=private, exist_ok=True)
        sent = api.create_commit(
            repo_id=repo, repo_type="dataset", operations=additions, commit_message=message
        )
    except (HfHubHTTPError, HFValidationError, RuntimeError, OSError) as error:
        raise ReleaseRefused(f"the hub refused: {error}") from None
    return str(sent.commit_url)
