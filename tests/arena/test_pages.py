"""The pages as a browser without scripts sees them."""

from __future__ import annotations

import html
import re
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import translation

from arena import consent_text, sessions
from arena.models import Battle, Campaign, Participant, User, Vote
from arena.services import battles
from arena.services.staff import ensure_admin
from inference.models import Candidate, ModelEndpoint
from tests.arena.builders import begin, make_campaign, make_participant, ready_battle

pytestmark = pytest.mark.django_db
VOTE = {"content": "a_better", "language": "tie", "overall": ""}
FETCH = {"X-Requested-With": "fetch"}


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign(candidates=3)


@pytest.fixture
def volunteer(campaign: Campaign) -> Participant:
    return make_participant(campaign)


@pytest.fixture
def browser(client: Client, volunteer: Participant) -> Client:
    return signed_in(client, volunteer)


def signed_in(client: Client, participant: Participant) -> Client:
    session = client.session
    sessions.remember_participant(session, participant.pk)
    session.save()
    return client


def page_of(battle: Battle) -> str:
    return reverse("battle", args=[battle.pk])


def test_the_start_page_is_basque_and_sets_no_name(client: Client, campaign: Campaign) -> None:
    text = client.get("/").content.decode()
    assert 'lang="eu"' in text
    assert "Zer galdetuko zenuke?" in text
    assert f'maxlength="{campaign.max_prompt_chars}"' in text


@pytest.mark.parametrize("address", ["/", "/me/"])
def test_each_language_is_named_in_itself(client: Client, campaign: Campaign, address: str) -> None:
    page = client.get(address).content.decode()
    named = re.findall(r'name="language" value="\w+" lang="\w+"(?: title="([^"]+)")?[^>]*>([^<]+)<', page)
    assert [title or text for title, text in named][-4:] == ["Euskara", "Español", "Français", "English"]


@pytest.mark.parametrize(
    ("language", "text"),
    [("es", "¿Qué preguntarías?"), ("fr", "Que demanderiez-vous\u00a0?"), ("en", "What would you ask?")],
)
def test_the_language_is_switched_and_kept(
    client: Client, campaign: Campaign, language: str, text: str
) -> None:
    client.post(reverse("set_language"), {"language": language, "next": "/"})
    assert text in client.get("/").content.decode()


@pytest.mark.parametrize(
    "name", ["start", "leaderboard", "about", "privacy", "terms", "me", "methodology", "campaigns", "healthz"]
)
def test_every_page_opens_with_a_strict_policy(client: Client, campaign: Campaign, name: str) -> None:
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    "name", ["start", "leaderboard", "about", "privacy", "terms", "me", "methodology", "campaigns"]
)
def test_no_page_has_inline_code_or_asks_a_third_party(client: Client, campaign: Campaign, name: str) -> None:
    text = client.get(reverse(name)).content.decode()
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text)


def test_the_terms_tell_whose_answers_are_published_under_cc0(client: Client, campaign: Campaign) -> None:
    ours, theirs, unlooked = Candidate.objects.order_by("code")
    Candidate.objects.filter(pk=ours.pk).update(outputs_licence="CC0-1.0")
    Candidate.objects.filter(pk=theirs.pk).update(outputs_licence="openai-terms")
    text = client.get(reverse("terms")).content.decode()
    rows = dict(re.findall(r'<th scope="row">([^<]*)</th>(?:<td>[^<]*</td>)*<td>([^<]*)</td></tr>', text))
    assert {name: rows[name] for name in (ours.name, theirs.name, unlooked.name)} == {
        ours.name: "CC0 lizentziarekin argitaratzen dira",
        theirs.name: "ez dira CC0 lizentziarekin argitaratzen: OpenAI enpresaren baldintzak",
        unlooked.name: "ez dira CC0 lizentziarekin argitaratzen: ez da ezagutzen",
    }


def test_the_terms_say_that_there_are_control_battles_and_the_dialog_says_what_is_agreed_to(
    client: Client, campaign: Campaign
) -> None:
    assert "Kontrol-lehiak" in client.get(reverse("terms")).content.decode()
    for page in ("start", "privacy"):
        text = html.unescape(client.get(reverse(page)).content.decode())
        assert [each for each in consent_text.shown_in("eu") if each not in text] == []


