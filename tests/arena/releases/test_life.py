"""A release from its draft to the day after: what is taken back goes while it is on hold, and is listed once it is final."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from arena.errors import ReleaseRefused
from arena.models import Battle, Campaign, Doubt, Participant, Release, User
from arena.sanitizing import Decision
from arena.selectors.releases import folder_of
from arena.services import doubts, moderation, releases
from arena.services.erasure import erase_participant
from arena.services.feedback import Said, add_feedback, delete_feedback
from arena.services.people import withdraw_consent
from arena.services.release_copies import copy
from arena.services.release_files import built
from arena.services.report_queue import report_battle
from arena.tasks import keep_releases
from arena.types import FeedbackKind, ReleaseAct, ReleaseState, ReportReason, Side
from tests.arena.builders import make_participant
from tests.arena.exports.made import voted
from tests.arena.releases.made import content, held, over, prepared, rows, told

pytestmark = pytest.mark.django_db


def withdraw(battle: Battle, staff: User) -> None:
    withdraw_consent(participant_id=battle.participant_id, takes_votes=True)


def erase(battle: Battle, staff: User) -> None:
    erase_participant(participant_id=battle.participant_id)


def report(battle: Battle, staff: User) -> None:
    report_battle(battle_id=battle.pk, participant_id=battle.participant_id, reason=ReportReason.ABUSE)


def hide(battle: Battle, staff: User) -> None:
    moderation.hide_battle(battle_id=battle.pk, staff=staff)


def ban(battle: Battle, staff: User) -> None:
    moderation.ban_participant(participant_id=battle.participant_id, staff=staff)


Act = Callable[[Battle, User], None]
ACTS: list[Act] = [withdraw, erase, report, hide, ban]


def two_votes(campaign: Campaign) -> tuple[Battle, Battle]:
    return (
        voted(make_participant(campaign), text="geratzen-dena"),
        voted(make_participant(campaign), text="kanarioa", a="kanarioa-a"),
    )


@pytest.mark.parametrize("act", ACTS)
def test_on_hold_nobody_is_given_what_was_taken_back_and_the_next_files_lack_it(
    campaign: Campaign, admin_user: User, act: Act
) -> None:
    _, battle = two_votes(campaign)
    release = held()
    assert len(rows(release)) == 2
    before = folder_of(release)
    act(battle, admin_user)
    release.refresh_from_db()
    assert release.is_behind
    assert keep_releases() == 1
    release.refresh_from_db()
    assert not release.is_behind
    assert [row["conversation_a"][0]["content"][0]["text"] for row in rows(release)] == ["geratzen-dena"]
    assert told(release)["votes"] == 1
    assert keep_releases() == 0
    assert before != folder_of(release)
    assert [each.act for each in release.events.all()] == ["prepared", "held", "rebuilt"]


def test_what_nobody_told_of_is_found_all_the_same(campaign: Campaign) -> None:
    _, battle = two_votes(campaign)
    release = held()
    Participant.objects.filter(pk=battle.participant_id).update(banned_at=timezone.now())
    assert keep_releases() == 1
    assert len(rows(release)) == 1


def test_what_staff_redact_goes_from_a_release_on_hold(campaign: Campaign, admin_user: User) -> None:
    text = "Plaza Berrian 64 arku"
    voted(make_participant(campaign), text=text)
    doubts.scan_ended()
    doubt = Doubt.objects.get()
    doubts.decide(doubt_id=doubt.pk, decision=Decision.KEEP, staff=admin_user)
    release = held()
    assert "Berrian 64" in json.dumps(rows(release))
    doubts.decide(doubt_id=doubt.pk, decision=Decision.REDACT, staff=admin_user)
    keep_releases()
    assert "Berrian 64" not in json.dumps(rows(release))


def test_a_release_is_final_once_its_hold_is_over_and_not_before(campaign: Campaign) -> None:
    two_votes(campaign)
    release = held()
    assert release.hold_until is not None
    assert release.held_at is not None
    assert (release.hold_until - release.held_at).days == 30
    with pytest.raises(ReleaseRefused):
        releases.finish(release_id=release.pk)
    assert keep_releases() == 0
    first = content(release)
    final = over(release)
    assert (final.state, told(final)["state"]) == ("final", "final")
    for name, text in content(final).items():
        if name in release.contents:
            assert text == first[name]
    with pytest.raises(ReleaseRefused):
        releases.refresh(release_id=release.pk)
    with pytest.raises(ReleaseRefused):
        releases.hold(release_id=release.pk)


def test_the_last_files_lack_what_was_taken_back_until_the_end(campaign: Campaign) -> None:
    _, battle = two_votes(campaign)
    release = held()
    Participant.objects.filter(pk=battle.participant_id).update(banned_at=timezone.now())
    final = over(release)
    assert len(rows(final)) == 1
    assert not final.removals.exists()


@pytest.mark.parametrize("act", ACTS)
def test_what_is_taken_back_of_a_final_release_is_listed_without_content(
    campaign: Campaign, admin_user: User, act: Act, tmp_path: Path
) -> None:
    _, battle = two_votes(campaign)
    release = over(held())
    before = content(release)
    [row] = [row for row in rows(release) if "kanarioa" in json.dumps(row)]
    act(battle, admin_user)
    assert keep_releases() == 1
    assert [str(each.row) for each in release.removals.all()] == [row["id"]]
    assert content(release) == before
    copy(release.slug, folder=tmp_path / "copy")
    [line] = (tmp_path / "copy" / "removals.jsonl").read_text().splitlines()
    assert json.loads(line) == {"id": row["id"], "noted_on": timezone.now().date().isoformat()}
    assert keep_releases() == 0


def test_what_is_shown_again_is_struck_off_the_list(campaign: Campaign, admin_user: User) -> None:
    _, battle = two_votes(campaign)
    release = over(held())
    hide(battle, admin_user)
    keep_releases()
    assert release.removals.count() == 1
    moderation.show_battle(battle_id=battle.pk, staff=admin_user)
    assert keep_releases() == 1
    assert not release.removals.exists()
    assert [each.about for each in release.events.filter(act=ReleaseAct.TAKEN_BACK)] == ["+1 -0", "+0 -1"]


def test_a_mark_that_its_volunteer_removes_is_listed_too(campaign: Campaign) -> None:
    battle = voted(make_participant(campaign), a="Bai horixe")
    answer = battle.turns.get().answers.get(side=Side.A.value)
    said = Said(answer.pk, 0, 3, FeedbackKind.CALQUE)
    mark = add_feedback(battle_id=battle.pk, participant_id=battle.participant_id, said=said)
    release = over(held())
    [row] = rows(release, "spans.jsonl.gz")
    delete_feedback(feedback_id=mark.pk, battle_id=battle.pk, participant_id=battle.participant_id)
    keep_releases()
    assert [str(each.row) for each in release.removals.all()] == [row["id"]]


def test_whoever_is_slower_changes_nothing(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    two_votes(campaign)
    release = held()
    real, calls = built, []

    def slow(*args: object, **kwargs: object) -> object:
        calls.append(1)
        if len(calls) == 1:
            releases.refresh(release_id=release.pk)
        return real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(releases, "built", slow)
    with pytest.raises(ReleaseRefused, match="meanwhile"):
        releases.refresh(release_id=release.pk)
    assert len(rows(release)) == 2
    assert len(list((folder_of(release).parent).iterdir())) <= 2


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Something happens once, after the rows are read and before they are given away."""
    real, calls = built, list[int]()

    @contextmanager
    def slow(*args: Any, **kwargs: Any) -> Iterator[Any]:
        with real(*args, **kwargs) as made:
            if not calls:
                calls.append(1)
                act()
            yield made

    monkeypatch.setattr(releases, "built", slow)


