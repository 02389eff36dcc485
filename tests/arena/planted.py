"""Somebody who left something of their own in every place where that can be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.mail import EmailMessage, get_connection
from django.db import connection
from django.test import Client
from django.utils import timezone

from arena import sessions
from arena.models import Answer, Battle, Campaign, Finding, Participant, Session, Turn, User
from arena.selectors.judgements import Judgements
from arena.services import doubts, moderation, report_queue, tokens
from arena.services.feedback import Said, add_feedback
from arena.services.judging import give_pair
from arena.services.people import choose_nickname, declare_profile, join_guest, prefer_display
from arena.services.turns import user_of
from arena.services.votes import cast_vote
from arena.types import Display, Education, FeedbackKind, LanguageLevel, ReportReason, Side
from inference.models import UserUsage
from ranking.raters import RaterTest
from ranking.types import Outcome
from tests.arena.builders import begin, complete, finish, make_participant

WORD = "xagu"
"""What everything of theirs holds, in whatever case; each place has a word of its own that begins so."""
ADDRESS = "Xaguposta@adibidea.eus"
SECOND_ADDRESS = "xagubigarrena@adibidea.eus"


@dataclass(frozen=True, slots=True)
class Planted:
    participant: Participant
    user: User
    client: Client
    """Logged in as they are."""
    voted: Battle
    running: Turn
    """Of a battle that is being answered."""
    judge: Participant
    """Somebody else, who was given a copy of the voted battle."""
    staff: User
    token: str
    """The secret of their API token."""


def plant(campaign: Campaign) -> Planted:
    user = User.objects.create_user(
        "Xaguizena", ADDRESS, "xagupasahitza", first_name="Xaguane", last_name="Xagusoro"
    )
    staff = User.objects.create_user("begirale", is_staff=True)
    _account(user, staff)
    own = join_guest(guest_id=make_participant(campaign).pk, user=user)
    declare_profile(participant_id=own.pk, level=LanguageLevel.C, education=Education.BACHELOR)
    prefer_display(participant_id=own.pk, display=Display.UNPACED)
    choose_nickname(participant_id=own.pk, nickname="Xaguezizena")
    own.refresh_from_db()
    voted = _voted(own)
    judge = _judged(voted, campaign, staff)
    running = begin(own, text="Xagubizirik: eta orain?")
    _said_about(voted, own, staff)
    secret = tokens.issue(
        owner=user, name="Xagutokena", scopes=[], expires_at=timezone.now() + timedelta(days=9)
    ).secret
    client = _browsers(user, own)
    doubts.scan_ended()
    return Planted(own, user, client, voted, running, judge, staff, secret)


def _account(user: User, staff: User) -> None:
    address = EmailAddress.objects.create(user=user, email=ADDRESS, verified=True, primary=True)
    EmailAddress.objects.create(user=user, email=SECOND_ADDRESS, verified=False)
    EmailConfirmation.create(address).save()
    Authenticator.objects.create(user=user, type="totp", data={"secret": "xagusekretua"})
    about = [
        (User, user.pk, str(user), ""),
        (EmailAddress, address.pk, str(address), f'[{{"added": "{ADDRESS}"}}]'),
    ]
    for model, key, called, message in about:
        LogEntry.objects.create(
            user=staff,
            content_type=ContentType.objects.get_for_model(model),
            object_id=str(key),
            object_repr=called,
            action_flag=CHANGE if model is User else ADDITION,
            change_message=message,
        )
    post = get_connection("django.core.mail.backends.filebased.EmailBackend", file_path=str(mail_folder()))
    EmailMessage("Lehia", "Xagukodea", to=[ADDRESS], connection=post).send()


def mail_folder() -> Path:
    return Path(settings.LEHIA_DATA) / "mail"


def _voted(own: Participant) -> Battle:
    turn = begin(own, text="Xagugaldera: idatzi 943111222 zenbakira edo 612 345 678 zk.")
    battle = finish(turn, complete(Side.A, "Kaixo, Xaguerantzuna! 612345678"), complete(Side.B))
    Answer.objects.filter(turn=turn).update(reasoning="Xagupentsamendua")
    cast_vote(battle_id=battle.pk, participant=own, judgements=Judgements(Outcome.A_BETTER, Outcome.TIE))
    return battle


def _judged(voted: Battle, campaign: Campaign, staff: User) -> Participant:
    """Somebody else was shown it, and wrote about it."""
    judge = make_participant(campaign)
    pair = give_pair(participant_id=judge.pk, campaign=campaign)
    assert pair.origin == voted
    cast_vote(battle_id=pair.pk, participant=judge, judgements=Judgements(Outcome.TIE, Outcome.TIE))
    _mark(pair, judge, "Xagubesteohar", "Xagubesteberri")
    report_queue.report_battle(
        battle_id=pair.pk, participant_id=judge.pk, reason=ReportReason.OTHER, words="Xagubestesalaketa"
    )
    moderation.leave_note(battle_id=pair.pk, staff=staff, note="Xagubesteakta")
    return judge


def _said_about(voted: Battle, own: Participant, staff: User) -> None:
    _mark(voted, own, "Xaguoharra", "Xaguberria")
    report_queue.report_battle(
        battle_id=voted.pk, participant_id=own.pk, reason=ReportReason.OTHER, words="Xagusalaketa"
    )
    moderation.leave_note(battle_id=voted.pk, staff=staff, note="Xaguakta")
    Finding.objects.create(
        board=voted.campaign.board,
        participant=own,
        test=RaterTest.POSITION.value,
        statistic=1,
        p=1,
        q=1,
        n_votes=1,
    )
    UserUsage.objects.create(user=user_of(own.pk), day=timezone.now().date(), tokens=7)


def _mark(battle: Battle, who: Participant, comment: str, rewrite: str) -> None:
    answer = Answer.objects.filter(turn__battle=battle).order_by("side")[0]
    said = Said(answer.pk, 0, 3, FeedbackKind.OTHER, comment, rewrite)
    add_feedback(battle_id=battle.pk, participant_id=who.pk, said=said)


def _browsers(user: User, own: Participant) -> Client:
    """One that is logged in, and one in which a login was begun."""
    client = Client()
    client.force_login(user)
    session = client.session
    sessions.remember_participant(session, own.pk)
    session["account_authentication_methods"] = [{"method": "code", "email": ADDRESS}]
    session.save()
    begun = Client().session
    begun["account_login"] = {"state": {"login_code": {"email": ADDRESS, "code": "XAGU-KODE"}}}
    begun.save()
    return client


def stored() -> dict[str, set[str]]:
    """Every text, JSON and array of every table in which the word stands, by column; sessions are signed, not encrypted, so they are read."""
    found = {"arena_session.session_data": {str(each.get_decoded()) for each in Session.objects.all()}}
    with connection.cursor() as cursor:
        for table, column in text_columns():
            if (table, column) != ("arena_session", "session_data"):
                cursor.execute(
                    f'SELECT "{column}"::text FROM "{table}" WHERE "{column}"::text ILIKE %s', [f"%{WORD}%"]
                )
                found[f"{table}.{column}"] = {row[0] for row in cursor.fetchall()}
    return {
        place: holding
        for place, texts in found.items()
        if (holding := {each for each in texts if WORD in each.lower()})
    }


def text_columns() -> list[tuple[str, str]]:
    """Of all tables, Django's or not: whatever is no number, truth, time or key."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' AND data_type NOT IN "
            "('bigint', 'integer', 'smallint', 'numeric', 'double precision', 'boolean', 'date', 'timestamp with time zone', 'uuid')"
        )
        return [(table, column) for table, column in cursor.fetchall()]
