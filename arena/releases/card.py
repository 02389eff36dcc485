"""What a release's card says: the metadata that the Hugging Face hub reads, and the numbers and tables of its text."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

import yaml

from arena.exports.files import Format
from arena.exports.suppression import LEAST_PEOPLE, suppressing
from arena.exports.tables import as_markdown, told
from arena.releases.boards import RANKED, Count
from arena.releases.contents import Content, Made
from arena.releases.manifest import About

NAMES = {"en": "README.md", "eu": "README.eu.md"}
"""The hub shows the first one."""
_PREFERRED = (Format.PARQUET, Format.GZIP, Format.JSONL, Format.ZSTD)
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_LARGER = "1M<n<10M"


def hub_metadata(about: About) -> str:
    """YAML: a configuration a layout, of the format that is read fastest."""
    return yaml.safe_dump(
        {
            "pretty_name": about.name,
            "license": "cc0-1.0",
            "language": ["eu"],
            "task_categories": ["text-generation"],
            "tags": ["preferences", "human-feedback", "pairwise", "basque", "lehia"],
            "size_categories": [next((word for most, word in _SIZES if about.votes < most), _LARGER)],
            "configs": [
                {"config_name": layout, "data_files": [{"split": "train", "path": name}]}
                for layout, name in _configs(about)
            ],
        },
        sort_keys=False,
        allow_unicode=True,
    )


def card_context(about: About, everyone: Count, language: str) -> dict[str, Any]:
    """For the template ``releases/card.*.md`` of that language."""
    layouts = {each.content.layout.name: each.content.layout for each in about.made}
    ranked = next((each.content for each in about.made if each.content.layout.name in RANKED), None)
    return {
        "about": about,
        "metadata": hub_metadata(about),
        "until": about.cutoff.isoformat(timespec="minutes"),
        "hold_until": about.hold_until.date().isoformat(),
        "people": about.people_told,
        "least": LEAST_PEOPLE,
        "levels": _levels(everyone),
        "models": everyone.appearances,
        "files": [_told(each) for each in about.made],
        "layouts": [
            (name, told(layout.about, language), as_markdown(layout, language))
            for name, layout in layouts.items()
        ],
        "filters": _filters(about),
        "ranked": ranked and ranked.name,
        "citation": citation(about),
        "names": NAMES,
    }


def citation(about: About) -> str:
    """BibTeX."""
    return bibtex(about.slug, about.name, about.cutoff, about.held_at, is_final=about.is_final)


def bibtex(slug: str, name: str, cutoff: datetime, held_at: datetime, *, is_final: bool) -> str:
    """How a release is cited."""
    return (
        f"@misc{{{slug.replace('.', '-')},\n"
        f"  title = {{{name}: preferences between answers of Basque language models}},\n"
        f"  author = {{{{Lehia}}}},\n  year = {{{held_at.year}}},\n"
        f"  note = {{Release {slug}, votes until {cutoff.date().isoformat()}"
        f"{'' if is_final else ', provisional'}}},\n}}"
    )


def description(about: About) -> str:
    """One English sentence, for descriptions of one."""
    return (
        f"{about.votes} votes of volunteers on pairs of answers by Basque language models in a blind arena, until "
        f"{about.cutoff.date().isoformat()}: which was better in content, in its Basque, and overall."
    )


def _configs(about: About) -> list[tuple[str, str]]:
    found: dict[str, Content] = {}
    for form in _PREFERRED:
        for each in about.made:
            if each.content.form is form:
                found.setdefault(each.content.layout.name, each.content)
    return [
        (layout, found[layout].name)
        for layout in dict.fromkeys(each.content.layout.name for each in about.made)
    ]


def _levels(everyone: Count) -> list[tuple[str, str]]:
    """People by declared level, as the rows tell it; few are not counted."""
    shown = suppressing(everyone.declared)
    found: Counter[str] = Counter()
    for (level, education), people in everyone.declared.items():
        found[shown(level, education)[0]] += people
    return [
        (level, str(people) if people >= LEAST_PEOPLE else f"< {LEAST_PEOPLE}")
        for level, people in sorted(found.items(), key=lambda each: (not each[0], each[0]))
    ]


def _told(made: Made) -> dict[str, Any]:
    return {
        "name": made.content.name,
        "rows": made.rows,
        "size_bytes": made.size_bytes,
        "sha256": made.sha256,
    }


def _filters(about: About) -> list[tuple[str, Any]]:
    said = {name: about.filters.get(name) for name in ("campaign", "since", "until", "level", "excluded")}
    return [(name, value) for name, value in said.items() if value not in (None, "")]
