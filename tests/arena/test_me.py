"""My page: what it shows, and what can be done there."""

from __future__ import annotations

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from arena import sessions
from arena.models import Battle, Campaign, Participant, User, Vote
from arena.selectors import mine, raffles
from arena.selectors.judgements import Judgements
from arena.services.people import join_guest
from arena.services.votes import cast_vote
from inference.models import Candidate
from ranking.ballots import Ballots
from ranking.types import Outcome
from tests.arena.builders import a_day_passes, begin, finish, make_campaign, make_participant, ready_battle
from tests.arena.crowds import store

A, B, TIE, BAD = Outcome.A_BETTER, Outcome.B_BETTER, Outcome.TIE, Outcome.BOTH_BAD


@pytest.fixture
def campaign(db: None) -> Campaign:
    return make_campaign()


@pytest.fixture
def volunteer(campaign: Campaign) -> Participant:
    return make_participant(campaign)


@pytest.fixture
def browser(client: Client, volunteer: Participant) -> Client:
    session = client.session
    sessions.remember_participant(session, volunteer.pk)
    session.save()
    return client


def vote_on(battle: Battle, outcome: Outcome = A) -> Vote:
    return cast_vote(battle_id=battle.pk, participant=battle.participant, judgements=Judgements(outcome, TIE))


