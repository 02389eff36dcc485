"""What is written in which language: texts, stored rows, and the boards' Basque adherence."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from arena import tasks
from arena.models import Answer, Campaign, Turn
from arena.numbers.material import Votes, material_of
from arena.reports import basque
from arena.selectors.languages import answers_to_basque
from arena.services import boards
from arena.services.languages import measure_languages
from arena.types import Side
from ranking.ballots import Ballots
from ranking.filters import ExclusionReason
from ranking.models import Board
from ranking.proportions import clustered_share
from ranking.tables import Value
from tests.arena.boards import published_source
from tests.arena.builders import begin, complete, failed, finish, make_campaign, make_participant
from tests.arena.crowds import Told, store

BASQUE = "Gaur eguraldi ederra dago, eta mendira joan nahi dugu lagunekin."
SPANISH = "Hoy hace muy buen tiempo y queremos ir al monte con los amigos."
ENGLISH = "The weather is lovely today and we would like to go hiking."
FRENCH = "Il fait très beau aujourd'hui et nous voulons aller à la montagne."


@pytest.mark.django_db
def test_messages_and_complete_answers_are_measured_once_after_they_are_stored() -> None:
    volunteer = make_participant(make_campaign())
    battle = finish(begin(volunteer, text=BASQUE), complete(Side.A, SPANISH), failed(Side.B))
    assert Turn.objects.get().language == ""
    assert tasks.measure_languages() == 2
    assert measure_languages() == 0
    turn, spanish = Turn.objects.get(), Answer.objects.get(side="A")
    assert (turn.language, turn.basque_share) == ("eu", 1.0)
    assert (spanish.language, spanish.basque_share) == ("es", 0.0)
    assert Answer.objects.get(side="B").language == ""
    assert battle.turns.count() == 1


@pytest.mark.django_db
def test_no_more_is_measured_at_once_than_asked_and_the_oldest_comes_first() -> None:
    store(Ballots(("x", "y"), *(np.zeros(5, int), np.ones(5, int), np.zeros(5, int), np.zeros(5, int))))
    assert measure_languages(at_most=4) == 4
    assert list(Turn.objects.order_by("created_at").values_list("language", flat=True))[:4].count("") == 0
    assert measure_languages(at_most=4) == 4
    assert measure_languages() == 15 - 8


@pytest.mark.django_db
def test_measuring_takes_few_queries_where_texts_agree() -> None:
    store(Ballots(("x", "y"), *(np.zeros(50, int), np.ones(50, int), np.zeros(50, int), np.zeros(50, int))))
    with CaptureQueriesContext(connection) as asked:
        assert measure_languages() == 150
    assert len(asked) <= 4


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("language", "share"), [("eu", None), ("und", 0.5), ("", 0.5), ("de", 0.5), ("eu", 1.5)]
)
def test_the_database_refuses_a_language_that_does_not_go_with_its_share(
    language: str, share: float | None
) -> None:
    begin(make_participant(make_campaign()))
    for kind in (Turn, Answer):
        with pytest.raises(IntegrityError), transaction.atomic():
            kind.objects.update(language=language, basque_share=share)


def crowd(told: Callable[[int], Told], *, n: int = 30, reasons: tuple[ExclusionReason, ...] = ()) -> Campaign:
    """Votes of six volunteers on x and y, the two sides in turn."""
    a = np.arange(n) % 2
    return store(
        Ballots(("x", "y"), a, 1 - a, np.arange(n) % 4, np.arange(n) // (n // 6)), told=told, reasons=reasons
    )[0]


def y_answers_spanish(at: int) -> Told:
    """x answers in Basque always, y every third time in Spanish, on whichever side it stands."""
    y = SPANISH if at % 3 == 0 else BASQUE
    return Told((BASQUE,), *((BASQUE, y) if at % 2 == 0 else (y, BASQUE)))


def rows(board: Board, table: str) -> list[dict[str, Value]]:
    report = basque.build(published_source(board))
    return next(section.table.as_json() for section in report.sections if section.table.name == table)


@pytest.mark.django_db
def test_adherence_is_each_models_share_of_answers_in_basque_with_its_interval() -> None:
    x, y = rows(crowd(y_answers_spanish).board, "adherence")
    assert (x["model"], x["answers"], x["in_basque"], x["adherence"], x["basque_letters"]) == (
        "x",
        30,
        30,
        1.0,
        1.0,
    )
    assert (y["model"], y["answers"], y["in_basque"]) == ("y", 30, 20)
    hits = [sum(at % 3 > 0 for at in range(start, start + 5)) for start in range(0, 30, 5)]
    wanted = clustered_share(np.array(hits), np.full(6, 5))
    assert (y["adherence"], y["adherence_low"], y["adherence_high"]) == (
        wanted.share,
        wanted.low,
        wanted.high,
    )
    assert isinstance(x["adherence_low"], float) and 0.8 < x["adherence_low"] < 1


@pytest.mark.django_db
def test_answers_to_other_languages_are_not_asked_of_and_short_ones_not_told() -> None:
    def told(at: int) -> Told:
        return Told((SPANISH if at < 12 else BASQUE,), SPANISH if at < 12 else "42", BASQUE)

    x, y = sorted(rows(crowd(told).board, "languages"), key=lambda row: str(row["model"]))
    assert x["in_es"] == y["in_es"] == 0
    assert (x["in_eu"], x["untold"], y["in_eu"], y["untold"]) == (9, 9, 9, 9)


@pytest.mark.django_db
def test_answers_whose_votes_do_not_count_are_in_it_too_or_it_would_flatter() -> None:
    campaign = crowd(lambda at: Told((BASQUE,), BASQUE, BASQUE))
    crowd_out = Ballots(("x", "y"), np.zeros(10, int), np.ones(10, int), np.zeros(10, int), np.arange(10))
    store(
        crowd_out,
        campaign=campaign,
        told=lambda _: Told((BASQUE,), SPANISH, BASQUE),
        reasons=(ExclusionReason.WRONG_LANGUAGE,),
    )
    told = {row["model"]: (row["in_basque"], row["answers"]) for row in rows(campaign.board, "adherence")}
    assert told == {"x": (30, 40), "y": (40, 40)}


@pytest.mark.django_db
def test_a_model_without_a_vote_that_counts_is_not_named() -> None:
    campaign = crowd(y_answers_spanish)
    hidden = Ballots(("x", "z"), np.zeros(4, int), np.ones(4, int), np.zeros(4, int), np.arange(4))
    store(
        hidden,
        campaign=campaign,
        told=lambda _: Told((BASQUE,), BASQUE, SPANISH),
        reasons=(ExclusionReason.GUEST,),
    )
    assert {row["model"] for row in rows(campaign.board, "adherence")} == {"x", "y"}


@pytest.mark.django_db
def test_the_numbers_are_those_of_the_moment_of_publication() -> None:
    campaign = crowd(y_answers_spanish)
    measure_languages()
    before = timezone.now()
    Answer.objects.update(finished_at=before)
    assert sum(each.told for each in answers_to_basque(campaign.board, until=before)) == 60
    Answer.objects.filter(side="A").update(finished_at=timezone.now())
    assert sum(each.told for each in answers_to_basque(campaign.board, until=before)) == 30


@pytest.mark.django_db
def test_all_models_and_volunteers_are_read_by_one_query() -> None:
    material = material_of(crowd(y_answers_spanish).board)
    assert isinstance(material, Votes)
    with CaptureQueriesContext(connection) as asked:
        assert material.answered is material.answered
    assert len(asked) == 1


@pytest.mark.django_db
def test_the_page_and_the_models_own_page_tell_it(client: Client) -> None:
    campaign = crowd(y_answers_spanish)
    boards.publish(campaign.board)
    page = client.get(reverse("report", args=[campaign.board.slug, "basque"])).content.decode()
    assert "0,667" in page and "1,000" in page
    own = client.get(
        reverse("model", args=[campaign.board.slug, "y"]), {"format": "csv", "table": "adherence"}
    )
    assert own.content.decode().splitlines()[1].startswith("y,30,20,")
    assert (
        'id="section-adherence"'
        in client.get(reverse("model", args=[campaign.board.slug, "x"])).content.decode()
    )


@pytest.mark.django_db
def test_a_board_where_nobody_wrote_basque_says_so(client: Client) -> None:
    campaign = crowd(lambda _: Told((SPANISH,), SPANISH, SPANISH))
    boards.publish(campaign.board)
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    page = client.get(reverse("report", args=[campaign.board.slug, "basque"])).content.decode()
    assert "No message in Basque was answered yet." in page
    assert (
        "section-adherence"
        not in client.get(reverse("model", args=[campaign.board.slug, "x"])).content.decode()
    )
