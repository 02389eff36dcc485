"""``docs/fleet.md``: its example is a fleet, and it leaves no field, target or verb out."""

from __future__ import annotations

import re

import msgspec
import pytest

from inference.fleet import config
from inference.fleet.plan import plan
from inference.fleet.reading import parse
from inference.fleet.targets import Target, render
from tests.database import REPOSITORY

PAGE = (REPOSITORY / "docs" / "fleet.md").read_text()
EXAMPLE = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)[0]


def structs() -> list[type[msgspec.Struct]]:
    found = [each for each in vars(config).values() if isinstance(each, type)]
    return [each for each in found if issubclass(each, msgspec.Struct) and each is not msgspec.Struct]


@pytest.mark.parametrize("target", list(Target))
def test_the_annotated_example_is_a_fleet_that_fits(target: Target) -> None:
    found = plan(parse(EXAMPLE))
    assert [each.code for each in found.endpoints] == ["latxa-8b", "exp_1_011_lora", "exp_2_111"]
    assert render(found, target)


def test_the_example_shows_every_field() -> None:
    fields = {field for each in structs() for field in each.__struct_fields__}
    missing = {field for field in fields if not re.search(rf"\b{field}\b", EXAMPLE)}
    assert missing == set()


def test_every_default_is_the_one_that_the_example_shows() -> None:
    text = re.sub(r"defaults:.*?\nmodels:", "models:", EXAMPLE, flags=re.DOTALL)
    bare = parse(text).models[0]
    shown = parse(EXAMPLE).models[0]
    differs = {
        name for name in config.Settings.__struct_fields__ if getattr(bare, name) != getattr(shown, name)
    }
    assert differs == {"share", "architecture"}


def test_the_page_names_every_target_and_option_that_servers_are_given() -> None:
    from inference.fleet.commands import command_of

    for target in Target:
        assert f"| `{target}` |" in PAGE
    options: set[str] = set()
    for server in plan(parse(EXAMPLE)).servers:
        words = command_of(server, python=REPOSITORY, home=REPOSITORY).argv
        options |= {word for word in words if word.startswith("--")}
    assert {each for each in options if each not in PAGE} <= {"--model", "--host", "--port"}
