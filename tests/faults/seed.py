"""Fills a site of the fault tests, inside Django: candidates, people with sessions, one answered battle to copy.

``python -m tests.faults.seed PEOPLE ADDRESS...``
"""

from __future__ import annotations

import json
import sys

import django


def main(people: int, addresses: list[str]) -> dict[str, object]:
    from arena import sessions
    from arena.models import Battle
    from arena.services.campaigns import ensure_default_campaign
    from arena.session_store import SessionStore
    from inference.models import ModelEndpoint
    from tests.arena.builders import make_candidate, make_participant, ready_battle

    campaign = ensure_default_campaign()
    campaign.too_fast_ms, campaign.control_rate, campaign.votes_per_hour = 0, 0.0, 100_000
    campaign.guest_turns_per_hour = campaign.tokens_per_day = 100_000_000
    campaign.guest_open_battles, campaign.credited_a_day = 30_000, 100_000
    campaign.save()
    for place, address in enumerate(addresses):
        make_candidate(f"hautagai-{place}", base_url=address)
    ModelEndpoint.objects.update(
        max_in_flight=50, connect_s=2.0, first_token_s=6.0, between_tokens_s=4.0, total_s=30.0
    )
    voters = {}
    for _ in range(people):
        participant = make_participant(campaign)
        session = SessionStore()
        sessions.remember_participant(session, participant.pk)
        session.save()
        voters[str(participant.pk)] = session.session_key
    pattern = ready_battle(participant)
    assert pattern.status == "ready"
    Battle.objects.filter(pk=pattern.pk).update(participant=make_participant(campaign))
    return {"pattern": str(pattern.pk), "voters": voters}


if __name__ == "__main__":
    django.setup()
    print(json.dumps(main(int(sys.argv[1]), sys.argv[2:])))
