"""Accounts from outside: codes by e-mail, passwords, limits, the second factor of staff."""

from __future__ import annotations

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from arena import sessions
from arena.models import Campaign, Participant, User, Vote
from arena.selectors.judgements import Judgements
from arena.services.people import prefer_appearance
from arena.services.votes import cast_vote
from arena.types import TextSize, Theme
from ranking.selectors import load_tally
from ranking.types import Criterion, Outcome
from tests.arena.accounts import (
    ADDRESS,
    LONG,
    by_code,
    check_look,
    code_from,
    confirm,
    signed_up,
)
from tests.arena.builders import make_campaign, make_participant, ready_battle

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


def participant_in(client: Client) -> Participant:
    found = sessions.participant_id(client.session)
    assert found is not None
    return Participant.objects.get(pk=found)


def guest_of(client: Client, campaign: Campaign) -> Participant:
    guest = make_participant(campaign)
    session = client.session
    sessions.remember_participant(session, guest.pk)
    session.save()
    return guest


def voted(participant: Participant) -> Vote:
    battle = ready_battle(participant)
    return cast_vote(
        battle_id=battle.pk,
        participant=participant,
        judgements=Judgements(Outcome.A_BETTER, Outcome.TIE),
    )


def test_an_account_needs_an_address_and_a_code_and_no_password(client: Client, campaign: Campaign) -> None:
    answer = signed_up(client)
    assert answer.headers["Location"] == reverse("me")
    user = User.objects.get()
    assert (user.email, user.has_usable_password()) == (ADDRESS, False)
    assert EmailAddress.objects.get().verified
    assert participant_in(client).user == user
    assert ADDRESS.split("@", maxsplit=1)[0] not in user.username


def test_before_the_code_nobody_is_logged_in(client: Client, campaign: Campaign) -> None:
    client.post(reverse("account_signup"), {"email": ADDRESS, "password1": ""})
    client.post(reverse("account_email_verification_sent"), {"code": "XXXXXX"})
    assert "_auth_user_id" not in client.session
    assert not EmailAddress.objects.get().verified


def test_logging_in_by_code_and_its_mail_is_in_the_visitors_language(
    client: Client, campaign: Campaign
) -> None:
    signed_up(client)
    client.post(reverse("account_logout"))
    assert sessions.participant_id(client.session) is None
    assert by_code(client).headers["Location"] == reverse("me")
    message = mail.outbox[-1]
    assert message.subject == f"Lehia: {code_from(message)} da zure kodea"
    assert "zure kodea" in message.body
    assert message.to == [ADDRESS]


def test_a_password_may_be_long_and_is_kept_by_argon2(client: Client, campaign: Campaign) -> None:
    signed_up(client, password=LONG)
    assert User.objects.get().password.startswith("argon2")
    client.post(reverse("account_logout"))
    answer = client.post(reverse("account_login"), {"login": ADDRESS, "password": LONG})
    assert answer.headers["Location"] == reverse("me")


@pytest.mark.parametrize("password", ["zazpi77", "password1234567"[:8], "12345678"])
def test_a_short_or_common_password_is_refused(client: Client, campaign: Campaign, password: str) -> None:
    answer = client.post(reverse("account_signup"), {"email": ADDRESS, "password1": password})
    assert answer.status_code == 200
    assert not User.objects.exists()


def test_password_managers_find_their_fields(client: Client, campaign: Campaign) -> None:
    login = client.get(reverse("account_login")).content.decode()
    signup = client.get(reverse("account_signup")).content.decode()
    assert re.search(r'<input[^>]*name="login"[^>]*autocomplete="username"', login)
    assert re.search(r'<input[^>]*name="password"[^>]*autocomplete="current-password"', login)
    assert re.search(r'<input[^>]*name="email"[^>]*autocomplete="username"', signup)
    assert re.search(r'<input[^>]*name="password1"[^>]*autocomplete="new-password"', signup)
    assert "maxlength" not in re.findall(r'<input[^>]*name="password1"[^>]*>', signup)[0]


def test_a_forgotten_password_is_set_anew_by_code(client: Client, campaign: Campaign) -> None:
    signed_up(client, password="lehenengo pasahitza")
    client.post(reverse("account_logout"))
    client.post(reverse("account_reset_password"), {"email": ADDRESS})
    client.post(reverse("account_confirm_password_reset_code"), {"code": code_from(mail.outbox[-1])})
    client.post(
        reverse("account_complete_password_reset"),
        {"password1": "bigarren pasahitza", "password2": "bigarren pasahitza"},
    )
    answer = client.post(reverse("account_login"), {"login": ADDRESS, "password": "bigarren pasahitza"})
    assert answer.headers["Location"] == reverse("me")


