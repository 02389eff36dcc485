"""What everybody sees of releases, and what staff do with them."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from arena.models import Campaign, Participant, Release, User
from arena.selectors.releases import citation_of
from arena.services.erasure import erase_participant
from arena.services.people import withdraw_consent
from arena.tasks import hold_release, keep_releases
from tests.arena.api.callers import get
from tests.arena.api.worlds import make_release
from tests.arena.builders import make_participant
from tests.arena.exports.made import voted
from tests.arena.releases.made import content, held, over, prepared, rows

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
def test_the_data_page_lists_what_has_files_and_each_page_tells_its_checksums(
    client: Client, campaign: Campaign, language: str
) -> None:
    voted(make_participant(campaign))
    prepared("zirriborroa")
    release = held()
    client.cookies["django_language"] = language
    listed = client.get(reverse("data")).content.decode()
    assert reverse("release", args=[release.slug]) in listed
    assert "zirriborroa" not in listed
    assert client.get(reverse("release", args=["zirriborroa"])).status_code == 404
    page = client.get(reverse("release", args=[release.slug])).content.decode()
    for file in release.files.exclude(layout=""):
        assert file.sha256 in page
        assert reverse("release_file", args=[release.slug, file.name]) in page
    assert citation_of(release) in page
    assert "removals.jsonl" not in page
    assert "removals.jsonl" in client.get(reverse("release", args=[over(release).slug])).content.decode()


def test_nothing_released_says_so(client: Client) -> None:
    assert reverse("leaderboard") in client.get(reverse("data")).content.decode()


def test_every_file_is_what_its_checksum_says_and_goes_on_where_it_stopped(
    client: Client, campaign: Campaign
) -> None:
    voted(make_participant(campaign))
    release = held()
    for file in release.files.all():
        address = reverse("release_file", args=[release.slug, file.name])
        whole: Any = client.get(address)
        body = whole.getvalue()
        assert hashlib.sha256(body).hexdigest() == file.sha256
        asked = {"Range": "bytes=7-", "If-Range": whole.headers["ETag"]}
        rest: Any = client.get(address, headers=asked)
        assert (rest.status_code, rest.getvalue()) == (206, body[7:])
    for name in (".ids", "removals.jsonl", "nowhere.jsonl.gz", "..%2f..%2fsecret_key"):
        assert client.get(f"{reverse('release', args=[release.slug])}{name}").status_code == 404


@pytest.mark.parametrize("act", [withdraw_consent, erase_participant])
def test_from_the_moment_it_is_taken_back_nobody_downloads_it(
    client: Client, campaign: Campaign, act: Any
) -> None:
    voted(make_participant(campaign), text="geratzen-dena")
    battle = voted(make_participant(campaign), text="kanarioa")
    release = held()
    address = reverse("release_file", args=[release.slug, "lmarena.jsonl.gz"])
    more = {"takes_votes": True} if act is withdraw_consent else {}
    act(participant_id=battle.participant_id, **more)
    answer = client.get(address)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "300")
    assert client.get(reverse("release", args=[release.slug])).status_code == 200
    keep_releases()
    assert client.head(address).status_code == 200
    assert "kanarioa" not in str(rows(release))


def test_the_list_of_removals_has_an_etag(client: Client, campaign: Campaign) -> None:
    battle = voted(make_participant(campaign))
    release = over(held())
    address = reverse("release_file", args=[release.slug, "removals.jsonl"])
    empty = client.get(address)
    assert empty.content == b""
    assert client.get(address, headers={"If-None-Match": empty.headers["ETag"]}).status_code == 304
    [row] = rows(release)
    erase_participant(participant_id=battle.participant_id)
    keep_releases()
    listed = client.get(address, headers={"If-None-Match": empty.headers["ETag"]})
    assert row["id"] in listed.content.decode()


def test_the_api_tells_files_and_removals_page_by_page(client: Client, campaign: Campaign) -> None:
    people = [make_participant(campaign) for _ in range(3)]
    for number, person in enumerate(people):
        voted(person, text=f"{number}. galdera")
    release = over(held())
    files = get(client, f"/releases/{release.slug}/files").json()["items"]
    assert {each["name"]: each["sha256"] for each in files} == {
        each.name: each.sha256 for each in release.files.all()
    }
    answer: Any = client.get(files[0]["path"])
    assert hashlib.sha256(answer.getvalue()).hexdigest() == files[0]["sha256"]
    told = get(client, f"/releases/{release.slug}").json()
    assert (told["state"], told["removals"], told["is_being_made_anew"]) == ("final", 0, False)
    for person in people:
        erase_participant(participant_id=person.pk)
    keep_releases()
    found: list[str] = []
    cursor = ""
    while True:
        page = get(client, f"/releases/{release.slug}/removals?limit=2{cursor}").json()
        found += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert sorted(found) == sorted(row["id"] for row in rows(release))


def test_releases_are_listed_page_by_page(client: Client) -> None:
    made = [make_release(f"lehia-{number}").slug for number in range(3)]
    first = get(client, "/releases?limit=2").json()
    rest = get(client, f"/releases?limit=2&cursor={first['next']}").json()
    assert [each["slug"] for each in first["items"] + rest["items"]] == made[::-1]
    assert rest["next"] is None
    assert get(client, "/releases/nowhere").status_code == 404


def form(**said: Any) -> dict[str, Any]:
    return {
        "slug": "lehia-9",
        "name": "Lehia 9",
        "layouts": ["lmarena", "judgements"],
        "formats": ["parquet"],
        "hold_days": "30",
        **said,
    }


def test_staff_look_first_then_prepare_and_the_worker_makes_the_files(
    admin_client: Client, admin_user: User, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    voted(make_participant(campaign))
    address = reverse("admin:arena_release_add")
    page = admin_client.post(address, form(preview="1")).content.decode()
    assert re.search(r"lmarena\.parquet</th><td>1</td><td>1</td><td>0</td>", page)
    assert not Release.objects.exists()
    admin_client.post(address, form(prepare="1"))
    draft = Release.objects.get()
    assert (draft.state, draft.contents) == ("draft", ["lmarena.parquet", "judgements.parquet"])
    monkeypatch.setattr(hold_release, "delay", hold_release)
    act = {"action": "hold", "_selected_action": [str(draft.pk)]}
    admin_client.post(reverse("admin:arena_release_changelist"), act)
    draft.refresh_from_db()
    assert draft.state == "held"
    assert content(draft)["lmarena.parquet"]
    page = admin_client.get(reverse("admin:arena_release_change", args=[draft.pk])).content.decode()
    assert draft.files.get(name="lmarena.parquet").sha256 in page
    assert [each.by for each in draft.events.all()] == [admin_user, admin_user]


@pytest.mark.parametrize(
    "wrong", [{"slug": "Oker bat"}, {"layouts": ["ebaluatoia"]}, {"layouts": []}, {"hold_days": "-1"}]
)
def test_a_plan_that_cannot_be_released_is_refused_on_the_form(
    admin_client: Client, campaign: Campaign, wrong: dict[str, Any]
) -> None:
    answer = admin_client.post(reverse("admin:arena_release_add"), form(prepare="1", **wrong))
    assert "errorlist" in answer.content.decode()
    assert not Release.objects.exists()


def test_a_draft_is_dropped_and_what_has_files_stays(admin_client: Client, campaign: Campaign) -> None:
    voted(make_participant(campaign))
    draft, release = prepared("zirriborroa"), held()
    act = {"action": "drop", "_selected_action": [str(draft.pk), str(release.pk)]}
    admin_client.post(reverse("admin:arena_release_changelist"), act)
    assert [each.slug for each in Release.objects.all()] == [release.slug]


def test_without_the_permission_nobody_prepares(client: Client, campaign: Campaign) -> None:
    staff = User.objects.create_user("langilea", is_staff=True)
    client.force_login(staff)
    assert client.get(reverse("admin:arena_release_add")).status_code == 403
    assert Participant.objects.count() == 0
