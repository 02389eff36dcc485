"""A model's own page, and its address."""

from __future__ import annotations

import csv
import html
import io
import json
import posixpath
from urllib.parse import unquote, urlsplit

import pytest
from django.test import Client
from django.urls import resolve, reverse
from hypothesis import example, given
from hypothesis import strategies as st

from arena.converters import ModelName
from arena.models import Campaign, Vote
from arena.selectors.judgements import Judgements
from arena.services.votes import cast_vote
from inference.models import Candidate
from ranking import reference
from ranking.board import build_board
from ranking.models import Board
from ranking.readers import read_tally
from ranking.services import replace_tally
from ranking.tally import Tally
from ranking.types import BoardKind, Criterion, Outcome
from tests.arena.builders import begin, finish, make_campaign, make_candidate, make_participant, ready_battle
from tests.ranking.builders import make_tally, ring

NAMES = (
    st.text(st.characters(exclude_categories=("C", "Z")) | st.just(" "), min_size=1, max_size=120)
    | st.text("./~% ", min_size=1, max_size=12)
).filter(str.isprintable)


def make_board(tally: Tally, slug: str = "b") -> Board:
    board = Board.objects.create(slug=slug, name="B", kind=BoardKind.IMPORTED.value)
    replace_tally(board=board, tallies={Criterion.OVERALL: tally})
    return board


def called(name: str) -> Tally:
    """Two models, one of that name."""
    return Tally((name, "y"), make_tally("x>y*5", "y>x*3").counts)


