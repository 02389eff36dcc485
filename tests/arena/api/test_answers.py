"""What the API answers: the same as pages and files say, each time with an ETag, and refusals in one form."""

from __future__ import annotations

import logging
from uuid import UUID

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from arena.models import Vote
from arena.services.exclusions import flag_participant
from arena.types import ApiScope, ExclusionSource
from inference.models import Candidate
from ranking import reference
from ranking.board import build_board
from ranking.models import Board
from ranking.readers import read_tally
from ranking.selectors import load_tally
from ranking.services.tallies import overwrite_tally
from ranking.tally import Tally
from ranking.types import Criterion, Outcome, TieRule
from tests.arena.api.callers import assert_problem, get, token
from tests.arena.api.worlds import World
from tests.arena.boards import live_board, make_snapshot, published_board
from tests.arena.builders import make_candidate, make_participant, ready_battle

pytestmark = pytest.mark.django_db
SECRETS = {"http://", "127.0.0.1", "/ereduak/", "model_folder", "api_key", "endpoint"}


@pytest.mark.parametrize("ties", TieRule)
def test_ratings_are_what_the_command_prints_of_the_same_votes(client: Client, ties: TieRule) -> None:
    board = published_board()
    wanted = build_board(read_tally(reference.pairs_path()), ties=ties).as_json()
    assert get(client, f"/boards/{board.slug}/ratings?ties={ties}").json() == wanted


def test_pairs_are_what_the_page_hands_out(client: Client) -> None:
    board = published_board()
    page = client.get(reverse("report", args=[board.slug, "pairs"]), {"format": "json"}).json()
    told = get(client, f"/boards/{board.slug}/pairs").json()
    assert told["pairs"] == page["pairs"]
    assert (told["n_votes"], told["criterion"]) == (page["n_votes"], "overall")


def test_a_board_without_votes_has_no_pairs_and_no_ratings_but_a_status(client: Client) -> None:
    board = live_board()
    assert get(client, f"/boards/{board.slug}/pairs").json()["pairs"] == []
    assert get(client, f"/boards/{board.slug}/ratings").json()["status"] == "empty"


def test_a_snapshot_is_the_file_that_the_site_offers(client: Client, world: World) -> None:
    file = client.get(reverse("snapshot", args=[world.campaign.board.slug, world.snapshot.pk])).json()
    assert get(client, world.addresses["snapshot"]).json() == file


def test_boards_say_what_they_can_be_asked_about(client: Client, world: World) -> None:
    published_board()
    told = {each["slug"]: each["criteria"] for each in get(client, "/boards").json()["items"]}
    assert told == {"lehia": ["overall", "content", "language"], "ebaluatoia-2025": ["overall"]}


def test_candidates_without_a_counted_vote_are_not_there(client: Client, world: World) -> None:
    make_candidate("isila")
    listed = [each["code"] for each in get(client, "/candidates?limit=100").json()["items"]]
    assert world.code in listed
    assert "isila" not in listed
    assert_problem(get(client, "/candidates/isila"), 404)
    opened = get(client, "/candidates/isila/provenance", token(ApiScope.CANDIDATES).secret)
    assert opened.json()["code"] == "isila"


def test_provenance_says_how_a_candidate_is_asked_and_never_where(client: Client, world: World) -> None:
    manifest = {"chat_template": "llama31/1", "model_folder": "/ereduak/x", "run": {"loss": 1.5}}
    Candidate.objects.filter(code=world.code).update(revision="abc123", manifest=manifest, stop=["</s>"])
    answer = get(client, world.addresses["provenance"], token(ApiScope.CANDIDATES).secret)
    told = answer.json()
    assert told["revision"] == "abc123"
    assert told["chat_template"] == "llama31/1"
    assert told["sampling"] == {"temperature": 0.9, "top_p": 0.95, "max_tokens": 2048, "stop": ["</s>"]}
    assert len(told["manifest_sha256"]) == 64
    assert not [each for each in SECRETS if each in answer.content.decode()]


def test_exclusions_are_counted_by_reason(client: Client, world: World) -> None:
    vote = Vote.objects.first()
    assert vote is not None
    flag_participant(participant=vote.participant, source=ExclusionSource.STAFF, staff=None)
    told = get(client, world.addresses["exclusions"], token(ApiScope.VOTES).secret).json()
    assert told == {"board": "lehia", "votes": 3, "counted": 2, "reasons": {"flagged_user": 1}}


def test_exclusions_of_an_imported_board_are_not_here(client: Client) -> None:
    secret = token(ApiScope.VOTES).secret
    body = assert_problem(get(client, f"/boards/{published_board().slug}/exclusions", secret), 404)
    assert "imported" in body["detail"]


def test_what_one_holds_already_is_not_sent_again(client: Client, world: World) -> None:
    secret = token(*ApiScope).secret
    for name, address in world.addresses.items():
        first = get(client, address, secret)
        etag = first.headers["ETag"]
        again = get(client, address, secret, **{"If-None-Match": f'"x", {etag}'})
        assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", etag), name
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
        other = get(client, address, secret, **{"If-None-Match": '"x"'})
        assert (other.status_code, other.content) == (200, first.content), name


def test_a_vote_changes_the_etag_of_the_ratings(client: Client) -> None:
    board = live_board(Tally.empty(["a", "b"]).moved("a", "b", Outcome.A_BETTER, 3))
    etag = get(client, f"/boards/{board.slug}/ratings").headers["ETag"]
    tally = Tally.empty(["a", "b"]).moved("a", "b", Outcome.A_BETTER, 4)
    overwrite_tally(board=board, tallies={Criterion.OVERALL: tally})
    answer = get(client, f"/boards/{board.slug}/ratings", **{"If-None-Match": etag})
    assert answer.status_code == 200


