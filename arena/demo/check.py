"""``demo --check``: a stack of its own, one battle played as a volunteer would, one JSON object."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.core.management.base import OutputWrapper
from django.db import connection

from arena.demo import models, run
from arena.demo.volunteer import Volunteer
from arena.embedded.ports import free_port
from arena.embedded.supervisor import Supervisor
from arena.models import Battle, Vote
from arena.selectors.campaigns import current_campaign
from arena.services.battles import reveal
from inference.fleet.config import Engine
from inference.models import Candidate
from ranking.selectors import live_board
from ranking.types import Criterion

_OWN = "LEHIA_CHECK"
_A_MOMENT_S = 0.2  # beyond the time below which a vote is too fast to count


def run_in_folder_of_its_own(out: TextIO | OutputWrapper, engine: Engine = Engine.TRANSFORMERS) -> int:
    """The check in a child with a temporary data folder, so that a running demo is left alone.

    The models are those of the usual folder; they are trained there first where they lack.
    """
    if os.environ.get(_OWN):
        return _check(out, engine)
    with tempfile.TemporaryDirectory(prefix="lehia-check-") as folder:
        Path(folder).chmod(0o711)
        env = run.fresh_process_environment(folder) | {_OWN: "1", "LEHIA_LOG_LEVEL": "WARNING"}
        argv = [sys.executable, "manage.py", "demo", "--check", "--models", models.NAMES[engine]]
        child = subprocess.Popen(argv, env=env, cwd=settings.BASE_DIR)
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, lambda number, _frame: child.send_signal(number))
        return child.wait()


def _check(out: TextIO | OutputWrapper, engine: Engine) -> int:
    started = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    layout = run.layout_for(port=free_port(), engine=engine)
    with run.site_up(layout, Supervisor(layout.data)):
        reads_s = current_campaign().too_fast_ms / 1000 + _A_MOMENT_S
        volunteer = Volunteer(layout.address, reads_s=reads_s)
        played = asyncio.run(volunteer.play("Zein da Frantziako hiriburua?", "Eskerrik asko!"))
        report = _report(played)
        connection.close()
    report["seconds"] = round(time.monotonic() - started, 1)
    out.write(json.dumps(report, ensure_ascii=False) + "\n")
    return 0 if report["ok"] else 1


def _report(played: dict[str, Any]) -> dict[str, Any]:
    battle = Battle.objects.select_related("campaign__board").get(pk=played["battle"])
    vote = Vote.objects.get(battle=battle)
    who = reveal(battle)
    board = live_board(board=current_campaign().board, criterion=Criterion.OVERALL)
    turns = [
        {
            "side": answer.side,
            "tokens": answer.completion_tokens,
            "first_token_ms": answer.first_token_ms,
            "finish_reason": answer.finish_reason,
        }
        for turn in battle.turns.prefetch_related("answers")
        for answer in turn.answers.all()
    ]
    ok = board.n_votes == 1 and who.a.name in played["reveal"] and who.b.name in played["reveal"]
    return {
        "ok": ok and all(turn["finish_reason"] for turn in turns),
        "candidates": list(Candidate.objects.values_list("code", flat=True)),
        "battle": {"id": str(battle.pk), "model_a": who.a.code, "model_b": who.b.code, "turns": turns},
        "vote": {"id": str(vote.pk), "winner": vote.winner},
        "board": board.as_json(),
    }
