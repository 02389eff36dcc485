"""Votes that were judged by an older rule on texts: judged again, in the ledger and in the tallies, once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from arena.models import Campaign, Exclusion, Participant, Vote
from arena.services import boards, screening
from arena.services.erasure import erase_participant
from arena.services.exclusions import exclude
from arena.services.people import withdraw_consent
from arena.services.screening_again import screen_again
from arena.types import ExclusionSource
from ranking.filters import ExclusionReason
from ranking.selectors import load_tally
from ranking.types import Criterion
from tests.arena.builders import make_campaign, make_participant
from tests.arena.exports.made import voted
from tests.arena.test_screening import LONG_BASQUE, LONG_SPANISH

pytestmark = pytest.mark.django_db
LEAK = "Ni ChatGPT naiz, OpenAIk egindako laguntzailea."


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


@contextmanager
def older_rules(*, say: bool) -> Iterator[None]:
    """Those on texts said this of everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(screening, "TEXT_RULES", {reason: lambda _: say for reason in screening.TEXT_RULES})
        yield


def vote(campaign: Campaign, answer: str, *, judged_then: bool, by: Participant | None = None) -> Vote:
    with older_rules(say=judged_then):
        battle = voted(by or make_participant(campaign), text=LONG_BASQUE, a=answer, b=LONG_BASQUE)
    return Vote.objects.get(battle=battle)


def ledger(of: Vote) -> list[tuple[str, str, bool]]:
    return [
        (each.reason, each.source, each.lifted_at is None)
        for each in Exclusion.objects.filter(vote=of).order_by("reason", "created_at")
    ]


def counts(campaign: Campaign) -> int:
    assert boards.rebuild(board=campaign.board, check=True), "the tally equals its votes"
    return load_tally(board_id=campaign.board_id, criterion=Criterion.OVERALL).n_votes


def test_what_an_older_rule_missed_is_set_aside_and_what_it_misread_counts_again(campaign: Campaign) -> None:
    missed, other = (vote(campaign, answer, judged_then=False) for answer in (LEAK, LONG_SPANISH))
    misread, right = (vote(campaign, LONG_BASQUE, judged_then=then) for then in (True, False))
    before = timezone.now()
    assert counts(campaign) == 3
    dry = screen_again(dry_run=True)
    assert (counts(campaign), Exclusion.objects.count()) == (3, 2), "nothing has changed"
    done = screen_again()
    assert done == dry
    assert (done.votes, done.erased) == (4, 0)
    assert done.added == {"identity_leak": 1, "wrong_language": 1}
    assert done.lifted == {"identity_leak": 1, "wrong_language": 1}
    assert counts(campaign) == 2
    assert ledger(missed) == [("identity_leak", "rule", True)]
    assert ledger(other) == [("wrong_language", "rule", True)]
    assert ledger(misread) == [("identity_leak", "rule", False), ("wrong_language", "rule", False)]
    assert ledger(right) == []
    assert all(each.created_at >= before for each in Exclusion.objects.filter(vote__in=[missed, other]))
    counted = dict(Vote.objects.values_list("pk", "counted"))
    assert counted == {missed.pk: False, other.pk: False, misread.pk: True, right.pk: True}
    assert set(Vote.objects.values_list("credited", flat=True)) == {True}


def test_repeating_it_changes_nothing(campaign: Campaign) -> None:
    vote(campaign, LEAK, judged_then=False)
    vote(campaign, LONG_BASQUE, judged_then=True)
    screen_again()
    rows = list(Exclusion.objects.order_by("pk").values())
    again = screen_again()
    assert (again.votes, again.added, again.lifted) == (2, {}, {})
    assert list(Exclusion.objects.order_by("pk").values()) == rows


def test_only_what_the_rules_said_is_taken_back(campaign: Campaign) -> None:
    by_staff, fast = (vote(campaign, LONG_BASQUE, judged_then=False) for _ in range(2))
    exclude(vote_id=by_staff.pk, reason=ExclusionReason.IDENTITY_LEAK, source=ExclusionSource.STAFF)
    exclude(vote_id=fast.pk, reason=ExclusionReason.TOO_FAST, source=ExclusionSource.RULE)
    done = screen_again()
    assert (done.added, done.lifted, counts(campaign)) == ({}, {}, 0)


def test_a_vote_against_which_something_else_speaks_stays_out_of_the_tally(campaign: Campaign) -> None:
    misread = vote(campaign, LONG_BASQUE, judged_then=True)
    missed = vote(campaign, LEAK, judged_then=False)
    for each in (misread, missed):
        withdraw_consent(participant_id=each.participant_id, takes_votes=True)
    screen_again()
    assert [row for row in ledger(missed) if row[2]] == [
        ("identity_leak", "rule", True),
        ("withdrawn", "volunteer", True),
    ]
    assert [row for row in ledger(misread) if row[2]] == [("withdrawn", "volunteer", True)]
    assert counts(campaign) == 0


def test_erased_texts_are_not_read_and_keep_the_reasons_that_stood(campaign: Campaign) -> None:
    person = make_participant(campaign)
    gone = vote(campaign, LEAK, judged_then=True, by=person)
    erase_participant(participant_id=person.pk)
    stood = ledger(gone)
    done = screen_again()
    assert (done.votes, done.erased) == (0, 1)
    assert ledger(gone) == stood


def test_all_pages_of_votes_are_read(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.services.screening_again._AT_ONCE", 2)
    for _ in range(5):
        vote(campaign, LEAK, judged_then=False)
    assert screen_again().added["identity_leak"] == 5


def test_the_command_says_what_would_change_and_takes_one_board(
    campaign: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    vote(campaign, LEAK, judged_then=False)
    call_command("screen_again", board=campaign.board.slug, dry_run=True)
    assert json.loads(capsys.readouterr().out) == {
        "votes": 1,
        "erased": 0,
        "added": {"identity_leak": 1},
        "lifted": {},
        "dry_run": True,
    }
    assert not Exclusion.objects.exists()
    call_command("screen_again")
    assert json.loads(capsys.readouterr().out)["added"] == {"identity_leak": 1}
    assert Exclusion.objects.count() == 1
    with pytest.raises(CommandError, match="no live board"):
        call_command("screen_again", board="ez-dago")