def test_what_may_be_kept_and_by_whom(client: Client, world: World) -> None:
    kept = {
        name: get(client, world.addresses[name], token(*ApiScope).secret).headers["Cache-Control"]
        for name in ("ratings", "snapshot", "provenance", "token")
    }
    assert kept == {
        "ratings": "public, no-cache",
        "snapshot": "public, max-age=31536000, immutable",
        "provenance": "private, no-cache",
        "token": "private, no-cache",
    }
    assert get(client, "/boards/nowhere/ratings").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "status", "where"),
    [
        ("/boards?colour=red&page=2", 422, ["query.colour", "query.page"]),
        ("/boards/lehia/ratings?criterion=charm", 422, ["query.criterion"]),
        ("/boards/lehia/ratings?ties=coin", 422, ["query.ties"]),
        ("/boards/lehia/snapshots?limit=0", 422, ["query.limit"]),
        ("/boards/lehia/snapshots?limit=1001", 422, ["query.limit"]),
        ("/boards/lehia/snapshots?limit=many", 422, ["query.limit"]),
        ("/boards/lehia/snapshots?cursor=2026", 422, ["query.cursor"]),
        ("/boards/lehia/snapshots?cursor=", 422, ["query.cursor"]),
        ("/candidates?cursor=%00", 422, ["query.cursor"]),
        ("/boards/nowhere/ratings", 404, []),
        ("/boards/nowhere/snapshots", 404, []),
        (f"/boards/lehia/snapshots/{UUID(int=7)}", 404, []),
        ("/boards/lehia/snapshots/7", 404, []),
        ("/candidates/nobody", 404, []),
        ("/boards/le hia/ratings", 404, []),
        ("/", 404, []),
        ("/boards/", 404, []),
        ("/../../etc", 404, []),
    ],
)
def test_refusals_say_what_to_mend(client: Client, path: str, status: int, where: list[str]) -> None:
    live_board()
    body = assert_problem(get(client, path), status)
    assert [each["where"] for each in body["errors"]] == where
    assert all(each["says"] for each in body["errors"])


def test_who_asks_for_no_snapshot_is_told_where_this_boards_are(client: Client) -> None:
    live_board()
    body = assert_problem(get(client, f"/boards/lehia/snapshots/{UUID(int=7)}"), 404)
    assert "/api/v1/boards/lehia/snapshots" in body["detail"]


def test_a_criterion_that_a_board_does_not_hold_is_named_as_such(client: Client) -> None:
    board = published_board()
    body = assert_problem(get(client, f"/boards/{board.slug}/ratings?criterion=content"), 422)
    assert body["errors"] == [{"where": "query.criterion", "says": "This board holds overall."}]


def test_a_cursor_of_another_list_is_refused(client: Client, world: World) -> None:
    cursor = get(client, "/candidates?limit=1").json()["next"]
    assert cursor
    assert_problem(get(client, f"/boards/lehia/snapshots?cursor={cursor}"), 422)


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_nothing_can_be_written(client: Client, method: str) -> None:
    for path in ("/api/v1/boards", "/api/v1/token", "/api/v1/openapi.json"):
        answer = getattr(client, method)(path)
        assert_problem(answer, 405)
        assert answer.headers["Allow"] == "GET, HEAD"


def test_head_says_what_get_would(client: Client, world: World) -> None:
    secret = token(*ApiScope).secret
    for name, address in world.addresses.items():
        whole = get(client, address, secret)
        sent = {"Authorization": f"Bearer {secret}"}
        answer = client.head(f"/api/v1{address}", headers=sent)
        assert (answer.status_code, answer.content) == (200, b""), name
        assert answer.headers["ETag"] == whole.headers["ETag"]
        assert (
            client.head(
                f"/api/v1{address}", headers={**sent, "If-None-Match": answer.headers["ETag"]}
            ).status_code
            == 304
        )
    assert client.head("/api/v1/boards/nowhere/ratings").status_code == 404


@pytest.mark.parametrize("place", ["arena.api.boards.board_tally", "arena.api.envelope.admit"])
def test_a_failure_of_the_site_says_nothing_of_its_inside(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, place: str
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("sekretua http://10.0.0.1/v1")

    monkeypatch.setattr(place, fails)
    board = published_board()
    with caplog.at_level(logging.ERROR, "django.request"):
        answer = get(client, f"/boards/{board.slug}/ratings")
    assert_problem(answer, 500)
    assert "sekretua" not in answer.content.decode()
    assert "sekretua" in caplog.text


def test_the_number_of_queries_does_not_grow_with_what_there_is(client: Client, world: World) -> None:
    secret = token(*ApiScope).secret
    get(client, "/boards", secret)
    few = {name: _queries(client, address, secret) for name, address in world.addresses.items()}
    for number in range(3):
        Board.objects.create(slug=f"beste-{number}", name="Beste bat", kind="imported")
        make_snapshot(world.campaign.board, 300 + number)
        make_candidate()
        ready_battle(make_participant(world.campaign))
    tally = Tally.empty([f"eredua-{n}" for n in range(30)])
    for n in range(29):
        tally = tally.moved(f"eredua-{n}", f"eredua-{n + 1}", list(Outcome)[n % 3], 2)
    held = load_tally(board_id=world.campaign.board_id, criterion=Criterion.OVERALL)
    tallies = {Criterion.OVERALL: held, Criterion.CONTENT: tally}
    overwrite_tally(board=world.campaign.board, tallies=tallies)
    for name, address in world.addresses.items():
        of_content = f"{address}?criterion=content" if name in {"ratings", "pairs"} else address
        assert _queries(client, of_content, secret) == few[name], name


def _queries(client: Client, path: str, secret: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert get(client, path, secret).status_code == 200
    return len(seen)
