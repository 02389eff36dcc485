"""``python -m benchmarks.board_page``: how long a board's page takes with a million votes in the database. A table, then one line of JSON.

A PostgreSQL of its own in a temporary folder is filled by the database itself: 20 candidates, 100,000 volunteers, two judgements a vote. Pages are asked
in this process, without a network.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import tempfile
import time
from pathlib import Path

CANDIDATES = 20
VOTERS = 100_000

FILL = """
INSERT INTO arena_participant (id, language_level, education, created_at)
SELECT gen_random_uuid(), '', '', now() FROM generate_series(1, %(voters)s);

CREATE TEMP TABLE pool AS SELECT id, row_number() OVER (ORDER BY code) - 1 AS place FROM inference_candidate;
CREATE TEMP TABLE people AS SELECT id, row_number() OVER () - 1 AS place FROM arena_participant;
CREATE TEMP TABLE drawn AS
SELECT gen_random_uuid() AS battle, gen_random_uuid() AS vote, a, (a + 1 + floor(random() * (%(candidates)s - 1))::int) %% %(candidates)s AS b,
       floor(random() * %(voters)s)::int AS who, (ARRAY['a_better', 'b_better', 'tie', 'both_bad'])[1 + floor(random() * 4)::int] AS said
FROM (SELECT floor(random() * %(candidates)s)::int AS a FROM generate_series(1, %(votes)s)) AS first;

INSERT INTO arena_battle (id, campaign_id, participant_id, candidate_a_id, candidate_b_id, status, system_prompt, policy, propensity, draw_seed, created_at)
SELECT d.battle, (SELECT id FROM arena_campaign), p.id, x.id, y.id, 'voted', '', 'uniform', 0.01, 1, now()
FROM drawn d JOIN people p ON p.place = d.who JOIN pool x ON x.place = d.a JOIN pool y ON y.place = d.b;
INSERT INTO arena_vote (id, battle_id, participant_id, winner, counted, credited, language_level, education, created_at)
SELECT d.vote, d.battle, p.id, d.said, true, true, '', '', now() FROM drawn d JOIN people p ON p.place = d.who;
INSERT INTO arena_judgement (vote_id, criterion, outcome)
SELECT d.vote, criterion, d.said FROM drawn d, unnest(ARRAY['content', 'language']) AS criterion;
INSERT INTO ranking_tallycell (board_id, criterion, model_a, model_b, a_better, b_better, tie, both_bad)
SELECT (SELECT board_id FROM arena_campaign), criterion, x.code, y.code, count(*) FILTER (WHERE said = 'a_better'),
       count(*) FILTER (WHERE said = 'b_better'), count(*) FILTER (WHERE said = 'tie'), count(*) FILTER (WHERE said = 'both_bad')
FROM drawn d JOIN pool p ON p.place = d.a JOIN pool q ON q.place = d.b
JOIN inference_candidate x ON x.id = p.id JOIN inference_candidate y ON y.id = q.id,
unnest(ARRAY['overall', 'content', 'language']) AS criterion GROUP BY criterion, x.code, y.code;
ANALYZE;
"""


def fill(votes: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    from arena.services.campaigns import ensure_default_campaign
    from inference.models import Candidate

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    ensure_default_campaign()
    Candidate.objects.bulk_create(
        Candidate(code=f"m{place:02}", name=f"M{place:02}") for place in range(CANDIDATES)
    )
    figures = {"voters": VOTERS, "candidates": CANDIDATES, "votes": votes}
    with connection.cursor() as cursor:
        for statement in FILL.split(";\n"):
            if statement.strip():
                cursor.execute(statement, figures)


def timed(address: str, runs: int) -> dict[str, float]:
    """Milliseconds of one page: median and 95th percentile."""
    from django.test import Client

    client = Client()
    client.get(address)  # templates are compiled once a process
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        answer = client.get(address)
        taken.append(1000 * (time.perf_counter() - began))
        if answer.status_code != 200:
            raise SystemExit(f"{address} answered {answer.status_code}")
    return {
        "median_ms": round(statistics.median(taken), 1),
        "p95_ms": round(statistics.quantiles(taken, n=20)[-1], 1),
    }


def publishing() -> dict[str, float]:
    """Milliseconds to publish all three criteria from single votes: what beat does in the background."""
    from arena.services import boards

    began = time.perf_counter()
    boards.publish_moved()
    return {"median_ms": round(1000 * (time.perf_counter() - began), 1)}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.board_page", description=__doc__)
    parser.add_argument("--votes", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=60)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="lehia-p-") as folder:
        Path(folder).chmod(0o711)
        os.environ |= {"LEHIA_DATA": folder, "DJANGO_SETTINGS_MODULE": "arena.settings"}
        os.environ |= {"LEHIA_HOSTS": "testserver", "LEHIA_LOG_LEVEL": "WARNING"}
        import django

        from arena.embedded import postgres

        with postgres.running(Path(folder)):
            django.setup()
            fill(options.votes)
            rows = [
                {"case": page, "who": "lehia", **timed(page, options.runs)}
                for page in ("/leaderboard/", "/leaderboard/?criterion=content", "/leaderboard/lehia/pairs/")
            ]
            rows.append({"case": "publish three criteria", "who": "lehia", **publishing()})
            rows.append(
                {"case": "/leaderboard/, published", "who": "lehia", **timed("/leaderboard/", options.runs)}
            )
            from django.db import connection

            connection.close()
    for row in rows:
        print(f"{row['case']:<34} median {row['median_ms']:>9} ms   p95 {row.get('p95_ms', ''):>9}")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(json.dumps({"bench": "board_page", "machine": machine, "votes": options.votes, "rows": rows}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
