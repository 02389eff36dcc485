"""``up``, ``status`` and ``down`` on real processes; a small server stands where vLLM would."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from inference.fleet import processes
from inference.fleet.errors import BadFleet, FleetFailed
from inference.fleet.keys import read_keys
from inference.fleet.local import Local, Seen, State, local_host
from inference.fleet.processes import Record, boot
from inference.fleet.servers import Plan
from inference.processes import birth, wait_until
from tests.inference.fleets import HOST, model, model_folder, planned

ENGINE = Path(__file__).parent / "engine"
KEY = "sk-gako-oso-sekretua"


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


class Machine:
    """A host with a fleet of so many servers on one GPU, and the records of what runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.local = Local(folder / "state", self.said.append)
        self._weights = model_folder(folder / "m")
        self._ports = free_ports(3)
        self.key_file = folder / "keys.env"
        self.key_file.write_text(f"# for tests\n\nVLLM_API_KEY={KEY}\n")

    def plan(self, *names: str, **more: Any) -> Plan:
        base = {"share": 0.3, "sequences": 2, "context": 512, "environment": {"PYTHONPATH": str(ENGINE)}}
        models = [
            model(self._weights, name=name, port=port) | base | more
            for name, port in zip(names, self._ports, strict=False)
        ]
        host = HOST | {"key_file": str(self.key_file)}
        return planned(*models, hosts=[host], targets={"python": sys.executable})

    def up(self, plan: Plan) -> list[Seen]:
        self.said.clear()
        return self.local.up(plan, "gpu1")

    def states(self, plan: Plan) -> list[State]:
        return [each.state for each in self.local.status(plan, "gpu1")]

    def record(self, name: str) -> Record:
        return msgspec.json.decode((self.folder / "state" / "run" / f"{name}.json").read_bytes(), type=Record)

    def rewrite(self, name: str, record: Record) -> None:
        (self.folder / "state" / "run" / f"{name}.json").write_bytes(msgspec.json.encode(record))


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    found = Machine(tmp_path)
    yield found
    found.local.down()


def told(seen: Seen) -> dict[str, Any]:
    with urllib.request.urlopen(f"{seen.url}/told", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: birth(pid) is None, within_s=10)


# ---- up


def test_servers_come_up_in_order_and_healthy(machine: Machine) -> None:
    seen = machine.up(machine.plan("a", "b"))
    assert [(each.name, each.state) for each in seen] == [("a", State.HEALTHY), ("b", State.HEALTHY)]
    a, b = (
        machine.said.index("a is healthy"),
        next(n for n, s in enumerate(machine.said) if "starting b" in s),
    )
    assert a < b
    assert all(each.memory_bytes for each in seen)
    argv = told(seen[0])["argv"]
    assert argv[argv.index("--served-model-name") + 1] == "a"


def test_up_again_leaves_what_runs_alone(machine: Machine) -> None:
    plan = machine.plan("a", "b")
    first = machine.up(plan)
    assert [each.pid for each in machine.up(plan)] == [each.pid for each in first]
    assert "a is running" in machine.said


def test_up_starts_again_what_died(machine: Machine) -> None:
    plan = machine.plan("a", "b")
    first = machine.up(plan)
    assert first[0].pid is not None
    kill(first[0].pid)
    assert machine.states(plan) == [State.DEAD, State.HEALTHY]
    again = machine.up(plan)
    assert [each.state for each in again] == [State.HEALTHY] * 2
    assert again[0].pid != first[0].pid
    assert again[1].pid == first[1].pid


def test_up_replaces_what_runs_otherwise_and_ends_what_the_file_names_no_more(machine: Machine) -> None:
    first = machine.up(machine.plan("a", "b"))
    changed = machine.up(machine.plan("a", sequences=3))
    assert changed[0].pid != first[0].pid
    assert "3" in told(changed[0])["argv"]
    assert birth(first[1].pid or 0) is None


def test_a_server_outlives_the_command_that_started_it(machine: Machine) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.inference.test_fleet_local import Machine\n"
        "m = Machine(Path(sys.argv[1])); m._ports = [int(sys.argv[2])]; m.up(m.plan('a'))\n"
    )
    machine._ports = free_ports(1)
    argv = [sys.executable, "-c", code, str(machine.folder), str(machine._ports[0])]
    subprocess.run(argv, check=True, env=os.environ | {"PYTHONPATH": "."})
    assert machine.states(machine.plan("a")) == [State.HEALTHY]
    assert machine.local.down() == ["a"]


def test_a_server_that_ends_at_once_is_reported_with_its_log_and_the_others_stay(machine: Machine) -> None:
    machine.up(machine.plan("a"))
    good, bad = machine.plan("a", "b"), machine.plan("a", "b", flags=["--dies"])
    mixed = replace(good, servers=(good.servers[0], bad.servers[1]))
    with pytest.raises(FleetFailed, match=r"b ended before it was healthy; see .*b\.log"):
        machine.up(mixed)
    assert "the weights are not there" in machine.local.log("b").read_text()
    assert machine.states(mixed) == [State.HEALTHY, State.DEAD]


def test_a_server_that_never_answers_is_given_up_in_its_time(machine: Machine) -> None:
    plan = machine.plan("a", flags=["--mute"], start_within_s=0.5)
    with pytest.raises(FleetFailed, match=r"a was not healthy after 0\.5 s; see .*a\.log"):
        machine.up(plan)
    assert machine.states(plan) == [State.STARTING]


def test_a_port_in_use_is_named(machine: Machine) -> None:
    plan = machine.plan("a")
    with socket.socket() as other:
        other.bind(("127.0.0.1", plan.servers[0].port))
        other.listen()
        with pytest.raises(
            FleetFailed, match=rf"a: 127\.0\.0\.1 port {plan.servers[0].port}: .*another program"
        ):
            machine.up(plan)


