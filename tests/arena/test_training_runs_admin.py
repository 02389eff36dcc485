"""The admin's pages of training runs: for whom, what they show, and from a run to a candidate."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import translation

from arena.models import User
from arena.runs.curves import curves, shown
from arena.runs.metrics import Metrics
from arena.services.runs import export_of
from inference.errors import BadManifest
from inference.models import Candidate, ModelEndpoint
from tests.arena import training_runs as made
from tests.arena.training_runs import NOW

pytestmark = pytest.mark.django_db
LIST = "/admin/arena/trainingrun/"
URL = "http://127.0.0.1:8100/v1"


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, settings: object) -> Path:
    """The folder of runs that the site looks at."""
    root = tmp_path / "the runs"
    root.mkdir()
    settings.LEHIA_RUNS = root  # type: ignore[attr-defined]  # pytest-django's
    return root


@pytest.fixture
def run(runs: Path) -> Path:
    """A run with all that a run has."""
    folder = made.write(runs)
    steps = [line for number in range(1, 21) for line in (made.step(number),)]
    made.write_metrics(folder, [*steps, made.evaluation(10, 2.75), made.evaluation(20, 2.5)])
    (folder / "recipe.yaml").write_text("code: exp_2_110\nname: <b>Izena</b>\n")
    (folder / "log.txt").write_text("2026-11-25 INFO exp_2_110: 4800 steps <script>alert(1)</script>\n")
    return folder


def staff(client: Client, *permissions: str) -> Client:
    """A member of staff with these permissions and no others."""
    person = User.objects.create_user("langilea", password="pasahitz luzea", is_staff=True)
    for name in permissions:
        person.user_permissions.add(Permission.objects.get(content_type__app_label="arena", codename=name))
    client.force_login(person)
    return client


def page(client: Client, address: str = LIST) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return answer.content.decode()


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# ---- for whom


@pytest.mark.parametrize("address", [LIST, f"{LIST}lehena/", f"{LIST}lehena/register/"])
def test_only_staff_with_the_permission_sees_runs(client: Client, run: Path, address: str) -> None:
    made.export(run)
    assert client.get(address).status_code == 302, "to the log-in"
    assert staff(client).get(address).status_code == 403
    client.force_login(User.objects.create_user("bisitaria", password="pasahitz luzea"))
    assert client.get(address).status_code == 302


def test_who_may_look_may_not_register(client: Client, run: Path) -> None:
    made.export(run)
    viewer = staff(client, "view_trainingrun")
    assert "lehena" in page(viewer)
    assert "register" not in page(viewer, f"{LIST}lehena/")
    assert viewer.get(f"{LIST}lehena/register/").status_code == 403
    assert viewer.post(f"{LIST}lehena/register/", {"base_url": URL, "provider": "vllm"}).status_code == 403
    assert not Candidate.objects.exists()


def test_the_admins_front_page_leads_there(admin_client: Client) -> None:
    assert f'href="{LIST}"' in page(admin_client, "/admin/")
    assert reverse("admin:arena_trainingrun_changelist") == LIST


def test_no_address_of_djangos_own_looks_for_a_table(admin_client: Client) -> None:
    for address in ("add/", "1/change/", "1/delete/", "1/history/"):
        assert admin_client.get(LIST + address).status_code == 404, address


# ---- the list


def test_the_list_shows_how_runs_stand(admin_client: Client, runs: Path, run: Path) -> None:
    old = (NOW - timedelta(minutes=11)).isoformat()
    made.write(runs, "galdua", heartbeat_at=old, created_at="2026-01-01T10:00:00Z", steps=None)
    (runs / "hutsa").mkdir()
    html = page(admin_client)
    said = text(html)
    assert "lehena exp_2_110 martxan 1.200 / 4.800 1,235 41.234 128 × NVIDIA A100" in said
    assert "galdua exp_2_110 galduta 1.200 / ? 1,235 — 128" in said
    assert "hutsa — hondatuta — — — — —" in said
    assert html.index(">lehena<") < html.index(">galdua<") < html.index(">hutsa<")


def test_an_empty_list_says_where_runs_are_looked_for(admin_client: Client, runs: Path) -> None:
    assert f"hemen: {runs}" in text(page(admin_client))
    runs.rmdir()
    assert "Oraindik ez dago entrenamendurik" in page(admin_client)


@pytest.mark.parametrize(("language", "said"), [("eu", "Galera"), ("es", "Pérdida"), ("en", "Loss")])
def test_the_pages_speak(admin_client: Client, run: Path, language: str, said: str) -> None:
    for address in (LIST, f"{LIST}lehena/"):
        answer = admin_client.get(address, headers={"accept-language": language})
        assert said in answer.content.decode()


# ---- a run's page


def test_a_runs_page_has_its_facts_curves_files_and_log(admin_client: Client, run: Path) -> None:
    html = page(admin_client, f"{LIST}lehena/")
    for each in ("7f89930c38fe", "128 × NVIDIA A100", "train exp_2_110", f"{run}/recipe.yaml", "251.658.240"):
        assert each in html
    keys = re.findall(r'id="curve-(\w+)"', html)
    assert keys == [
        "loss",
        "learning_rate",
        "tokens_per_s",
        "evaluation_loss",
        "bits_per_byte",
        "gradient_norm",
        "memory_mb",
    ]
    assert html.count('<svg class="plot lines"') == html.count('<table class="runs">') == len(keys)
    assert "wikipedia" in html
    assert "<td>0,00001</td>" in html


def test_nothing_of_a_file_is_markup(admin_client: Client, runs: Path, run: Path) -> None:
    made.write(runs, device="<i>gpu</i>", error="<b>kaput</b>", status="failed", command="<u>x</u>")
    made.write_metrics(run, [made.step(1, loss_by_source={"<s>iturria</s>": 1.0, "b": 2.0})])
    html = page(admin_client, f"{LIST}lehena/")
    for tag in ("<i>", "<b>", "<u>", "<s>", "<script>alert"):
        assert tag not in html
    assert "&lt;b&gt;kaput" in html


def test_the_pictures_are_well_formed_and_need_no_script(admin_client: Client, run: Path) -> None:
    html = page(admin_client, f"{LIST}lehena/")
    pictures = re.findall(r'<svg class="plot lines".*?</svg>', html, re.DOTALL)
    for picture in pictures:
        ElementTree.fromstring(picture)
        assert "," not in re.sub(r"<text.*?</text>|aria-label=\"[^\"]*\"", "", picture), (
            "a number in the reader's language"
        )
    assert " style=" not in "".join(pictures)


def test_a_lost_run_says_what_that_means(admin_client: Client, runs: Path) -> None:
    made.write(runs, heartbeat_at=(NOW - timedelta(minutes=11)).isoformat())
    assert "galduta Ez du taupadarik azken hamar minutuetan" in text(page(admin_client, f"{LIST}lehena/"))


def test_a_broken_run_and_one_without_metrics_have_a_page(admin_client: Client, runs: Path) -> None:
    (made.write(runs) / "run.json").write_text("{")
    html = page(admin_client, f"{LIST}lehena/")
    assert "run.json: Expecting property name" in html
    assert "Oraindik ez da ezer neurtu" in html


def test_a_name_with_signs_is_found(admin_client: Client, runs: Path) -> None:
    made.write(runs, "bigarren saioa % 2 ñ")
    address = re.search(rf'href="({LIST}[^"]+)"', page(admin_client))
    assert address
    assert "bigarren saioa % 2 ñ" in page(admin_client, address[1])


@pytest.mark.parametrize("name", ["inon", "..", "%2e%2e", "..%2flehena", "%2fetc", ".launch", "lehena%00"])
def test_no_other_folder_is_shown(admin_client: Client, run: Path, name: str) -> None:
    made.write(run.parent, ".launch")
    for tail in ("", "register/"):
        assert admin_client.get(f"{LIST}{name}/{tail}").status_code in {302, 404}, name
        assert "NVIDIA" not in admin_client.get(f"{LIST}{name}/{tail}").content.decode()


def test_a_long_file_says_that_some_lines_are_shown(admin_client: Client, run: Path) -> None:
    made.write_metrics(run, (made.step(number) for number in range(1, 400)))
    assert "Lerro batzuk, tarte berdinetan" in page(admin_client, f"{LIST}lehena/")


# ---- curves


def test_a_curve_has_a_line_and_a_column_a_source() -> None:
    steps = (made.step(1, loss_by_source={"a": 1.0}), made.step(2, loss_by_source={"a": 2.0, "b": 3.0}))
    [loss, *_] = curves(Metrics(steps))
    with translation.override("en"):
        assert [str(each) for each in loss.columns] == ["all sources", "a", "b"]
    assert len(loss.figure.lines) == 3
    assert [len(row) for row in loss.rows] == [4, 4]
    assert loss.rows[0][-1] == "—"


@pytest.mark.parametrize(
    "line",
    [
        {"loss": None},
        {"loss": "x"},
        {"loss": float("nan")},
        {"loss_by_source": [1]},
        {"loss_by_source": {"a": {}}},
        {"mfu": True},
    ],
)
def test_what_is_no_number_is_no_point(line: dict[str, object]) -> None:
    assert curves(Metrics(({"step": 1, **line},))) == []


def test_odd_evaluations_are_no_points() -> None:
    lines = tuple(
        {"step": number, "evaluation": each}
        for number, each in enumerate([None, 3, {"a": 1}, {"a": {"loss": "x"}}])
    )
    assert curves(Metrics((), lines)) == []


def test_names_in_a_picture_are_bounded() -> None:
    many = {f"iturria {number}": 1.0 for number in range(100)}
    [loss, *_] = curves(Metrics((made.step(1, loss_by_source=many),)))
    assert len(loss.columns) == 17


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "—"),
        (0.0, "0"),
        (1e-5, "0,00001"),
        (1.2345678, "1,235"),
        (41234.5, "41.234"),
        (-0.25, "-0,25"),
        (3.0, "3"),
        (1e-20, "0"),
    ],
)
def test_numbers_are_written_as_basque_writes_them(value: float | None, said: str) -> None:
    with translation.override("eu"):
        assert shown(value) == said


# ---- from a run to a candidate


def register(client: Client, name: str = "lehena", **fields: str) -> str:
    answer = client.post(
        f"{LIST}{name}/register/", {"base_url": URL, "provider": "vllm"} | fields, follow=True
    )
    assert answer.status_code == 200
    return text(answer.content.decode())


def test_an_export_becomes_a_candidate_after_it_is_confirmed(admin_client: Client, run: Path) -> None:
    made.export(run)
    assert f"{LIST}lehena/register/" in page(admin_client, f"{LIST}lehena/")
    asked = page(admin_client, f"{LIST}lehena/register/")
    assert "Llama 3.1 8B Instruct · 110" in asked
    assert not Candidate.objects.exists(), "looking changes nothing"
    assert "Erregistratuta: Llama 3.1 8B Instruct · 110." in register(admin_client)
    endpoint = ModelEndpoint.objects.get(candidate__code="exp_2_110")
    assert (endpoint.base_url, endpoint.provider, endpoint.model) == (URL, "vllm", str(run / "export"))
    assert "training run lehena" in LogEntry.objects.get().change_message
    register(admin_client)
    assert ModelEndpoint.objects.count() == 1, "twice is once"


def test_a_run_without_export_is_refused_clearly(admin_client: Client, run: Path) -> None:
    assert "register" not in page(admin_client, f"{LIST}lehena/")
    said = register(admin_client)
    assert "Entrenamendu honek ez du esportaziorik oraindik" in said
    assert not Candidate.objects.exists()
    assert admin_client.get(f"{LIST}lehena/register/").status_code == 302


def test_an_export_that_does_not_hold_together_is_refused_with_its_place(
    admin_client: Client, run: Path
) -> None:
    made.export(run, sampling={"temperature": 9})
    assert "Esportazio hau ezin da erregistratu" in (said := register(admin_client))
    assert "$.sampling" in said
    assert not Candidate.objects.exists()


@pytest.mark.parametrize("elsewhere", ["../../kanpoan", "/etc"])
def test_an_export_that_leads_out_of_its_run_is_refused(
    admin_client: Client, run: Path, elsewhere: str
) -> None:
    made.export(run, model_folder=elsewhere)
    assert "model_folder leads out of the run" in register(admin_client)
    with pytest.raises(BadManifest):
        export_of("lehena")
    assert not Candidate.objects.exists()


@pytest.mark.parametrize(
    "address", ["", "ftp://127.0.0.1/", "http://169.254.1.1/v1", "http://192.0.2.7:8000/v1"]
)
def test_an_address_that_is_not_allowed_is_refused_in_the_form(
    admin_client: Client, run: Path, address: str
) -> None:
    made.export(run)
    answer = admin_client.post(f"{LIST}lehena/register/", {"base_url": address, "provider": "vllm"})
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert not Candidate.objects.exists()


def test_registering_takes_a_token_against_forged_requests(run: Path) -> None:
    made.export(run)
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("admina", password="pasahitz luzea"))
    assert client.post(f"{LIST}lehena/register/", {"base_url": URL, "provider": "vllm"}).status_code == 403
    assert not Candidate.objects.exists()


def test_pages_write_nothing_into_runs(admin_client: Client, runs: Path, run: Path) -> None:
    made.export(run)
    before = {path: path.stat().st_mtime_ns for path in runs.rglob("*")}
    for address in (LIST, f"{LIST}lehena/", f"{LIST}lehena/register/"):
        page(admin_client, address)
    register(admin_client)
    assert {path: path.stat().st_mtime_ns for path in runs.rglob("*")} == before


def test_an_export_that_goes_while_it_is_confirmed_is_refused(
    admin_client: Client, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made.export(run)

    def gone(**_: object) -> None:
        path.unlink()
        export_of("lehena")

    monkeypatch.setattr("arena.admin.runs.register_run", gone)
    assert "Entrenamendu honek ez du esportaziorik oraindik" in register(admin_client)
