"""What lies beside the rows: cards that the hub and people read, and Croissant that its own library reads."""

from __future__ import annotations

import re
from typing import Any

import mlcroissant
import pytest
import yaml

from arena.exports.layouts import LAYOUTS
from arena.exports.tables import BASQUE, as_markdown
from arena.models import Campaign, Release, Vote
from arena.selectors.releases import folder_of
from arena.services.feedback import Said, add_feedback
from arena.types import FeedbackKind, Side
from tests.arena.builders import make_participant
from tests.arena.exports.made import voted
from tests.arena.releases.made import content, held, over, rows

pytestmark = pytest.mark.django_db
CARDS = ("README.md", "README.eu.md")
EVERY = [f"{name}.jsonl.gz" for name in LAYOUTS if name not in {"ebaluatoia", "unvoted"}]


def everything(campaign: Campaign, *, form: str = "jsonl.gz") -> Release:
    """A release of all layouts with rows."""
    battle = voted(make_participant(campaign), text="Nor zara?", a="# Ni\n- bat", b="Zu")
    answer = battle.turns.get().answers.get(side=Side.A.value)
    said = Said(answer.pk, 0, 4, FeedbackKind.CALQUE)
    add_feedback(battle_id=battle.pk, participant_id=battle.participant_id, said=said)
    return held(contents=[each.replace("jsonl.gz", form) for each in EVERY])


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("form", ["jsonl", "jsonl.gz", "parquet"])
def test_mlcroissant_validates_the_metadata_and_reads_every_file_through_it(
    campaign: Campaign, form: str
) -> None:
    release = everything(campaign, form=form)
    read = mlcroissant.Dataset(jsonld=str(folder_of(release) / "croissant.json"))
    assert not read.metadata.issues.errors
    assert not read.metadata.issues.warnings
    assert {each.sha256 for each in read.metadata.distribution} == {
        each.sha256 for each in release.files.exclude(layout="")
    }
    for file in release.files.exclude(layout=""):
        records = list(read.records(record_set=file.name.replace(".", "-")))
        assert records, file.name
        assert len(records) == file.rows, file.name
        layout = LAYOUTS[file.layout]
        assert {each.partition("/")[2] for each in records[0]} == {each.name for each in layout.fields}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_mlcroissant_reads_is_what_the_file_says(campaign: Campaign) -> None:
    release = everything(campaign)
    read = mlcroissant.Dataset(jsonld=str(folder_of(release) / "croissant.json"))
    [found] = read.records(record_set="ebaluatoia-sanitized-jsonl-gz")
    [row] = rows(release, "ebaluatoia-sanitized.jsonl.gz")
    own = {name.partition("/")[2]: value for name, value in found.items()}
    assert own["winner"].decode() == row["winner"]
    assert own["timestamp"].isoformat(timespec="microseconds") == row["timestamp"]
    said = [
        {name.rpartition("/")[2]: value.decode() for name, value in each.items()} for each in own["conv_a"]
    ]
    assert said == row["conv_a"]


def front_matter(card: str) -> Any:
    found = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
    assert found
    return yaml.safe_load(found[1])


def test_the_hub_finds_licence_language_task_and_a_configuration_a_layout(campaign: Campaign) -> None:
    release = everything(campaign, form="parquet")
    said = front_matter(content(release)["README.md"].decode())
    assert said["license"] == "cc0-1.0"
    assert said["language"] == ["eu"]
    assert said["task_categories"] == ["text-generation"]
    assert said["size_categories"] == ["n<1K"]
    assert {each["config_name"]: each["data_files"][0]["path"] for each in said["configs"]} == {
        file.layout: file.name for file in release.files.exclude(layout="")
    }


@pytest.mark.parametrize("card", CARDS)
def test_a_card_has_counts_checksums_columns_licence_and_citation(campaign: Campaign, card: str) -> None:
    release = everything(campaign)
    text = content(release)[card].decode()
    for file in release.files.exclude(layout=""):
        assert f"| `{file.name}` | {file.rows} | {file.size_bytes} | `{file.sha256}` |" in text
        assert as_markdown(LAYOUTS[file.layout], "eu" if card == "README.eu.md" else "en") in text
    assert "creativecommons.org/publicdomain/zero/1.0" in text
    assert f"@misc{{{release.slug}," in text
    assert "python -m ranking ebaluatoia-sanitized.jsonl.gz" in text
    assert "{{" not in text.replace("{{Lehia}}", "")
    assert "{%" not in text


def descriptions() -> set[str]:
    """Of all layouts and their columns."""
    layouts = LAYOUTS.values()
    return {each.about for each in layouts} | {each.about for layout in layouts for each in layout.fields}


def test_the_basque_card_leaves_no_description_in_english(campaign: Campaign) -> None:
    text = content(everything(campaign))["README.eu.md"].decode()
    said = descriptions()
    assert {each for each in said if each in text} == set()


def test_each_description_has_one_basque_sentence_of_its_own() -> None:
    said = descriptions()
    rows = [line.split("\t") for line in BASQUE.read_text(encoding="utf-8").splitlines()]
    assert sorted(english for english, _ in rows) == sorted(said), "none is missing, and none left over"
    basque = [each for _, each in rows]
    assert len(set(basque)) == len(basque)
    assert all(each.endswith(".") and each[:1].isupper() == english[:1].isupper() for english, each in rows)
    assert not [each for each in basque if re.search(r"\b(?:the|of|is|was|which|where)\b", each)]


@pytest.mark.parametrize(
    ("card", "word"), [("README.md", "Provisional"), ("README.eu.md", "Behin-behinekoa")]
)
def test_a_card_says_while_it_is_provisional(campaign: Campaign, card: str, word: str) -> None:
    release = everything(campaign)
    assert word in content(release)[card].decode()
    assert word not in content(over(release))[card].decode()


@pytest.mark.parametrize("card", CARDS)
def test_a_card_counts_people_by_level_and_no_few(campaign: Campaign, card: str) -> None:
    for level, how_many in (("C1-C2", 6), ("A1-A2", 2)):
        for number in range(how_many):
            voted(make_participant(campaign), text=f"{level} {number}")
            Vote.objects.filter(language_level="").update(language_level=level)
    text = content(held())[card].decode()
    assert "| C1-C2 | 6 |" in text
    assert "A1-A2 |" not in text
    assert "| < 5 |" in text
    assert "8" in text.partition("C1-C2")[0]