def test_a_missing_engine_is_named(machine: Machine) -> None:
    plan = machine.plan("a")
    targets = msgspec.structs.replace(plan.fleet.targets, python="/nowhere/python")
    absent = replace(plan, fleet=msgspec.structs.replace(plan.fleet, targets=targets))
    with pytest.raises(
        FleetFailed, match=r"/nowhere/python: No such file or directory; is the engine installed"
    ):
        machine.up(absent)


def test_two_commands_do_not_work_on_one_fleet_at_once(machine: Machine, tmp_path: Path) -> None:
    lock = tmp_path / "state" / "lock"
    with (
        processes.exclusive(lock),
        pytest.raises(FleetFailed, match="another command is at work"),
        processes.exclusive(lock, within_s=0),
    ):
        pass


# ---- down


def test_down_ends_servers_with_all_that_they_started_the_last_first(machine: Machine) -> None:
    seen = machine.up(machine.plan("a", "b"))
    children = [told(each)["child"] for each in seen]
    assert machine.local.down() == ["b", "a"]
    assert [birth(pid) for pid in (*children, *(each.pid or 0 for each in seen))] == [None] * 4
    assert machine.states(machine.plan("a", "b")) == [State.DOWN, State.DOWN]
    assert machine.local.down() == []


def test_what_does_not_end_when_asked_is_killed_with_its_children(machine: Machine) -> None:
    [seen] = machine.up(machine.plan("a", flags=["--stubborn"]))
    child = told(seen)["child"]
    assert processes.end(machine.record("a"), within_s=0.2)
    assert (birth(child), birth(seen.pid or 0)) == (None, None)


@pytest.mark.parametrize("verb", ["up", "down"])
def test_what_a_killed_server_left_behind_is_ended_too(machine: Machine, verb: str) -> None:
    """A child that went on would keep its GPU's memory, and the next server would not fit."""
    plan = machine.plan("a")
    [seen] = machine.up(plan)
    child = told(seen)["child"]
    kill(seen.pid or 0)
    assert birth(child) is not None
    assert machine.states(plan) == [State.DEAD]
    machine.up(plan) if verb == "up" else machine.local.down()
    assert birth(child) is None


@pytest.mark.parametrize("change", [{"birth": "1"}, {"boot": "another"}])
def test_a_number_that_was_given_out_again_is_never_killed(machine: Machine, change: dict[str, str]) -> None:
    """The record of a server whose pid belongs to another process by now: here, a bystander's."""
    plan = machine.plan("a")
    bystander = subprocess.Popen(["sleep", "600"])
    try:
        born = birth(bystander.pid)
        assert born is not None
        values = {"birth": born, "boot": boot()} | change
        record = Record(pid=bystander.pid, command="x", url="http://127.0.0.1:1", **values)
        (machine.folder / "state" / "run").mkdir(parents=True)
        machine.rewrite("a", record)
        assert machine.states(plan) == [State.DEAD]
        assert machine.local.down() == []
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_torn_record_is_no_server(machine: Machine) -> None:
    (machine.folder / "state" / "run").mkdir(parents=True)
    (machine.folder / "state" / "run" / "a.json").write_text("{")
    assert machine.states(machine.plan("a")) == [State.DOWN]


# ---- secrets


def test_the_key_reaches_the_server_by_its_environment_alone_and_the_sites_secrets_do_not(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEHIA_SECRET_KEY", "sekretua")
    monkeypatch.setenv("DATABASE_URL", "postgresql://x")
    [seen] = machine.up(machine.plan("a"))
    found = told(seen)
    assert found["env"]["VLLM_API_KEY"] == KEY
    assert KEY not in " ".join(found["argv"])
    assert not {"LEHIA_SECRET_KEY", "DATABASE_URL", "LEHIA_DATA"} & set(found["env"])
    everything = "".join(path.read_text() for path in (machine.folder / "state").rglob("*") if path.is_file())
    assert KEY not in everything + "".join(machine.said)


def test_a_new_key_starts_the_server_anew(machine: Machine) -> None:
    plan = machine.plan("a")
    [first] = machine.up(plan)
    machine.key_file.write_text("VLLM_API_KEY=another\n")
    [second] = machine.up(plan)
    assert told(second)["env"]["VLLM_API_KEY"] == "another"
    assert first.pid != second.pid


@pytest.mark.parametrize("line", ["VLLM_API_KEY", "A=b c", 'A="b"', "A=$B", "1A=b", "export A=b"])
def test_a_key_file_that_its_readers_would_read_differently_is_refused_without_its_text(
    tmp_path: Path, line: str
) -> None:
    path = tmp_path / "keys.env"
    path.write_text(f"# keys\nB=isilpekoa\n{line}\n")
    with pytest.raises(BadFleet, match=r"keys\.env: line 3 is not NAME=value") as caught:
        read_keys(str(path))
    assert line not in str(caught.value).replace("NAME=value", "")


def test_a_key_file_that_lacks_is_named() -> None:
    assert read_keys(None) == {}
    with pytest.raises(BadFleet, match=r"key_file /nowhere/keys\.env: No such file"):
        read_keys("/nowhere/keys.env")


# ---- which host


def test_the_host_is_the_only_one_or_named(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    two = planned(model(folder), hosts=[HOST, HOST | {"name": "gpu2"}])
    assert local_host(planned(model(folder)), None) == "gpu1"
    assert local_host(two, "gpu2") == "gpu2"
    for name in (None, "gpu9"):
        with pytest.raises(BadFleet, match="say which host this is by --host: gpu1, gpu2"):
            local_host(two, name)
