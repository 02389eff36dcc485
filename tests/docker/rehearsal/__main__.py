"""Builds, starts, looks, and prints what was seen."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from arena.embedded.processes import end
from inference.fakes import FakeModelServer, fake_model_server
from tests.docker import edge as strangers
from tests.docker.edge import Crowd, Edge
from tests.docker.rehearsal import recipes, stacks
from tests.docker.rehearsal.stacks import Stack
from tests.docker.rehearsal.trees import Built, Tree, debian

REPOSITORY = Path(__file__).resolve().parents[3]
CODENAME = "bookworm"
A_MINUTE = 20


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def image(folder: Path) -> Tree:
    """The site's image, by the steps of its Dockerfile."""
    stages = recipes.read((REPOSITORY / "docker" / "Dockerfile").read_text())
    base = debian(folder, CODENAME)
    version = (base / "etc" / "debian_version").read_text().strip()
    wanted = {stage.base for stage in stages}
    say(f"a clean Debian {version} stands in for {', '.join(wanted)}")
    built = Built(base, REPOSITORY, folder)
    return [built.build(stage) for stage in stages][-1]


def size_mb(folder: Path) -> int:
    done = subprocess.run(["du", "-sm", str(folder)], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])


async def looked_at(stack: Stack, edge: Edge, web: dict[str, subprocess.Popen[bytes]]) -> dict[str, object]:
    """All that strangers may expect, then the rolling restart."""
    gate = asyncio.Event()
    servers = [FakeModelServer(words=("Bat\n\n", "bi ", "hiru"), gate=gate) for _ in range(2)]
    async with fake_model_server(servers[0]), fake_model_server(servers[1]):
        for number, each in enumerate(servers):
            add = (
                "python",
                "manage.py",
                "add_endpoint",
                "--url",
                each.base_url,
                "--model",
                f"eredua-{number}",
            )
            await asyncio.to_thread(stack.once, "worker", *add)
        for check in (
            strangers.plain_requests_are_led_to_tls,
            strangers.pages_have_their_headers_and_cookies,
            strangers.static_files_come_from_the_proxy,
            strangers.what_is_asked_inside_is_closed,
            strangers.large_requests_are_refused,
            strangers.only_pages_of_the_site_open_sockets,
        ):
            await check(edge)
            say(f"ok: {check.__name__.replace('_', ' ')}")
        await strangers.frames_are_not_held_back(edge, gate)
        await strangers.events_are_not_held_back(edge, gate)
        say("ok: frames and events arrive as they are written")
        await strangers.a_told_address_counts_for_nothing(edge, most=A_MINUTE)
        say("ok: a told address counts for nothing")
        crowd = Crowd(edge)
        async with crowd.at_work():
            for name in list(web):
                await crowd.until_more(50)
                began = time.monotonic()
                web[name].terminate()
                await asyncio.to_thread(web[name].wait, 300)
                web[name] = stack.start(name)
                await asyncio.to_thread(stack.wait_ready, name, web[name])
                say(f"ok: {name} was ended and is ready again after {time.monotonic() - began:.1f} s")
            await crowd.until_more(50)
        assert crowd.failed == (), crowd.failed
    return {"requests_during_restarts": crowd.answered, "failed": len(crowd.failed)}


def memory_mb(pid: int) -> int:
    """The proportional set size of a process."""
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(next(line for line in rollup.splitlines() if line.startswith("Pss:")).split()[1]) // 1024


def main() -> int:
    parser = argparse.ArgumentParser(prog="make rehearse")
    parser.add_argument(
        "--folder", type=Path, default=Path("/var/tmp/lehia-rehearsal"), help="trees; a few GB"
    )
    asked = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("mmdebstrap"):
        say("a rehearsal needs root and mmdebstrap")
        return 2
    asked.folder.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    tree = image(asked.folder)
    told: dict[str, object] = {
        "build_seconds": round(time.monotonic() - began),
        "image_mb": size_mb(tree.root),
    }
    packages = subprocess.run(
        tree.entered(
            ["python", "-c", "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"]
        ),
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    told["packages"] = len(packages)
    assert not {"torch", "transformers", "vllm", "pip"} & set(packages)
    with tempfile.TemporaryDirectory(prefix="lehia-rehearsal-") as scratch, ExitStack() as ends:
        Path(scratch).chmod(0o755)
        overrides = {"LEHIA_API_PER_ADDRESS": str(A_MINUTE), "LEHIA_DRAIN_S": "5"}
        stack = Stack(tree, Path(scratch), stacks.services(REPOSITORY), overrides)
        ends.enter_context(stacks.data_services(stack))
        stack.once("migrate")
        say("ok: set up on an empty database")
        stack.once("web-1", "python", "manage.py", "check", "--deploy", "--fail-level", "WARNING")
        say("ok: manage.py check --deploy finds nothing")
        web = {name: stack.start(name) for name in ("web-1", "web-2")}
        ends.callback(lambda: [end(each) for each in web.values()])
        worker, beat = stack.start("worker"), stack.start("beat")
        for each in (worker, beat):
            ends.callback(end, each)
        for name, process in web.items():
            stack.wait_ready(name, process)
        edge = ends.enter_context(stacks.front(stack, REPOSITORY))
        told |= asyncio.run(looked_at(stack, edge, web))
        stack.once("worker", *stack.known["worker"]["healthcheck"]["test"][1:])
        say("ok: the worker answers its health check")
        told["memory_mb"] = {"worker": memory_mb(worker.pid), "beat": memory_mb(beat.pid)} | {
            name: memory_mb(process.pid) for name, process in web.items()
        }
        told["logs"] = {path.name: path.stat().st_size for path in (Path(scratch) / "logs").iterdir()}
    told["seconds"] = round(time.monotonic() - began)
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