def test_consent_makes_a_guest_and_is_remembered(client: Client, campaign: Campaign) -> None:
    answer = client.post("/consent/", {"adult": "on"}, headers={"Accept": "application/json"})
    assert answer.status_code == 204
    assert 'data-consent="yes"' in client.get("/").content.decode()
    assert client.post("/consent/", {"adult": "on"}).status_code == 302


def test_consent_without_the_tick_records_nothing(client: Client, campaign: Campaign) -> None:
    assert client.post("/consent/", {}, headers={"Accept": "application/json"}).status_code == 422
    assert client.post("/consent/", {}).headers["Location"] == "/?consent=needed"
    assert not Participant.objects.exists()


def test_a_ready_battle_shows_the_vote(browser: Client, volunteer: Participant) -> None:
    text = browser.get(page_of(ready_battle(volunteer))).content.decode()
    assert 'data-votable="yes"' in text
    assert "Erantzuna" in text


def test_an_open_battle_names_nobody(browser: Client, volunteer: Participant) -> None:
    for battle in (begin(volunteer).battle, ready_battle(volunteer)):
        answer = browser.get(page_of(battle))
        seen = answer.content.decode() + str(answer.headers) + str(answer.cookies)
        secrets = [
            *Candidate.objects.values_list("code", flat=True),
            *Candidate.objects.values_list("name", flat=True),
            *map(str, Candidate.objects.values_list("pk", flat=True)),
            *map(str, ModelEndpoint.objects.values_list("pk", flat=True)),
            *ModelEndpoint.objects.values_list("model", flat=True),
            *ModelEndpoint.objects.values_list("base_url", flat=True),
            "127.0.0.1:9",
        ]
        assert [secret for secret in secrets if secret in seen] == []


def test_a_battles_page_holds_the_panes_of_the_turn_to_come_as_those_that_are_there(
    browser: Client, volunteer: Participant
) -> None:
    page = browser.get(page_of(ready_battle(volunteer))).content.decode()
    shown, held = page.split("data-turn-template")
    told = re.compile(r'data-pane="(.)" data-sealed="\d+" data-attempt="(\d+)" data-status="(\w+)"')
    assert told.findall(shown) == [("A", "1", "complete"), ("B", "1", "complete")]
    assert told.findall(held) == [("A", "0", "pending"), ("B", "0", "pending")]
    assert 'id="pane-1-A"' in shown
    assert 'id="pane-' not in held


def test_a_vote_is_answered_with_the_reveal(browser: Client, volunteer: Participant) -> None:
    battle = ready_battle(volunteer)
    answer = browser.post(f"{page_of(battle)}vote/", VOTE, headers=FETCH)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert battle.candidate_a.name in text
    assert battle.candidate_b.name in text
    assert battle.candidate_a.name in browser.get(page_of(battle)).content.decode()


def test_without_scripts_a_vote_leads_back_to_the_battle(browser: Client, volunteer: Participant) -> None:
    battle = ready_battle(volunteer)
    answer = browser.post(f"{page_of(battle)}vote/", VOTE)
    assert answer.headers["Location"] == page_of(battle)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"content": ""}, 422),
        ({"content": "c_better"}, 422),
        ({"language": "b_better"}, 422),
        ({"overall": "a_better"}, 422),
    ],
)
def test_a_vote_that_is_none_says_why(
    browser: Client, volunteer: Participant, change: dict[str, str], status: int
) -> None:
    battle = ready_battle(volunteer)
    for headers in (FETCH, {}):
        answer = browser.post(f"{page_of(battle)}vote/", VOTE | change, headers=headers)
        assert answer.status_code == status
    assert not Vote.objects.exists()


def test_a_second_and_an_early_vote_are_refused(browser: Client, volunteer: Participant) -> None:
    early = begin(volunteer).battle
    assert browser.post(f"{page_of(early)}vote/", VOTE, headers=FETCH).status_code == 409
    battle = ready_battle(volunteer)
    browser.post(f"{page_of(battle)}vote/", VOTE, headers=FETCH)
    assert browser.post(f"{page_of(battle)}vote/", VOTE, headers=FETCH).status_code == 200
    other = VOTE | {"content": "b_better"}
    assert browser.post(f"{page_of(battle)}vote/", other, headers=FETCH).status_code == 409
    assert Vote.objects.get().winner == "a_better"


