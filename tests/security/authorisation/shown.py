"""One of everything that the admin shows, and the least that its forms take."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.utils import timezone

from arena.controls import ControlKind
from arena.models import (
    AuditEntry,
    Control,
    Cooldown,
    DataEntry,
    Doubt,
    Draw,
    Export,
    Finding,
    ImportedVote,
    Report,
    Turn,
    Vote,
)
from arena.prompt_files import PromptRow
from arena.sanitizing import Kind
from arena.services import moderation, report_queue
from arena.services.exports import latest_cutoff
from arena.services.prompt_sets import create_set
from arena.types import ReportReason
from inference.models import Candidate, EndpointDraft, ModelEndpoint
from ranking.models import Board
from ranking.raters import RaterTest
from ranking.types import BoardKind
from tests.arena import training_runs
from tests.arena.api.callers import token
from tests.arena.builders import make_participant
from tests.arena.exports.made import voted
from tests.security.authorisation.world import World

RUN = "lehena"
URL = "http://127.0.0.1:9/v1"


def shown(world: World) -> dict[str, Model]:
    """By ``app.model``. Those that can be changed or deleted are nothing that others hang on."""
    owner = world.who["owner"]
    assert owner.participant is not None
    assert owner.user is not None
    turn = Turn.objects.filter(battle=world.owned.voted)[0]
    spare = Candidate.objects.create(code="aparte", name="Aparte")
    endpoint = ModelEndpoint.objects.create(
        candidate=Candidate.objects.create(code="beste", name="Beste"),
        base_url=URL,
        model="m",
        status="shadow",
    )
    found: list[Model] = [
        *(owner.user, owner.participant, world.owned.voted, turn, spare, endpoint),
        *(world.unopened, world.waiting, world.draft, _reported(world), token().token),
        *(EmailAddress.objects.filter(user=owner.user)[0], Authenticator.objects.all()[0]),
        *(Vote.objects.get(battle=world.owned.voted), Draw.objects.all()[0], Export.objects.all()[0]),
        AuditEntry.objects.create(way="command", act="retain"),
        Control.objects.create(battle=world.owned.pair, kind=ControlKind.IDENTICAL.value),
        Cooldown.objects.get_or_create(pk=1)[0],
        DataEntry.objects.create(act="imported", layout="x", rows=1, size_bytes=1, sha256="0" * 64),
        Doubt.objects.create(turn=turn, kind=Kind.PHONE.value, start=0, end=3),
        Group.objects.create(name="taldea"),
        create_set(slug="zerrenda", name="Z", campaign=world.campaign, rows=[PromptRow("Bat")], staff=None),
        *(_finding(world), _imported(world)),
    ]
    return {each._meta.label_lower: each for each in found}


def _reported(world: World) -> Report:
    """A report that waits, of a battle that is hidden already: there is something to decide, and something to undo."""
    whose, boss = make_participant(world.campaign), world.who["superuser"].user
    assert boss is not None
    battle = voted(whose)
    report_queue.report_battle(
        battle_id=battle.pk, participant_id=whose.pk, reason=ReportReason.OTHER, words="Hau!"
    )
    moderation.hide_battle(battle_id=battle.pk, staff=boss)
    return Report.objects.get(battle=battle)


def _finding(world: World) -> Finding:
    whose = world.who["owner"].participant
    assert whose is not None
    test = RaterTest.POSITION.value
    figures = {"statistic": 1, "p": 1, "q": 1, "n_votes": 1}
    return Finding.objects.create(board=world.campaign.board, participant=whose, test=test, **figures)


def _imported(world: World) -> ImportedVote:
    return ImportedVote.objects.create(
        board=world.campaign.board,
        source="lmarena",
        external_id="1",
        timestamp="1",
        cast_at=timezone.now(),
        model_a="a",
        model_b="b",
        conv_a=[],
        conv_b=[],
        winner="tie",
        checksum="0" * 64,
    )


def added(world: World) -> dict[str, Mapping[str, Any]]:
    """What is written into the empty form of each model that can be added."""
    board = Board.objects.create(slug="besterik", name="Besterik", kind=BoardKind.LIVE.value)
    owner = world.who["owner"].user
    assert owner is not None
    return {
        "arena.campaign": {"name": "Berria", "slug": "berria", "board": board.pk},
        "arena.user": {"username": "berria", "usable_password": "false"},
        "arena.promptset": {
            "name": "Berria",
            "slug": "berria",
            "campaign": world.campaign.pk,
            "file": SimpleUploadedFile("b.csv", b"text\nKaixo\n"),
        },
        "arena.draw": {"campaign": world.unopened.pk, "prizes": 1},
        "arena.release": {
            **{"slug": "lehia-9", "name": "Lehia 9", "hold_days": 1, "prepare": ""},
            **{"layouts": ["judgements"], "formats": ["jsonl.gz"]},
        },
        "arena.apitoken": {"owner": owner.username, "name": "tesia", "days": 9},
        "arena.exportjob": {
            **{"layout": "judgements", "format": "jsonl", "key": "beste"},
            "cutoff": (latest_cutoff() - timedelta(minutes=1)).isoformat(),
        },
        "inference.candidate": {"code": "berria", "name": "Berria"},
        "inference.modelendpoint": {
            **{"candidate": Candidate.objects.all()[0].pk, "base_url": URL, "model": "berria"},
        },
        "auth.group": {"name": "berria"},
        "account.emailaddress": {"user": owner.pk, "email": "berria@adibidea.eus"},
    }


def values(world: World, things: Mapping[str, Model]) -> dict[str, dict[str, object]]:
    """For the routes of the admin that are no model's own six, by the table's word for which things are meant."""
    training_runs.export(training_runs.write(settings.LEHIA_RUNS, RUN))
    draft = EndpointDraft.objects.create(base_url=URL, provider="vllm")
    boss = world.who["halfway"].user
    assert boss is not None
    usual: dict[str, object] = {
        "job_id": world.job.pk,
        "report_id": things["arena.report"].pk,
        "id": things["arena.user"].pk,
        "name": RUN,
        "draft_id": draft.pk,
        "endpoint_id": things["inference.modelendpoint"].pk,
        "step": "server",
        "content_type_id": ContentType.objects.get_for_model(Turn).pk,
        "object_id": things["arena.turn"].pk,
        "app_label": "arena",
        "url": "nothing/",
    }
    return {"": usual, "staff": {**usual, "id": boss.pk}}


FORMS: dict[str, dict[str, Any]] = {
    "admin/arena/report/<uuid:report_id>/decide/": {"dismiss": "", "note": ""},
    "admin/arena/report/<uuid:report_id>/undo/": {"undone": ["hide"], "note": "Ez zen hala"},
    "admin/arena/trainingrun/<str:name>/register/": {"base_url": URL, "provider": "vllm"},
    "admin/arena/user/<id>/password/": {
        **{"password1": "beste bide luze bat", "password2": "beste bide luze bat"},
        "usable_password": "true",
    },
    "admin/inference/modelendpoint/new/": {"base_url": URL, "provider": "vllm"},
    "admin/inference/modelendpoint/new/<uuid:draft_id>/": {"other_model": "m2", "name": "Hirugarrena"},
    "admin/inference/modelendpoint/<uuid:endpoint_id>/open/": {
        **{"status": "retired", "canary_share": "0.1", "system_prompt_mode": "system"},
    },
}
