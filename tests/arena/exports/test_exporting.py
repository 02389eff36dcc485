"""Exports of real votes: what is in them, what is not, and that a repeat is the same to the byte."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import zstandard
from django.core.management import CommandError, call_command
from django.utils import timezone

from arena.exports.files import Format
from arena.exports.layouts import LAYOUTS, Kind
from arena.management.commands.export_preferences import BAD_INPUT
from arena.models import Battle, Campaign, Doubt, Export, Participant, User, Vote
from arena.sanitizing import Decision
from arena.selectors.judgements import Judgements
from arena.services import battles, doubts, exclusions
from arena.services.erasure import erase_participant
from arena.services.feedback import Said, add_feedback
from arena.services.people import withdraw_consent
from arena.services.report_queue import report_battle
from arena.services.votes import cast_vote
from arena.types import ExclusionSource, FeedbackKind, LanguageLevel, ReportReason, Side
from inference.models import Candidate
from inference.types import OutputsLicence
from ranking.ballots import Ballots
from ranking.board import build_board
from ranking.filters import ExclusionReason
from ranking.readers import read_tally
from ranking.selectors import live_board
from ranking.types import Criterion, Outcome
from ranking.verdict import InvalidJudgements, winner
from tests.arena.builders import RUNNER, begin, finish, make_campaign, make_participant
from tests.arena.crowds import store
from tests.arena.exports.made import publishable, voted

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("_a_while_passes")]
WORDS = {
    Outcome.A_BETTER: "model_a",
    Outcome.B_BETTER: "model_b",
    Outcome.TIE: "tie",
    Outcome.BOTH_BAD: "tie",
}


@pytest.fixture
def campaign() -> Campaign:
    campaign = make_campaign(candidates=2)
    publishable(campaign)
    return campaign


def exported(folder: Path, layout: str, form: str = "jsonl", **options: Any) -> tuple[dict[str, Any], bytes]:
    """What the command says, and the file."""
    out = io.StringIO()
    call_command("export_preferences", layout=layout, format=form, output=folder, stdout=out, **options)
    report = json.loads(out.getvalue())
    return report, Path(report["file"]).read_bytes()


def rows(folder: Path, layout: str, **options: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported(folder, layout, **options)[1].splitlines()]


def test_a_vote_is_a_row_of_the_published_schema(campaign: Campaign, tmp_path: Path) -> None:
    battle = voted(make_participant(campaign), text="Nor zara?", a="Ni", b="Zu")
    [row] = rows(tmp_path, "ebaluatoia")
    assert (row["model_a"], row["model_b"]) == (battle.candidate_a.code, battle.candidate_b.code)
    assert [each["content"] for each in row["conv_a"]][-2:] == ["Nor zara?", "Ni"]
    assert row["conv_b"][-1] == {"role": "assistant", "content": "Zu"}
    assert row["timestamp"] == battle.vote.created_at.isoformat(timespec="microseconds")
    assert str(battle.pk) not in json.dumps(row)
    assert str(battle.participant_id) not in json.dumps(row)


def test_each_valid_combination_is_exported_with_its_winner(campaign: Campaign, tmp_path: Path) -> None:
    said = []
    person = make_participant(campaign)
    for content in Outcome:
        for language in Outcome:
            for overall in (None, *Outcome):
                try:
                    winner(content, language, overall)
                except InvalidJudgements:
                    continue
                said.append(Judgements(content, language, overall))
                voted(person, text=f"{len(said)}. galdera", judgements=said[-1])
    found = rows(tmp_path, "ebaluatoia", excluded="keep")
    assert len(found) == len(said) == 22
    assert [(row["winner"], row["winner_content"], row["winner_language"]) for row in found] == [
        (WORDS[each.winner], WORDS[each.content], WORDS[each.language]) for each in said
    ]


@pytest.mark.parametrize(
    ("layout", "form"),
    [*((name, "jsonl") for name in LAYOUTS), *(("lmarena", each.value) for each in Format)],
)
def test_a_repeat_is_the_same_to_the_byte_while_votes_arrive(
    campaign: Campaign, layout: str, form: str, tmp_path: Path
) -> None:
    for number in range(3):
        voted(make_participant(campaign), text=f"{number}. galdera")
    battles.abandon(
        participant_id=(left := finish(begin(make_participant(campaign)))).participant_id, battle_id=left.pk
    )
    cutoff = timezone.now()
    first, bytes_then = exported(tmp_path / "1", layout, form, cutoff=cutoff)
    later = voted(make_participant(campaign), text="geroago")
    exclusions.exclude(vote_id=later.vote.pk, reason=ExclusionReason.RATE, source=ExclusionSource.STAFF)
    again, bytes_now = exported(tmp_path / "2", layout, form, cutoff=cutoff)
    assert bytes_now == bytes_then
    assert first["sha256"] == again["sha256"]
    other, _ = exported(tmp_path / "3", layout, form, cutoff=cutoff, key="beste")
    assert other["rows"] == first["rows"]
    assert (other["sha256"] == first["sha256"]) is (first["rows"] == 0)


def test_all_formats_hold_the_same_rows(campaign: Campaign, tmp_path: Path) -> None:
    voted(make_participant(campaign), a="**Bai** é 日本\n", b='"')
    plain = exported(tmp_path, "lmarena", "jsonl")[1]
    assert gzip.decompress(exported(tmp_path, "lmarena", "jsonl.gz")[1]) == plain
    packed = exported(tmp_path, "lmarena", "jsonl.zst")[1]
    assert zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed)).read() == plain
    table = pq.read_table(io.BytesIO(exported(tmp_path, "lmarena", "parquet")[1]))
    assert table.to_pylist() == [json.loads(line) for line in plain.splitlines()]


def hide(battle: Battle) -> None:
    Battle.objects.filter(pk=battle.pk).update(hidden_at=timezone.now())


def withdraw(battle: Battle) -> None:
    withdraw_consent(participant_id=battle.participant_id, takes_votes=True)


def erase(battle: Battle) -> None:
    erase_participant(participant_id=battle.participant_id)


def report(battle: Battle) -> None:
    report_battle(battle_id=battle.pk, participant_id=battle.participant_id, reason=ReportReason.ABUSE)


def ban(battle: Battle) -> None:
    Participant.objects.filter(pk=battle.participant_id).update(banned_at=timezone.now())


def unlicensed(battle: Battle) -> None:
    Candidate.objects.filter(pk=battle.candidate_b_id).update(outputs_licence=OutputsLicence.LLAMA.value)


@pytest.mark.parametrize("act", [hide, withdraw, erase, report, ban])
def test_what_may_not_be_given_away_is_in_no_layout(
    campaign: Campaign, act: Callable[[Battle], None], tmp_path: Path
) -> None:
    battle = voted(make_participant(campaign), text="kanario-galdera", a="kanario-a", b="kanario-b")
    mark(battle)
    layouts = [name for name, layout in LAYOUTS.items() if layout.kind is Kind.VOTED]
    assert all(rows(tmp_path, name) for name in layouts)
    act(battle)
    assert not any(rows(tmp_path, name) for name in layouts)


def mark(battle: Battle) -> None:
    answer = battle.turns.get().answers.get(side=Side.A.value)
    said = Said(answer.pk, 0, len(answer.text), FeedbackKind.CALQUE)
    add_feedback(battle_id=battle.pk, participant_id=battle.participant_id, said=said)


def test_texts_of_models_that_are_not_under_cc0_stay_unless_they_are_asked_for(
    campaign: Campaign, tmp_path: Path
) -> None:
    unlicensed(voted(make_participant(campaign)))
    assert not rows(tmp_path, "ebaluatoia")
    assert rows(tmp_path, "judgements")  # no texts
    assert rows(tmp_path, "ebaluatoia", any_licence=True)
    told = preview("ebaluatoia")
    assert (told["battles"], told["other_licence"]) == (0, 1)


def preview(layout: str, **options: Any) -> dict[str, Any]:
    out = io.StringIO()
    call_command("export_preferences", layout=layout, preview=True, stdout=out, **options)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_votes_that_do_not_count_are_left_out_or_told_with_the_reason_of_that_day(
    campaign: Campaign, tmp_path: Path
) -> None:
    battle = voted(make_participant(campaign))
    before = timezone.now()
    exclusions.exclude(vote_id=battle.vote.pk, reason=ExclusionReason.RATE, source=ExclusionSource.STAFF)
    assert not rows(tmp_path, "ebaluatoia")
    assert rows(tmp_path, "ebaluatoia", cutoff=before)
    told = rows(tmp_path, "judgements")
    assert all((row["counted"], row["exclusions"]) == (False, ["rate"]) for row in told)
    assert all(row["counted"] for row in rows(tmp_path, "judgements", cutoff=before))


def test_personal_data_is_taken_out_of_all_layouts_but_the_plain_one(
    campaign: Campaign, tmp_path: Path
) -> None:
    battle = voted(
        make_participant(campaign), text="Idatzi kanario@example.com helbidera", a="kanario@example.com"
    )
    mark(battle)
    for name in LAYOUTS:
        assert (b"kanario@" in exported(tmp_path, name)[1]) is (name == "ebaluatoia"), name


def test_what_staff_keep_by_the_cutoff_stays_and_what_they_redact_goes_at_once(
    campaign: Campaign, admin_user: User, tmp_path: Path
) -> None:
    text = "Plaza Berrian 64 arku"
    battle = voted(make_participant(campaign), text=text, a=text)
    doubts.scan_ended()
    before = timezone.now()
    asked, _ = Doubt.objects.filter(turn__battle=battle)
    assert b"[ADDRESS]" in exported(tmp_path, "lmarena")[1]
    doubts.decide(doubt_id=asked.pk, decision=Decision.KEEP, staff=admin_user)
    kept = exported(tmp_path, "lmarena")[1]
    assert (b"Berrian 64" in kept, b"[ADDRESS]" in kept) == (True, False)
    assert b"[ADDRESS]" in exported(tmp_path, "lmarena", cutoff=before)[1]
    now = timezone.now()
    doubts.decide(doubt_id=asked.pk, decision=Decision.REDACT, staff=admin_user)
    assert b"Berrian 64" not in exported(tmp_path, "lmarena", cutoff=now)[1]


def test_an_older_decision_on_a_text_that_is_read_later_leaves_a_repeat_as_it_was(
    campaign: Campaign, admin_user: User, tmp_path: Path
) -> None:
    text = "Plaza Berrian 64 arku"
    voted(make_participant(campaign), text=text)
    doubts.scan_ended()
    doubts.decide(doubt_id=Doubt.objects.get().pk, decision=Decision.KEEP, staff=admin_user)
    voted(make_participant(campaign), text=text)
    cutoff = timezone.now()
    first = exported(tmp_path, "lmarena", cutoff=cutoff)[1]
    doubts.scan_ended()
    assert exported(tmp_path, "lmarena", cutoff=cutoff)[1] == first
    assert b"[ADDRESS]" not in exported(tmp_path, "lmarena")[1]


def test_a_rare_level_is_not_told(campaign: Campaign, tmp_path: Path) -> None:
    for level, how_many in (("C1-C2", 5), ("A1-A2", 1)):
        for _ in range(how_many):
            voted(make_participant(campaign), text=f"{level} {timezone.now()}")
            Vote.objects.filter(language_level="").update(language_level=level)
    told = sorted(row["user_language"] for row in rows(tmp_path, "ebaluatoia"))
    assert told == ["", *["C1-C2"] * 5]


def test_votes_are_chosen_by_the_level_of_who_cast_them(campaign: Campaign, tmp_path: Path) -> None:
    for level in LanguageLevel:
        voted(make_participant(campaign), text=level)
        Vote.objects.filter(language_level="").update(language_level=level)
    [row] = rows(tmp_path, "ebaluatoia", level="B1-B2")
    assert row["conv_a"][-2]["content"] == "B1-B2"


def test_a_side_that_was_replaced_is_told(tmp_path: Path) -> None:
    turn = begin(make_participant(make_campaign(candidates=3)))
    request = battles.replace_side(
        battle_id=turn.battle_id, turn_id=turn.pk, side=Side.B, runner_id=RUNNER, code="connect"
    )
    assert request is not None
    battle = finish(turn)
    judgements = Judgements(Outcome.A_BETTER, Outcome.A_BETTER)
    cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=judgements)
    told = rows(tmp_path, "judgements")
    assert [(row["replaced"], row["model_b"]) for row in told] == [(["B"], battle.candidate_b.code)] * 3


@pytest.mark.parametrize(
    ("layout", "form"),
    [("ebaluatoia", "jsonl.gz"), ("ebaluatoia", "parquet"), ("lmarena", "jsonl"), ("lmarena", "jsonl.zst")],
)
def test_the_ranking_of_the_file_is_the_board(layout: str, form: str, tmp_path: Path) -> None:
    codes = tuple("abc")
    rng = np.random.default_rng(3)
    pairs = np.array([rng.permutation(3)[:2] for _ in range(120)])
    ballots = Ballots(codes, pairs[:, 0], pairs[:, 1], rng.integers(0, 4, 120), np.arange(120) % 20)
    campaign, _ = store(ballots)
    publishable(campaign)
    report, _ = exported(tmp_path, layout, form)
    ours = live_board(board=campaign.board, criterion=Criterion.OVERALL)
    theirs = build_board(read_tally(Path(report["file"])), criterion=Criterion.OVERALL)
    found = {each.model: each.rating for each in theirs.ratings}
    assert len(found) == 3
    assert found == pytest.approx({each.model: each.rating for each in ours.ratings}, abs=1e-6)


def test_who_exported_what_is_noted(campaign: Campaign, tmp_path: Path) -> None:
    voted(make_participant(campaign))
    report, _ = exported(tmp_path, "dpo", campaign=campaign.slug)
    made = Export.objects.get()
    assert (made.layout, made.rows, made.sha256) == ("dpo", report["rows"], report["sha256"])
    assert made.filters["campaign"] == campaign.slug
    assert made.key is not None
    assert made.key.name == "ad-hoc"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"campaign": "ez-dago"}, "no campaign ez-dago"),
        ({"board": "ez-dago"}, "no board ez-dago"),
        ({"cutoff": timezone.now() + timedelta(days=1)}, "cut-off"),
        ({"output": None}, "--output"),
    ],
)
def test_bad_input_says_what_to_do(options: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=words) as caught:
        call_command("export_preferences", layout="dpo", **{"output": tmp_path, **options})
    assert caught.value.returncode == BAD_INPUT
    assert not Export.objects.exists()


def test_a_file_in_the_folder_s_place_is_named_and_stays(campaign: Campaign, tmp_path: Path) -> None:
    taken = tmp_path / "beteta"
    taken.write_text("lehendik")
    with pytest.raises(CommandError, match=f"^{taken}: "):
        exported(taken, "dpo")
    assert taken.read_text() == "lehendik"
    assert not Export.objects.exists()