def read(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.fixture
def live() -> Campaign:
    """Two candidates with eighteen votes that go both ways, and one without any."""
    campaign = make_campaign(candidates=2)
    volunteer = make_participant(campaign)
    for place in range(18):
        battle = finish(begin(volunteer, text=f"Galdera {place}"))
        content = list(Outcome)[place % 3]
        cast_vote(battle_id=battle.pk, participant=volunteer, judgements=Judgements(content, Outcome.TIE))
    make_candidate("berria", maker="Ezkutua")
    return campaign


@given(NAMES)
@example("..")
@example("a/../b")
@example("//")
@example("~.")
@example("~~/~/.")
@example("HiTZ/Latxa-Llama-3.1-8B")
@example("GPT 4o (2024)? #1 100%")
@example("ñandú 模型")
@example("x" * 120)
def test_every_printable_name_has_an_address_that_leads_back(name: str) -> None:
    path = urlsplit(reverse("model", args=["b", name])).path
    assert path.isascii()
    assert posixpath.normpath(path) + "/" == path  # what browsers and proxies do to it
    found = resolve(unquote(path))
    assert (found.url_name, found.kwargs) == ("model", {"slug": "b", "name": name})


@pytest.mark.parametrize("written", ["", "a//b", "..", "x" * 121, "a\x00b", "a\u2028b", "~x"])
def test_what_is_no_models_address_is_none(written: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        ModelName().to_python(written)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["a b", "HiTZ/x.y", "..", "a//b", "<b>&\"'", "%2F", "ñ?#", "x" * 120])
def test_a_page_answers_under_any_name_and_the_board_and_its_pages_link_it(client: Client, name: str) -> None:
    board = make_board(called(name))
    address = reverse("model", args=[board.slug, name])
    assert "<h1>" in read(client, address)
    for page in (reverse("board", args=[board.slug]), reverse("report", args=[board.slug, "pairs"])):
        assert f'href="{address}?criterion=overall"' in html.unescape(read(client, page))


@pytest.mark.django_db
def test_the_page_holds_the_boards_row_and_every_opponent(client: Client) -> None:
    tally = read_tally(reference.pairs_path())
    board = make_board(tally, reference.BOARD_SLUG)
    address = reverse("model", args=[board.slug, "exp_1_111"])
    whole = json.loads(client.get(address, {"format": "json"}).content)
    row = next(each for each in build_board(tally).ratings if each.model == "exp_1_111")
    (criterion,) = whole["criteria"]
    assert (criterion["criterion"], criterion["rating"]) == ("overall", pytest.approx(row.rating))
    assert (criterion["rank_low"], criterion["rank_high"], criterion["tier"]) == (
        row.rank_low,
        row.rank_high,
        row.tier,
    )
    opponents = whole["opponents"]
    assert len(opponents) == 20
    assert sum(each["battles"] for each in opponents) == row.n == criterion["battles"]
    assert sum(each["wins"] for each in opponents) == row.wins
    for each in opponents:
        assert each["wins"] + each["ties"] + each["losses"] == each["battles"]
        assert each["win_rate"] == pytest.approx((each["wins"] + each["ties"] / 2) / each["battles"])
    # a fit by maximum likelihood gives each model the points that it has
    predicted = sum(each["battles"] * each["predicted"] for each in opponents)
    assert predicted == pytest.approx(row.wins + row.ties / 2, abs=0.01)
    answer = client.get(address, {"format": "csv", "table": "opponents"})
    assert answer["Content-Disposition"].endswith('ebaluatoia-2025-exp_1_111-overall-opponents.csv"')
    assert len(list(csv.reader(io.StringIO(answer.content.decode())))) == 21


@pytest.mark.django_db
def test_a_name_from_outside_stays_out_of_the_files_header(client: Client) -> None:
    name = 'a"; filename="b/ñ'
    board = make_board(called(name))
    answer = client.get(reverse("model", args=[board.slug, name]), {"format": "csv", "table": "opponents"})
    assert answer["Content-Disposition"] == 'attachment; filename="b-a-filename-b--overall-opponents.csv"'


@pytest.mark.django_db
def test_a_live_page_tells_each_criterion_and_who_made_the_model(client: Client, live: Campaign) -> None:
    candidate = Candidate.objects.exclude(code="berria").first()
    assert candidate is not None
    candidate.maker, candidate.licence = "HiTZ", "Llama 3.1"
    candidate.backbone, candidate.training_data = "Llama-3.1-8B", "Latxa corpus"
    candidate.save()
    address = reverse("model", args=[live.board.slug, candidate.code])
    text = read(client, address)
    for said in (candidate.name, "HiTZ", "Llama 3.1", "Llama-3.1-8B", "Latxa corpus"):
        assert said in text
    assert text.count('class="plot ') == 1
    whole = json.loads(client.get(address, {"format": "json", "criterion": "content"}).content)
    assert [each["criterion"] for each in whole["criteria"]] == ["overall", "content", "language"]
    assert [each["battles"] for each in whole["criteria"]] == [18, 18, 18]
    language = whole["criteria"][2]
    assert (language["wins"], language["ties"], language["losses"]) == (0, 18, 0)


@pytest.mark.django_db
def test_a_candidate_without_a_vote_is_not_found_and_nowhere_linked(client: Client, live: Campaign) -> None:
    address = reverse("model", args=[live.board.slug, "berria"])
    answer = client.get(address)
    assert answer.status_code == 404
    assert "Ezkutua" not in answer.content.decode()
    for page in (
        reverse("board", args=[live.board.slug]),
        reverse("report", args=[live.board.slug, "pairs"]),
    ):
        assert address not in read(client, page)


@pytest.mark.django_db
def test_an_open_or_ready_battle_does_not_give_its_candidates_pages(client: Client) -> None:
    campaign = make_campaign()
    battle = ready_battle(make_participant(campaign))
    for candidate in (battle.candidate_a, battle.candidate_b):
        assert client.get(reverse("model", args=[campaign.board.slug, candidate.code])).status_code == 404
    assert not Vote.objects.exists()


@pytest.mark.django_db
def test_a_model_of_another_board_is_not_found_and_neither_is_nobody(client: Client) -> None:
    make_board(ring(3, 5), "one")
    make_board(make_tally("x>y", "y>x"), "two")
    assert client.get(reverse("model", args=["one", "m0"])).status_code == 200
    assert client.get(reverse("model", args=["two", "m0"])).status_code == 404
    assert client.get(reverse("model", args=["none", "m0"])).status_code == 404
    assert client.get(reverse("model", args=["one", "m0"]), {"criterion": "content"}).status_code == 404
    assert client.post(reverse("model", args=["one", "m0"])).status_code == 405


@pytest.mark.django_db
def test_a_model_without_a_rating_says_why_and_has_no_prediction(client: Client) -> None:
    board = make_board(make_tally("x>y*3"))
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    address = reverse("model", args=[board.slug, "x"])
    assert "only wins or only losses" in read(client, address)
    whole = json.loads(client.get(address, {"format": "json"}).content)
    assert whole["criteria"][0]["rating"] is None
    assert (whole["opponents"][0]["win_rate"], whole["opponents"][0]["predicted"]) == (1.0, None)
