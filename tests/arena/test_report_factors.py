"""What the recipe does: the numbers of the page."""

from __future__ import annotations

import io
import re

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation

from arena.reports import factors
from arena.reports.base import Report, Source
from ranking import reference
from ranking.board import build_board
from ranking.contrasts import Contrast
from ranking.factors import Effect, Factor, factor_effects
from ranking.models import Board
from ranking.selectors import load_tally
from ranking.services import replace_tally
from ranking.tables import Value
from ranking.tally import Tally
from ranking.types import BoardKind, Criterion
from tests.arena.builders import make_campaign
from tests.ranking.builders import make_tally, ring

pytestmark = pytest.mark.django_db


@pytest.fixture
def published() -> Board:
    make_campaign()
    call_command(
        "import_preferences",
        str(reference.pairs_path()),
        layout="pairs",
        board=reference.BOARD_SLUG,
        stdout=io.StringIO(),
    )
    return Board.objects.get(slug=reference.BOARD_SLUG)


def make_board(tally: Tally) -> Board:
    board = Board.objects.create(slug="b", name="B", kind=BoardKind.IMPORTED.value)
    replace_tally(board=board, tallies={Criterion.OVERALL: tally})
    return board


def report_of(board: Board) -> Report:
    tally = load_tally(board_id=board.pk, criterion=Criterion.OVERALL)
    return factors.build(Source(board, Criterion.OVERALL, tally, build_board(tally)))


def rows_of(report: Report, table: str) -> list[dict[str, Value]]:
    return next(each.table.as_json() for each in report.sections if each.table.name == table)


def rounded(row: dict[str, Value], *columns: str) -> list[int]:
    return [round(float(row[column] or 0)) for column in columns]


def test_merged_battles_are_the_published_ones(published: Board) -> None:
    report = report_of(published)
    corpus = {row["factor_level"]: row for row in rows_of(report, "merged_corpus")}
    assert rounded(corpus["with"], "rating", "low", "high", "battles") == [1042, 1037, 1046, 4967]
    assert rounded(corpus["without"], "rating", "models") == [958, 8]
    instructions = {
        row["factor_level"]: rounded(row, "rating")[0] for row in rows_of(report, "merged_instructions")
    }
    assert instructions == {"both": 1033, "en": 1029, "eu": 1006, "none": 933}


def test_the_effects_are_those_of_the_fit_and_wide_intervals_count_the_misfit(published: Board) -> None:
    effects = rows_of(report_of(published), "effects")
    corpus = next(row for row in effects if row["factor"] == "corpus")
    assert (corpus["factor_level"], corpus["against"], corpus["given"]) == ("with", "without", None)
    assert rounded(corpus, "points", "low", "high", "wide_low", "wide_high") == [66, 57, 75, 27, 105]
    assert len(effects) == 3 + 1 + 6
    two = next(row for row in effects if (row["factor_level"], row["against"]) == ("both", "eu"))
    main = {each.name: each.estimate or 0 for each in fitted(published)}
    assert two["points"] == pytest.approx(main["instructions=both"] - main["instructions=eu"])


def fitted(board: Board) -> tuple[Effect, ...]:
    return factor_effects(load_tally(board_id=board.pk, criterion=Criterion.OVERALL)).effects


def test_what_the_corpus_does_to_each_base_is_told_apart(published: Board) -> None:
    rows = rows_of(report_of(published), "effects_by_backbone")
    corpus = {
        row["given"]: rounded(row, "points", "low", "high") for row in rows if row["factor"] == "corpus"
    }
    assert corpus.keys() == {"base_en", "base_eu", "inst_en"}
    assert corpus["base_en"][1] > 0
    assert corpus["inst_en"][1] > 0
    assert corpus["base_eu"][1] < 0 < corpus["base_eu"][2]  # it had read the corpus before


def test_only_the_form_with_base_and_corpus_together_fits_the_votes(published: Board) -> None:
    fit = {row["form"]: row for row in rows_of(report_of(published), "lack_of_fit")}
    assert rounded(fit["main"], "chi_square", "degrees") == [141, 10]
    assert float(fit["main"]["p_value"] or 0) < 1e-20
    assert rounded(fit["backbone_corpus"], "chi_square", "degrees") == [11, 8]
    assert float(fit["backbone_corpus"]["p_value"] or 0) == pytest.approx(0.215, abs=0.001)


def test_a_contrast_of_a_design_is_one_row_less_the_other() -> None:
    columns = ("backbone=base_eu", "corpus=with", "backbone=base_eu:corpus=with")
    given = Contrast(Factor.CORPUS, "with", "without", (Factor.BACKBONE, "base_eu"))
    assert given.vector(columns).tolist() == [0, 1, 1]
    plain = Contrast(Factor.BACKBONE, "base_eu", "base_en", (Factor.CORPUS, "without"))
    assert plain.vector(columns).tolist() == [1, 0, 0]


def test_models_without_a_recipe_are_listed_without_one(published: Board) -> None:
    recipes = {row["model"]: row for row in rows_of(report_of(published), "recipes")}
    assert len(recipes) == 21
    assert recipes["exp_1_011"]["backbone"] == "base_eu"
    assert (recipes["exp_1_011"]["corpus"], recipes["exp_1_011"]["instructions"]) == ("without", "both")
    assert recipes["gpt-4o-2024-11-20"]["backbone"] is None


def test_machine_names_are_words_on_the_page_and_stay_in_the_file(client: Client, published: Board) -> None:
    address = reverse("report", args=[published.slug, "factors"])
    client.post(reverse("set_language"), {"language": "en", "next": "/"})
    text = client.get(address).content.decode()
    assert "Base: Latxa − Llama · with corpus" in text
    assert "Basque corpus · Latxa" in text
    assert not re.search(r">(base_eu|inst_en|backbone_corpus)<", text)
    assert "base_eu" in client.get(address, {"format": "csv", "table": "recipes"}).content.decode()


def test_a_base_that_nobody_trained_without_the_corpus_has_no_contrast_there() -> None:
    names = ("exp_0_010", "exp_0_110", "exp_0_101", "exp_1_101", "exp_1_111")
    report = report_of(make_board(named(ring(5, 30), names)))
    rows = rows_of(report, "effects_by_backbone")
    assert [row["given"] for row in rows if row["factor"] == "corpus"] == ["base_en"]
    assert [row["given"] for row in rows if row["factor"] == "backbone"] == ["with"]


def named(tally: Tally, names: tuple[str, ...]) -> Tally:
    return Tally(names, tally.counts)


def test_what_the_recipes_cannot_tell_apart_is_left_open() -> None:
    names = ("exp_0_010", "exp_1_110", "gpt")
    rows = rows_of(report_of(make_board(named(ring(3, 30), names))), "effects")
    assert {row["points"] for row in rows} == {None}


def test_a_board_without_recipes_does_not_offer_the_page() -> None:
    assert not factors.offered(make_board(make_tally("exp_0_010>gpt", "gpt>exp_9_999")))


def test_a_board_whose_coded_models_have_no_rating_says_so() -> None:
    board = make_board(make_tally("exp_0_010>exp_1_010"))
    assert factors.offered(board)
    with translation.override("en"):
        assert "Fewer than two models with a recipe" in str(report_of(board).reason)
