"""What :mod:`benchmarks.export` exports: :mod:`benchmarks.board_votes` with a second turn, and battles that wait for a vote."""

from __future__ import annotations

from pathlib import Path

from benchmarks.board_votes import fill
from benchmarks.database import run_all

READY = 20_000

STATEMENTS = """
INSERT INTO arena_turn (id, battle_id, index, text, key, created_at)
SELECT gen_random_uuid(), battle_id, 2, 'Eta gero? ' || text, gen_random_uuid(), created_at FROM arena_turn;
INSERT INTO arena_answer (id, turn_id, side, status, attempt, text, finish_reason, error_code, temperature, top_p, max_tokens, stop, seed, first_token_ms, started_at)
SELECT gen_random_uuid(), t.id, side, 'complete', 1, repeat('Beste bat. ', 1 + t.index * 7), 'stop', '', 1, 1, 512, '[]', 1, 100, t.created_at
FROM arena_turn t, unnest(ARRAY['A', 'B']) AS side WHERE t.index = 2;
UPDATE inference_candidate SET outputs_licence = 'CC0-1.0';
INSERT INTO arena_battle (id, campaign_id, participant_id, candidate_a_id, candidate_b_id, status, system_prompt, policy, propensity, draw_seed, created_at)
SELECT gen_random_uuid(), campaign_id, participant_id, candidate_a_id, candidate_b_id, 'ready', '', policy, propensity, 1, now() FROM arena_battle LIMIT %(ready)s;
INSERT INTO arena_turn (id, battle_id, index, text, key, created_at)
SELECT gen_random_uuid(), id, 1, 'Berria ' || id, gen_random_uuid(), created_at FROM arena_battle WHERE status = 'ready';
INSERT INTO arena_answer (id, turn_id, side, status, attempt, text, finish_reason, error_code, temperature, top_p, max_tokens, stop, seed, first_token_ms, started_at)
SELECT gen_random_uuid(), t.id, side, 'complete', 1, 'Erantzun bat euskaraz.', 'stop', '', 1, 1, 512, '[]', 1, 100, t.created_at
FROM arena_turn t JOIN arena_battle b ON b.id = t.battle_id, unnest(ARRAY['A', 'B']) AS side WHERE b.status = 'ready';
ANALYZE;
"""


def fill_once(votes: int, folder: Path) -> None:
    """Unless an earlier run did so in that folder."""
    from django.core.management import call_command

    done = folder / f"filled-{votes}"
    if done.exists():
        call_command("migrate", verbosity=0)
        return
    fill(votes)
    run_all(STATEMENTS, {"ready": min(votes, READY)})
    done.touch()
