"""The examples of ``docs/api.md``, run as they stand; and the page about the API."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from arena.types import ApiScope
from tests.arena.api.callers import operations, token
from tests.arena.api.worlds import make_world


def commands(repository: Path) -> list[str]:
    text = (repository / "docs" / "api.md").read_text()
    block = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
    assert block
    return block[1].splitlines()


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl on this machine")
def test_the_documented_commands_read_what_they_say(live_server: Any, repository: Path) -> None:
    make_world()
    env = {**os.environ, "LEHIA": live_server.url, "TOKEN": token(ApiScope.VOTES).secret}
    told = [
        json.loads(subprocess.run(["sh", "-c", line], env=env, capture_output=True, check=True).stdout)
        for line in commands(repository)
    ]
    assert told[0]["items"][0]["slug"] == "lehia"
    assert (told[1]["n_votes"], told[2]["votes"]) == (3, 3)


def test_the_documentation_names_the_limits_that_hold(repository: Path) -> None:
    from arena import settings as site

    text = (repository / "docs" / "api.md").read_text()
    limits = f"{site.LEHIA_API_PER_ADDRESS} requests an address, {site.LEHIA_API_PER_TOKEN} a token"
    assert limits in text


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["eu", "es", "fr", "en"])
def test_the_page_about_the_api_lists_every_route(client: Client, language: str) -> None:
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    page = client.get(reverse("api")).content.decode()
    for operation in operations().values():
        assert f">{operation['x-path']}</code>" in page
    assert reverse("api:openapi") in page
    assert "<script" not in page
