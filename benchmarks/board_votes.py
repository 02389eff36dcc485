"""A board with any number of votes, filled by the database itself: what :mod:`benchmarks.board_page` looks at.

Twenty candidates of different strength, 100,000 volunteers of all levels, twenty weeks, a question and two answers a battle, two judgements a vote; three
per cent of the votes have something against them.
"""

from __future__ import annotations

from benchmarks.database import run_all

CANDIDATES = 20
VOTERS = 100_000

FILL = """
INSERT INTO arena_participant (id, language_level, education, created_at)
SELECT gen_random_uuid(), (ARRAY['', 'A1-A2', 'B1-B2', 'C1-C2'])[1 + n %% 4], (ARRAY['', 'High School', 'Vocational ed', 'Bachelor'])[1 + n %% 3], now()
FROM generate_series(1, %(voters)s) AS n;

CREATE TEMP TABLE pool AS SELECT id, code, row_number() OVER (ORDER BY code) - 1 AS place FROM inference_candidate;
CREATE TEMP TABLE people AS SELECT id, language_level, education, row_number() OVER () - 1 AS place FROM arena_participant;
CREATE TEMP TABLE drawn AS
SELECT gen_random_uuid() AS battle, gen_random_uuid() AS vote, gen_random_uuid() AS turn, a, b, floor(random() * %(voters)s)::int AS who,
       CASE WHEN luck < 0.15 THEN 'tie' WHEN luck < 0.2 THEN 'both_bad'
            WHEN random() < 1 / (1 + exp((b - a) / 12.0)) THEN 'a_better' ELSE 'b_better' END AS said,
       n %% 33 <> 0 AS counted, n, now() - interval '20 weeks' * (1 - n::float8 / %(votes)s) AS at
FROM (SELECT n, a, (a + 1 + floor(random() * (%(candidates)s - 1))::int) %% %(candidates)s AS b, random() AS luck
      FROM (SELECT n, floor(random() * %(candidates)s)::int AS a FROM generate_series(1, %(votes)s) AS n) AS first) AS second;

INSERT INTO arena_battle (id, campaign_id, participant_id, candidate_a_id, candidate_b_id, status, system_prompt, policy, propensity, draw_seed, created_at)
SELECT d.battle, (SELECT id FROM arena_campaign), p.id, x.id, y.id, 'voted', '', 'uniform', 1.0 / (%(candidates)s * (%(candidates)s - 1)), 1, d.at
FROM drawn d JOIN people p ON p.place = d.who JOIN pool x ON x.place = d.a JOIN pool y ON y.place = d.b;
INSERT INTO arena_turn (id, battle_id, index, text, key, created_at)
SELECT d.turn, d.battle, 1, 'Galdera ' || d.n %% 300000 || repeat(' eta beste bat', (d.n %% 7)::int), gen_random_uuid(), d.at FROM drawn d;
INSERT INTO arena_answer (id, turn_id, side, status, attempt, text, finish_reason, error_code, temperature, top_p, max_tokens, stop, seed, first_token_ms, started_at)
SELECT gen_random_uuid(), d.turn, side, 'complete', 1,
       repeat('Erantzun bat. ', 1 + floor(random() * 20)::int) || repeat(E'\n* **puntua**', floor(random() * 4)::int) || repeat(E'\n## Izenburua', floor(random() * 2)::int),
       'stop', '', 1, 1, 512, '[]', 1, 100 + floor(random() * 900)::int, d.at
FROM drawn d, unnest(ARRAY['A', 'B']) AS side;
INSERT INTO arena_vote (id, battle_id, participant_id, winner, counted, credited, language_level, education, created_at)
SELECT d.vote, d.battle, p.id, d.said, d.counted, true, p.language_level, p.education, d.at FROM drawn d JOIN people p ON p.place = d.who;
INSERT INTO arena_judgement (vote_id, criterion, outcome)
SELECT d.vote, criterion, d.said FROM drawn d, unnest(ARRAY['content', 'language']) AS criterion;
INSERT INTO arena_exclusion (vote_id, reason, source, created_at)
SELECT vote, (ARRAY['too_fast', 'guest', 'rate', 'wrong_language'])[1 + floor(random() * 4)::int], 'rule', at FROM drawn WHERE NOT counted;
INSERT INTO ranking_tallycell (board_id, criterion, model_a, model_b, a_better, b_better, tie, both_bad)
SELECT (SELECT board_id FROM arena_campaign), criterion, x.code, y.code, count(*) FILTER (WHERE said = 'a_better'),
       count(*) FILTER (WHERE said = 'b_better'), count(*) FILTER (WHERE said = 'tie'), count(*) FILTER (WHERE said = 'both_bad')
FROM drawn d JOIN pool x ON x.place = d.a JOIN pool y ON y.place = d.b,
unnest(ARRAY['overall', 'content', 'language']) AS criterion WHERE d.counted GROUP BY criterion, x.code, y.code;
ANALYZE;
"""


def fill(votes: int) -> None:
    """Migrate, make the default campaign and its candidates, and fill their board."""
    from django.core.management import call_command

    from arena.services.campaigns import ensure_default_campaign
    from inference.models import Candidate, ModelEndpoint

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    ensure_default_campaign()
    candidates = Candidate.objects.bulk_create(
        Candidate(code=f"m{place:02}", name=f"M{place:02}") for place in range(CANDIDATES)
    )
    ModelEndpoint.objects.bulk_create(
        ModelEndpoint(candidate=each, base_url="http://nowhere.invalid/v1", model=each.code)
        for each in candidates
    )
    _give_defaults()
    run_all(FILL, {"voters": VOTERS, "candidates": CANDIDATES, "votes": votes})


def _give_defaults() -> None:
    """The database itself fills what the statements do not name, as Django does for the site: a column that comes later needs no change here."""
    from django.db import connection
    from django.db.backends.postgresql.psycopg_any import mogrify

    from arena import models

    filled = (models.Participant, models.Battle, models.Turn, models.Answer, models.Vote)
    with connection.cursor() as cursor:
        for model in filled:
            for field in model._meta.concrete_fields:
                default = field.get_default()
                if isinstance(default, str | int):
                    table, column = (
                        connection.ops.quote_name(each) for each in (model._meta.db_table, str(field.column))
                    )
                    change = f"ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT %s"
                    cursor.execute(mogrify(change, [default], connection))
