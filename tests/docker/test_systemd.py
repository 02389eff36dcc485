"""The units for a bare server."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = (
    "lehia.target",
    "lehia-site-setup.service",
    "lehia-site-web@.service",
    "lehia-site-worker.service",
    "lehia-site-beat.service",
)
PROGRAMS = ("/opt/lehia/venv/bin/python", "/opt/lehia/venv/bin/celery", "/usr/bin/curl")


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze here")
def test_systemd_accepts_every_unit(repository: Path, tmp_path: Path) -> None:
    shutil.copytree(repository / "docker" / "systemd", tmp_path, dirs_exist_ok=True)
    for path in tmp_path.glob("*.service"):
        text = path.read_text()
        for program in PROGRAMS:  # their places are the server's
            text = text.replace(program, "/bin/true")
        path.write_text(text)
    ours = [str(tmp_path / name.replace("@.", "@1.")) for name in UNITS]
    (tmp_path / "lehia-site-web@.service").rename(tmp_path / "lehia-site-web@1.service")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *ours], capture_output=True, text=True, check=False
    )
    assert [line for line in done.stderr.splitlines() if "lehia" in line] == []


def test_every_credential_is_told_and_every_told_one_is_loaded(repository: Path) -> None:
    text = (repository / "docker/systemd/lehia-site-.service.d/common.conf").read_text()
    loaded = set(re.findall(r"^LoadCredential=(\w+):/etc/lehia/secrets/\1$", text, re.MULTILINE))
    assert set(re.findall(r"_FILE=%d/(\w+)", text)) == loaded
    assert loaded == {"database_url", "redis_url", "email_url", "secret_key", "field_keys", "metrics_token"}


def test_the_target_starts_what_there_is(repository: Path) -> None:
    folder = repository / "docker" / "systemd"
    wanted = set(re.findall(r"lehia-site-\w+@?\d?\.service", (folder / "lehia.target").read_text()))
    for name in wanted:
        assert (folder / re.sub(r"@\d", "@", name)).exists()
    assert len(wanted) == len(UNITS) - 1


def test_the_worker_tells_its_figures_on_this_host_alone(repository: Path) -> None:
    text = (repository / "docker/systemd/lehia-site-worker.service").read_text()
    assert re.findall(r"^Environment=LEHIA_WORKER_METRICS=(\S+):\d+$", text, re.MULTILINE) == ["127.0.0.1"]
