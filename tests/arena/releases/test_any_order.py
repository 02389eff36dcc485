"""The life of a release under random sequences of what staff, volunteers and time do, on the real services, database and files.

Whatever comes in whatever order: nobody is given a row that was taken back, a final release holds none of before its end, never changes, and lists what is
taken back later by its ids alone; nothing goes to the hub before.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pytest_django.fixtures import Settings

from arena.errors import ReleaseRefused
from arena.models import Battle, Campaign, Release, User
from arena.selectors.releases import folder_of, removal_lines
from arena.services import moderation, releases
from arena.services.erasure import erase_participant
from arena.services.people import withdraw_consent
from arena.services.release_copies import copy
from arena.services.release_push import push
from arena.services.report_queue import dismiss, report_battle
from arena.types import ReleaseState, ReportReason
from tests.arena.builders import make_participant
from tests.arena.exports.made import voted
from tests.arena.releases.hub import Hub, hub
from tests.arena.releases.made import planned

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")]
VOTES = 3
WHICH = st.integers(0, VOTES - 1)
CONTENTS = ("lmarena.jsonl", "judgements.jsonl")
ORDER = re.compile(r"prepared( held( rebuilt)*( finished( taken_back| pushed)*)?)?")


class Life(RuleBasedStateMachine):
    """One release of a few votes, each of another person; what it did to the database is taken back at its end."""

    campaign: Campaign
    battles: tuple[Battle, ...]
    staff: User
    hub: Hub

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.hub.files.clear()
        self.release = releases.prepare(planned(contents=CONTENTS, cutoff=timezone.now()))
        self.against: dict[int, set[str]] = {which: set() for which in range(VOTES)}
        self.promised: dict[str, str] = {}
        self.held_then: set[str] = set()
        self.is_over = False

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    @rule()
    def begin_the_hold(self) -> None:
        self.moves(lambda: releases.hold(release_id=self.release.pk), ReleaseState.DRAFT)

    @rule()
    def make_anew(self) -> None:
        self.moves(lambda: releases.refresh(release_id=self.release.pk), ReleaseState.HELD)

    @rule()
    def end_the_hold(self) -> None:
        may = ReleaseState.HELD if self.is_over else None
        self.moves(lambda: releases.finish(release_id=self.release.pk), may)

    @precondition(lambda self: self.state is ReleaseState.HELD)
    @rule()
    def the_days_pass(self) -> None:
        Release.objects.update(hold_until=timezone.now())
        self.is_over = True

    @rule()
    def beat_comes_by(self) -> None:
        releases.keep()
        self.note_the_end()
        found = self.found()
        assert not found.is_behind
        if self.state is ReleaseState.HELD:
            assert not self.is_over
        if self.state is ReleaseState.FINAL:
            self.the_list_is_what_was_taken_back_since()

    @rule()
    def send_it_to_the_hub(self) -> None:
        self.moves(lambda: push(self.release.slug, repo="lehia/datuak"), ReleaseState.FINAL)
        sent = {name: _digest(text) for name, text in self.hub.files.items() if name != "removals.jsonl"}
        assert sent in ({}, self.promised)

    @rule()
    def somebody_drops_it(self) -> None:
        if self.state is not ReleaseState.DRAFT:
            self.moves(lambda: releases.drop_draft(release_id=self.release.pk), None)

    @rule(which=WHICH, erased=st.booleans())
    def somebody_leaves(self, which: int, erased: bool) -> None:
        person = self.battles[which].participant_id
        if "erased" in self.against[which]:
            return
        if erased:
            erase_participant(participant_id=person)
        else:
            withdraw_consent(participant_id=person, takes_votes=True)
        self.against[which].add("erased" if erased else "withdrawn")

    @rule(which=WHICH, again=st.booleans())
    def staff_hide_or_show(self, which: int, again: bool) -> None:
        deed = moderation.show_battle if again else moderation.hide_battle
        deed(battle_id=self.battles[which].pk, staff=self.staff)
        self.change(which, "hidden", lifted=again)

    @rule(which=WHICH, again=st.booleans())
    def staff_ban_or_let_in(self, which: int, again: bool) -> None:
        deed = moderation.unban_participant if again else moderation.ban_participant
        deed(participant_id=self.battles[which].participant_id, staff=self.staff)
        self.change(which, "banned", lifted=again)

    @rule(which=WHICH)
    def somebody_reports_and_it_comes_to_nothing(self, which: int) -> None:
        if self.against[which]:
            return
        battle = self.battles[which]
        report = report_battle(
            battle_id=battle.pk, participant_id=battle.participant_id, reason=ReportReason.ABUSE
        )
        assert self.found().is_behind or self.state is not ReleaseState.HELD
        dismiss(report_id=report.pk, staff=self.staff)

    @rule()
    def somebody_votes_later(self) -> None:
        voted(make_participant(self.campaign), text="geroagokoa")

    @invariant()
    def nobody_is_given_what_was_taken_back(self) -> None:
        """But of a final release, which is as it was."""
        if self.state is not ReleaseState.HELD:
            return
        if self.found().is_behind:
            with pytest.raises(ReleaseRefused, match="made anew"):
                copy(self.release.slug, folder=folder_of(self.found()) / "given")
            return
        assert self.texts() <= self.standing()

    @invariant()
    def a_draft_has_no_files(self) -> None:
        if self.state is ReleaseState.DRAFT:
            assert not self.found().files.exists()

    @invariant()
    def what_is_final_stays(self) -> None:
        if self.state is not ReleaseState.FINAL:
            return
        found = self.found()
        assert dict(found.files.values_list("name", "sha256")) == self.promised
        lies = {each.name: _digest(each.read_bytes()) for each in folder_of(found).iterdir()}
        assert {name: lies[name] for name in self.promised} == self.promised
        assert self.texts() == self.held_then

    @invariant()
    def acts_are_in_their_order(self) -> None:
        assert ORDER.fullmatch(" ".join(each.act for each in self.found().events.all()))

    def the_list_is_what_was_taken_back_since(self) -> None:
        gone = self.held_then - self.standing()
        ids = {row["id"] for row in self.rows() if _text(row) in gone}
        said = [json.loads(line) for line in removal_lines(self.found())]
        assert {each["id"] for each in said} == ids
        assert all(set(each) == {"id", "noted_on"} for each in said)

    def moves(self, act: Callable[[], object], only: ReleaseState | None) -> None:
        """It is let through in that state alone; a refusal has changed nothing."""
        before, state = self.stored(), self.state
        try:
            with transaction.atomic():
                act()
        except ReleaseRefused:
            assert state is not only
            assert self.stored() == before
        else:
            assert state is only
        self.note_the_end()

    def note_the_end(self) -> None:
        """What was promised by the release that has become final, and that it holds what stands, all of it and nothing else."""
        if self.state is ReleaseState.FINAL and not self.promised:
            self.promised = dict(self.found().files.values_list("name", "sha256"))
            self.held_then = self.texts()
            assert self.held_then == self.standing()

    def change(self, which: int, word: str, *, lifted: bool) -> None:
        (self.against[which].discard if lifted else self.against[which].add)(word)

    def standing(self) -> set[str]:
        return {f"{which}. galdera" for which, words in self.against.items() if not words}

    def found(self) -> Release:
        return Release.objects.get(pk=self.release.pk)

    @property
    def state(self) -> ReleaseState:
        return ReleaseState(self.found().state)

    def stored(self) -> list[Any]:
        found = self.found()
        return [
            Release.objects.values().get(pk=found.pk),
            list(found.files.order_by("name").values()),
            list(found.events.values()),
        ]

    def rows(self) -> list[dict[str, Any]]:
        lines = (folder_of(self.found()) / CONTENTS[0]).read_text().splitlines()
        return [json.loads(line) for line in lines]

    def texts(self) -> set[str]:
        return {_text(row) for row in self.rows()}


def _text(row: dict[str, Any]) -> str:
    text: str = row["conversation_a"][0]["content"][0]["text"]
    return text


def _digest(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()


@pytest.fixture
def _hub(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    with hub("hf_proba") as Life.hub:
        settings.HF_ENDPOINT, settings.HF_TOKEN = Life.hub.address, Life.hub.token
        yield


@pytest.fixture
def _votes(campaign: Campaign, admin_user: User) -> None:
    people = [make_participant(campaign) for _ in range(VOTES)]
    Life.campaign, Life.staff = campaign, admin_user
    Life.battles = tuple(voted(person, text=f"{which}. galdera") for which, person in enumerate(people))


def _live(lives: int, steps: int) -> None:
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=lives,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.usefixtures("_hub", "_votes")
def test_releases_keep_their_promises_in_any_order() -> None:
    _live(lives=12, steps=12)


@pytest.mark.slow
@pytest.mark.usefixtures("_hub", "_votes")
def test_many_releases_keep_their_promises() -> None:
    _live(lives=300, steps=25)
