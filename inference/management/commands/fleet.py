"""``manage.py fleet plan|up|status|down|register FILE``: exit 0 done, 1 failed, 2 bad input."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from inference.errors import BadManifest, EndpointNotAllowed, InferenceError
from inference.fleet.errors import BadFleet
from inference.fleet.keys import API_KEY, read_keys
from inference.fleet.local import Local, Seen, State, local_host
from inference.fleet.memory import GIB
from inference.fleet.plan import plan
from inference.fleet.reading import read
from inference.fleet.servers import Plan
from inference.fleet.table import aligned, plan_table
from inference.fleet.targets import Target, render
from inference.services.fleet import register_fleet

FAILED, BAD_INPUT = 1, 2


class Command(BaseCommand):
    help = "Plan, start, watch, stop and register the model servers that a file describes."

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        planning = verbs.add_parser("plan", help="check the file, print the plan, and write a target's files")
        planning.add_argument("--target", choices=[each.value for each in Target])
        planning.add_argument("--output", type=Path, metavar="DIR")
        for verb, about in (
            ("up", "start this host's servers and wait until they are healthy"),
            ("status", "how this host's servers are; 1 unless all are healthy"),
            ("down", "end this host's servers"),
        ):
            verbs.add_parser(verb, help=about).add_argument(
                "--host", help="which of the file's hosts this is"
            )
        registering = verbs.add_parser("register", help="make the candidates' endpoints known to the site")
        registering.add_argument("--base-url", help="one address for all, such as a cluster's router")
        registering.add_argument("--key-file", help="where VLLM_API_KEY is, if not where the file says")
        for each in verbs.choices.values():
            each.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = plan(read(options["file"]))
            getattr(self, f"_{options['verb']}")(found, options)
        except (BadFleet, BadManifest, EndpointNotAllowed) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from None
        except InferenceError as error:
            raise CommandError(str(error), returncode=FAILED) from None

    def _plan(self, found: Plan, options: dict[str, Any]) -> None:
        if (options["target"] is None) != (options["output"] is None):
            raise BadFleet("give --target and --output together")
        self.stdout.write(plan_table(found), ending="")
        if options["target"]:
            self._write(render(found, Target(options["target"])), options["output"])

    def _write(self, files: dict[str, str], folder: Path) -> None:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            self.stdout.write(str(path))

    def _up(self, found: Plan, options: dict[str, Any]) -> None:
        self._show(self._local(found).up(found, local_host(found, options["host"])))

    def _status(self, found: Plan, options: dict[str, Any]) -> None:
        seen = self._local(found).status(found, local_host(found, options["host"]))
        self._show(seen)
        if any(each.state is not State.HEALTHY for each in seen):
            raise SystemExit(FAILED)

    def _down(self, found: Plan, options: dict[str, Any]) -> None:
        local_host(found, options["host"])
        for name in self._local(found).down():
            self.stdout.write(name)

    def _register(self, found: Plan, options: dict[str, Any]) -> None:
        endpoints = found.endpoints
        if options["base_url"]:
            endpoints = tuple(replace(each, base_url=options["base_url"]) for each in endpoints)
        keys = {file: _key(options["key_file"] or file) for file in {each.key_file for each in endpoints}}
        for each in register_fleet(endpoints=endpoints, keys=keys):
            line = {
                "candidate": each.candidate,
                "endpoint": str(each.endpoint.pk),
                "url": each.endpoint.base_url,
                "model": each.endpoint.model,
                "status": each.endpoint.status,
                "new": each.is_new,
            }
            self.stdout.write(json.dumps(line))

    def _local(self, found: Plan) -> Local:
        return Local(settings.LEHIA_DATA / "fleet" / found.fleet.fleet, self.stderr.write)

    def _show(self, seen: list[Seen]) -> None:
        rows = [("server", "state", "address", "pid", "GiB", "log")]
        for each in seen:
            memory = "-" if each.memory_bytes is None else f"{each.memory_bytes / GIB:.1f}"
            rows.append((each.name, each.state, each.url, str(each.pid or "-"), memory, str(each.log)))
        self.stdout.write(aligned(rows, right=(3, 4)), ending="")


def _key(file: str | None) -> str:
    if file is not None and not Path(file).exists():
        raise BadFleet(f"key_file {file} is not on this machine; --key-file names a copy that is")
    return read_keys(file).get(API_KEY, "")