def test_what_is_taken_back_while_the_first_files_are_made_is_given_to_nobody(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, admin_user: User
) -> None:
    _, battle = two_votes(campaign)
    meanwhile(monkeypatch, lambda: withdraw(battle, admin_user))
    release = held()
    assert release.is_behind
    assert keep_releases() == 1
    release.refresh_from_db()
    assert not release.is_behind
    assert len(rows(release)) == 1


def test_what_is_taken_back_while_the_last_files_are_made_does_not_become_final(
    campaign: Campaign, monkeypatch: pytest.MonkeyPatch, admin_user: User
) -> None:
    _, battle = two_votes(campaign)
    release = held()
    meanwhile(monkeypatch, lambda: withdraw(battle, admin_user))
    assert over(release).state == ReleaseState.HELD.value
    assert release.is_behind
    assert keep_releases() == 1
    release.refresh_from_db()
    assert release.state == ReleaseState.FINAL.value
    assert len(rows(release)) == 1
    assert not release.removals.exists()


def test_one_release_that_fails_holds_up_no_other(campaign: Campaign) -> None:
    two_votes(campaign)
    broken, sound = held("hautsia"), held("osoa")
    for path in folder_of(broken).iterdir():
        path.unlink()
    over(sound)
    assert Release.objects.get(pk=sound.pk).state == ReleaseState.FINAL.value
    assert Release.objects.get(pk=broken.pk).state == ReleaseState.HELD.value


def test_a_draft_has_no_files_and_beat_leaves_it(campaign: Campaign) -> None:
    draft = prepared()
    assert keep_releases() == 0
    assert not draft.files.exists()