def my_page(browser: Client, query: str = "") -> str:
    answer = browser.get(f"/me/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


# The page


def test_a_stranger_finds_the_way_in_and_the_look(client: Client, campaign: Campaign) -> None:
    page = my_page(client)
    assert reverse("account_signup") in page
    assert 'name="theme"' in page
    assert "/me/delete/" not in page


def test_battles_are_listed_newest_first_and_unfinished_ones_can_go_on(
    browser: Client, volunteer: Participant
) -> None:
    vote = vote_on(ready_battle(volunteer))
    unfinished = finish(begin(volunteer, text="Zergatik da zerua urdina?"))
    page = my_page(browser)
    assert page.index(str(unfinished.pk)) < page.index(str(vote.battle_id))
    assert "Amaitu gabe: jarraitu" in page
    assert "Zergatik da zerua urdina?" in page


def test_only_a_battle_with_its_vote_names_its_models(browser: Client, volunteer: Participant) -> None:
    battle = ready_battle(volunteer)
    names = list(Candidate.objects.values_list("name", flat=True))
    assert not [name for name in names if name in my_page(browser)]
    vote_on(battle)
    page = my_page(browser)
    assert all(name in page for name in (battle.candidate_a.name, battle.candidate_b.name))


def test_long_histories_have_pages(browser: Client, campaign: Campaign, volunteer: Participant) -> None:
    Campaign.objects.update(guest_open_battles=100)
    battles = [ready_battle(volunteer) for _ in range(mine.PER_PAGE + 1)]
    oldest = str(battles[0].pk)
    assert oldest not in my_page(browser)
    assert reverse("my_battles") + "?page=2" in my_page(browser)
    second = browser.get(reverse("my_battles"), {"page": 2}).content.decode()
    assert oldest in second
    assert not [name for name in Candidate.objects.values_list("name", flat=True) if name in second]
    for nowhere in ("?page=3", "?page=0", "?page=x"):
        assert browser.get(f"/me/battles/{nowhere}").status_code == 404


def test_a_stranger_has_no_battles(client: Client, campaign: Campaign) -> None:
    assert client.get(reverse("my_battles")).status_code == 404


def test_nobody_sees_anothers_battles(browser: Client, campaign: Campaign) -> None:
    other = ready_battle(make_participant(campaign))
    assert str(other.pk) not in my_page(browser)


@pytest.mark.parametrize(("credited", "tickets"), [(0, 0), (9, 0), (10, 1), (19, 1), (20, 2), (101, 10)])
def test_ten_credited_votes_are_a_ticket(credited: int, tickets: int) -> None:
    assert raffles.tickets_of(credited) == tickets


def test_votes_that_are_not_credited_give_no_ticket(campaign: Campaign, volunteer: Participant) -> None:
    for n in range(3):
        vote_on(finish(begin(volunteer, text=f"Galdera {n}")))
    Campaign.objects.update(too_fast_ms=60_000)
    vote_on(finish(begin(volunteer, text="Azkar")))
    assert mine.my_standing(volunteer, campaign).credited == 0, "today's votes are told tomorrow"
    a_day_passes()
    standing = mine.my_standing(volunteer, campaign)
    assert (standing.votes, standing.credited) == (4, 3)


# The ranking and the agreement


def crowd_of(campaign: Campaign, n: int = 400) -> None:
    """Many who prefer *ona* to *erdi* to *txar*, each three times in four."""
    rng = np.random.default_rng(3)
    a = rng.integers(0, 3, n)
    b = (a + rng.integers(1, 3, n)) % 3
    right = rng.random(n) < 0.75
    better = np.where((a < b) == right, 0, 1)  # models in the order of their codes: erdi, ona, txar
    strength = np.array([1, 2, 0])
    better = np.where((strength[a] > strength[b]) == right, 0, 1)
    store(Ballots(("erdi", "ona", "txar"), a, b, better, rng.integers(0, 40, n)), campaign=campaign)


def contrarian(campaign: Campaign, n: int) -> Participant:
    """Somebody who preferred *txar* to *ona* every time."""
    ballots = Ballots(("ona", "txar"), np.zeros(n, int), np.ones(n, int), np.ones(n, int), np.zeros(n, int))
    return store(ballots, campaign=campaign)[1][0]


def test_my_ranking_moves_from_the_crowds_to_mine_as_i_vote(campaign: Campaign) -> None:
    crowd_of(campaign)
    gaps = []
    for n in (0, 3, 30):
        who = contrarian(campaign, n) if n else Participant.objects.create()
        standing = mine.my_standing(who, campaign)
        rated = {row.model: row for row in standing.ranking}
        gaps.append(rated["ona"].rating - rated["txar"].rating)
        assert rated["ona"].votes == n
        assert standing.names["ona"] == "ona"
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[0] > 0 > gaps[2]


def test_the_others_are_the_board_without_me(campaign: Campaign) -> None:
    crowd_of(campaign)
    before = {
        row.model: row.crowd for row in mine.my_standing(Participant.objects.create(), campaign).ranking
    }
    me = contrarian(campaign, 200)
    after = {row.model: row.crowd for row in mine.my_standing(me, campaign).ranking}
    assert after == pytest.approx(before)


def test_agreement_counts_preferences_among_models_that_are_rated(campaign: Campaign) -> None:
    crowd_of(campaign)
    assert mine.my_standing(contrarian(campaign, 4), campaign).agreement == mine.Agreement(4, 0)
    n = 4
    ballots = Ballots(
        ("berri", "ona", "txar"),
        np.array([1, 1, 2, 0]),
        np.array([2, 2, 1, 1]),
        np.array([0, 2, 0, 0]),  # with the crowd, a tie, against it, and a model that only the other one met
        np.zeros(n, int),
    )
    me = store(ballots, campaign=campaign)[1][0]
    assert mine.my_standing(me, campaign).agreement == mine.Agreement(2, 1)


def test_without_ratings_there_is_no_ranking_but_a_page(browser: Client, volunteer: Participant) -> None:
    vote_on(ready_battle(volunteer))
    assert "Besteen botoak puntuazioetarako adina" in my_page(browser)


def test_the_page_shows_the_ranking(browser: Client, volunteer: Participant, campaign: Campaign) -> None:
    crowd_of(campaign)
    page = my_page(browser)
    assert all(f'<th scope="row">{name}</th>' in page for name in ("ona", "erdi", "txar"))


# The profile


def reveal_of(browser: Client, battle: Battle) -> str:
    answer = browser.post(
        reverse("vote", args=[battle.pk]),
        {"content": "tie", "language": "tie"},
        headers={"X-Requested-With": "fetch"},
    )
    return answer.content.decode()


def test_who_judges_is_asked_with_the_first_reveal_and_skipped_for_good(
    browser: Client, volunteer: Participant
) -> None:
    battle = ready_battle(volunteer)
    assert "Nork epaitzen du?" in reveal_of(browser, battle)
    page = reverse("battle", args=[battle.pk])
    assert "Nork epaitzen du?" in browser.get(page).content.decode()
    answer = browser.post(reverse("profile"), {"skip": "1", "next": page})
    assert answer.headers["Location"] == page
    assert "Nork epaitzen du?" not in browser.get(page).content.decode()
    assert "Nork epaitzen du?" not in reveal_of(browser, ready_battle(volunteer))


def test_the_answers_are_stored_and_shown_on_my_page(browser: Client, volunteer: Participant) -> None:
    vote = vote_on(ready_battle(volunteer))
    answer = browser.post(reverse("profile"), {"level": "B1-B2", "education": "", "next": "/me/"})
    assert answer.headers["Location"] == "/me/"
    vote.refresh_from_db()
    assert (vote.language_level, vote.education) == ("B1-B2", "")
    page = my_page(browser)
    assert 'value="B1-B2" id="id_level_1" checked' in page.replace("required ", "")
    assert "gaurtik aurrera zure botoekin gordeko da" in page


@pytest.mark.parametrize("data", [{"level": "D1"}, {"education": "PhD"}])
def test_an_answer_that_is_none_is_refused(browser: Client, data: dict[str, str]) -> None:
    assert browser.post(reverse("profile"), data).status_code == 422


def test_the_way_back_leads_nowhere_else(browser: Client) -> None:
    answer = browser.post(reverse("profile"), {"skip": "1", "next": "https://gaiztoa.example/"})
    assert answer.headers["Location"] == "/me/"


# Appearance


def test_the_look_is_kept_in_the_browser_and_with_the_volunteer(
    browser: Client, volunteer: Participant
) -> None:
    browser.post(reverse("prefer_appearance"), {"theme": "dark", "text_size": "larger"})
    page = browser.get("/about/").content.decode()
    assert 'data-theme="dark" data-text-size="larger" data-shortcuts="off"' in page
    assert '<meta name="color-scheme" content="dark">' in page
    volunteer.refresh_from_db()
    assert (volunteer.theme, volunteer.text_size, volunteer.shortcuts) == ("dark", "larger", False)


def test_a_stranger_has_a_look_too_and_nobody_is_made_for_it(client: Client, campaign: Campaign) -> None:
    client.post(reverse("prefer_appearance"), {"theme": "light", "text_size": "normal", "shortcuts": "on"})
    assert 'data-theme="light"' in client.get("/about/").content.decode()
    assert not Participant.objects.exists()


@pytest.mark.parametrize("cookie", ["", "x", "dark", "dark.huge.on", "a.b.c.d", "<script>.large.on"])
def test_a_cookie_that_says_nothing_known_changes_nothing(
    client: Client, campaign: Campaign, cookie: str
) -> None:
    client.cookies["appearance"] = cookie
    assert (
        'data-theme="auto" data-text-size="normal" data-shortcuts="on"'
        in client.get("/about/").content.decode()
    )


def test_the_pace_is_set_on_my_page_and_one_stays_there(browser: Client, volunteer: Participant) -> None:
    answer = browser.post(reverse("prefer_display"), {"display": "unpaced", "next": "/me/"})
    assert answer.headers["Location"] == "/me/"
    volunteer.refresh_from_db()
    assert volunteer.display == "unpaced"


# Consent and deletion


def test_one_button_withdraws_and_one_form_gives_again(browser: Client, volunteer: Participant) -> None:
    vote = vote_on(ready_battle(volunteer))
    assert reverse("withdraw_consent") in my_page(browser)
    browser.post(reverse("withdraw_consent"), follow=True)
    page = my_page(browser)
    assert reverse("withdraw_consent") not in page
    assert "Zure baimenik gabe ez da lehia berririk hasten" in page
    vote.refresh_from_db()
    assert vote.counted
    assert 'name="adult"' in browser.get("/privacy/").content.decode()
    browser.post("/consent/", {"adult": "on"})
    assert reverse("withdraw_consent") in my_page(browser)
    assert begin(volunteer, text="Berriro").index == 1


def test_the_tick_takes_the_votes_along(browser: Client, volunteer: Participant) -> None:
    vote = vote_on(ready_battle(volunteer))
    browser.post(reverse("withdraw_consent"), {"votes": "on"})
    vote.refresh_from_db()
    assert not vote.counted


def test_deleting_needs_the_tick_and_ends_the_session(browser: Client, volunteer: Participant) -> None:
    address = reverse("delete_me")
    assert browser.get(address).status_code == 200
    assert browser.post(address).status_code == 422
    assert Participant.objects.get().erased_at is None
    answer = browser.post(address, {"sure": "on"})
    assert "Ezabatuta zaude" in answer.content.decode()
    assert Participant.objects.get().erased_at is not None
    assert sessions.participant_id(browser.session) is None
    assert browser.get(address).status_code == 404


def test_staff_are_told_that_others_close_their_account(client: Client, campaign: Campaign) -> None:
    user = User.objects.create_user("begirale", is_staff=True)
    own = join_guest(guest_id=None, user=user)
    session = client.session
    sessions.remember_participant(session, own.pk)
    session.save()
    answer = client.post(reverse("delete_me"), {"sure": "on"})
    assert answer.status_code == 403
    assert "beste langile batek ixten ditu" in answer.content.decode()


@pytest.mark.parametrize("name", ["profile", "prefer_appearance", "withdraw_consent", "delete_me"])
def test_what_changes_something_needs_its_token(volunteer: Participant, name: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    session = strict.session
    sessions.remember_participant(session, volunteer.pk)
    session.save()
    assert strict.post(reverse(name), {"sure": "on"}).status_code == 403


@pytest.mark.parametrize("name", ["my_data", "delete_me"])
def test_for_nobody_there_is_nothing(client: Client, campaign: Campaign, name: str) -> None:
    assert client.get(reverse(name)).status_code == 404