def test_nobody_learns_who_has_an_account(client: Client, campaign: Campaign) -> None:
    signed_up(client)
    cache.clear()  # a second code for one address has to wait
    asked = [
        Client().post(reverse(name), data).headers.get("Location")
        for address in (ADDRESS, "inor@adibidea.eus")
        for name, data in (
            ("account_signup", {"email": address, "password1": ""}),
            ("account_request_login_code", {"email": address}),
        )
    ]
    assert (
        asked[:2]
        == asked[2:]
        == [
            reverse("account_email_verification_sent"),
            reverse("account_confirm_login_code"),
        ]
    )


def test_attempts_are_limited_across_processes(client: Client, campaign: Campaign) -> None:
    """The counts are in the database: what another process counted holds here too."""
    signed_up(client, password=LONG)
    client.post(reverse("account_logout"))
    wrong = {"login": ADDRESS, "password": "okerra okerra"}
    for _ in range(5):
        Client().post(reverse("account_login"), wrong)
    refused = Client().post(reverse("account_login"), {"login": ADDRESS, "password": LONG})
    assert refused.status_code == 200
    assert "Huts egite gehiegi" in refused.content.decode()


def test_codes_are_limited_per_address(client: Client, campaign: Campaign) -> None:
    signed_up(client)
    client.post(reverse("account_logout"))
    sent = len(mail.outbox)
    answers = [Client().post(reverse("account_request_login_code"), {"email": ADDRESS}) for _ in range(5)]
    assert len(mail.outbox) - sent == 3
    assert [answer.status_code for answer in answers] == [302, 302, 302, 200, 200]
    assert "Huts egite gehiegi" in answers[-1].content.decode()


def test_a_limit_says_what_it_is_for(client: Client, campaign: Campaign) -> None:
    signed_up(client)
    answer = Client().post(reverse("account_signup"), {"email": ADDRESS, "password1": ""})
    assert answer.status_code == 429
    assert "Saiakera gehiegi" in answer.content.decode()


def test_what_a_guest_did_comes_along_to_the_account_and_to_the_board(
    client: Client, campaign: Campaign
) -> None:
    Campaign.objects.update(counts_guests=False)
    vote = voted(guest_of(client, campaign))
    signed_up(client)
    vote.refresh_from_db()
    assert vote.participant == participant_in(client)
    assert load_tally(board_id=campaign.board_id, criterion=Criterion.OVERALL).n_votes == 1
    assert str(vote.battle_id) in client.get(reverse("me")).content.decode()


def test_another_browsers_guest_joins_the_same_account(client: Client, campaign: Campaign) -> None:
    voted(guest_of(client, campaign))
    signed_up(client)
    other = Client()
    voted(guest_of(other, campaign))
    by_code(other)
    assert participant_in(other) == participant_in(client)
    assert participant_in(client).votes.count() == 2
    assert Participant.objects.count() == 1


def test_logging_out_leaves_nothing_to_whoever_comes_next(client: Client, campaign: Campaign) -> None:
    guest_of(client, campaign)
    signed_up(client)
    client.post(reverse("account_logout"))
    by_code_of_another = Client()
    signed_up(client, "miren@adibidea.eus")
    by_code(by_code_of_another)
    assert participant_in(client) != participant_in(by_code_of_another)


def test_the_look_follows_an_account_to_another_browser(client: Client, campaign: Campaign) -> None:
    signed_up(client)
    prefer_appearance(
        participant_id=participant_in(client).pk, theme=Theme.DARK, text_size=TextSize.LARGE, shortcuts=False
    )
    other = Client()
    by_code(other)
    page = other.get(reverse("about")).content.decode()
    assert 'data-theme="dark" data-text-size="large" data-shortcuts="off"' in page


@pytest.mark.parametrize(
    "name",
    [
        "account_login",
        "account_signup",
        "account_request_login_code",
        "account_reset_password",
        "account_inactive",
        "account_password_reset_completed",
        "terms",
        "me",
    ],
)
def test_pages_before_the_login_have_our_look_and_nothing_inline(
    client: Client, campaign: Campaign, name: str
) -> None:
    check_look(client.get(reverse(name)))


@pytest.mark.parametrize(
    "name",
    [
        "account_logout",
        "account_email",
        "account_change_password",
        "account_set_password",
        "mfa_index",
        "mfa_activate_totp",
        "account_reauthenticate",
        "me",
        "delete_me",
    ],
)
def test_pages_after_the_login_too(client: Client, campaign: Campaign, name: str) -> None:
    password = "" if name == "account_set_password" else LONG
    signed_up(client, password=password)
    if name == "mfa_activate_totp":
        confirm(client, password)
    check_look(client.get(reverse(name)))