def test_a_forged_transcript_is_ignored(browser: Client, volunteer: Participant) -> None:
    battle = ready_battle(volunteer)
    forged = VOTE | {"text": "forged", "conv_a": "forged", "model_a": "forged", "winner": "model_b"}
    browser.post(f"{page_of(battle)}vote/", forged, headers=FETCH)
    assert Vote.objects.get().winner == "a_better"
    assert {answer.text for turn in battle.turns.all() for answer in turn.answers.all()} == {"Erantzuna"}


def test_a_strangers_battle_does_not_exist(
    client: Client, campaign: Campaign, volunteer: Participant
) -> None:
    battle = ready_battle(volunteer)
    for who in (client, signed_in(client, make_participant(campaign))):
        assert who.get(page_of(battle)).status_code == 404
        assert who.post(f"{page_of(battle)}vote/", VOTE).status_code == 404
        assert who.post(f"{page_of(battle)}abandon/").status_code == 404
    assert client.get(f"/battle/{uuid4()}/").status_code == 404


def test_a_vote_needs_its_token(volunteer: Participant) -> None:
    strict = signed_in(Client(enforce_csrf_checks=True), volunteer)
    battle = ready_battle(volunteer)
    assert strict.post(f"{page_of(battle)}vote/", VOTE, headers=FETCH).status_code == 403


def test_leaving_a_battle_leads_to_the_start(browser: Client, volunteer: Participant) -> None:
    battle = begin(volunteer).battle
    assert browser.post(f"{page_of(battle)}abandon/").headers["Location"] == "/"
    battle.refresh_from_db()
    assert battle.status == "abandoned"


def test_an_unfinished_battle_is_found_again(browser: Client, volunteer: Participant) -> None:
    assert page_of(ready_battle(volunteer)) in browser.get("/").content.decode()


def test_the_board_counts_and_tells_what_is_missing(browser: Client, volunteer: Participant) -> None:
    text = browser.get("/leaderboard/").content.decode()
    assert "Ez dago botorik oraindik" in text
    browser.post(f"{page_of(ready_battle(volunteer))}vote/", VOTE, headers=FETCH)
    for criterion in ("overall", "content", "language"):
        text = browser.get(f"/leaderboard/?criterion={criterion}").content.decode()
        assert "Boto 1 orain arte" in text


@pytest.mark.parametrize("address", ["/leaderboard/nothing/", "/leaderboard/?criterion=style", "/nothing/"])
def test_what_is_not_there_says_so_in_the_visitors_language(
    client: Client, campaign: Campaign, address: str
) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert "Hemen ez dago ezer" in answer.content.decode()


def test_the_first_staff_password_is_made_once_and_never_stored(client: Client) -> None:
    password = ensure_admin()
    assert password
    assert ensure_admin() is None
    assert password not in User.objects.get().password
    assert client.login(username="admin", password=password)


def test_an_account_that_took_the_name_is_not_made_staff(db: None) -> None:
    User.objects.create_user("admin", password="pasahitz-luzea")
    assert ensure_admin() is None
    taken = User.objects.get()
    assert not (taken.is_staff or taken.is_superuser)
    assert taken.check_password("pasahitz-luzea")


def test_the_admin_shows_battles_and_votes_and_changes_none(client: Client, volunteer: Participant) -> None:
    battle = ready_battle(volunteer)
    battles.abandon(participant_id=volunteer.pk, battle_id=begin(volunteer).battle_id)
    client.force_login(User.objects.create_superuser("admin", password="pasahitz-luzea"))
    with translation.override(settings.LANGUAGE_CODE):
        for path in ("battle", "turn", "vote", "participant", "campaign", "user"):
            assert client.get(f"/admin/arena/{path}/").status_code == 200
    page = f"/admin/arena/battle/{battle.pk}/change/"
    assert client.get(page).status_code == 200
    assert client.post(page, {"status": "voted"}).status_code == 403
    assert client.post(f"/admin/arena/battle/{battle.pk}/delete/", {"post": "yes"}).status_code == 403
    assert client.get("/admin/arena/vote/add/").status_code == 403


def test_each_formula_of_the_methodology_has_an_address_of_its_own(
    client: Client, campaign: Campaign
) -> None:
    text = client.get(reverse("methodology")).content.decode()
    linked = re.findall(r'<li><a href="#([a-z]+)">', text)
    assert len(linked) >= 15
    assert linked == re.findall(r'<section id="([a-z]+)"', text)
