"""The embedded services, for real."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from arena.embedded import paths, postgres, secrets, valkey
from arena.embedded.errors import LockTimeout, PortTaken, StartFailed
from arena.embedded.lock import exclusive
from arena.embedded.ports import check_free, free_port, kept_port, listens
from arena.embedded.processes import end, spawn
from arena.embedded.supervisor import Service, Supervisor, end_leftovers
from inference.processes import birth, wait_until

SLEEP = [sys.executable, "-c", "import signal; print('up', flush=True); signal.pause()"]


@pytest.fixture
def data() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="lehia-e-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def test_a_cluster_is_made_once_and_found_again(data: Path) -> None:
    assert postgres.start(data, durable=False)
    try:
        assert not postgres.start(data)
        assert postgres.is_running(data)
    finally:
        postgres.stop(data)
    assert not postgres.is_running(data)
    postgres.stop(data)
    with postgres.running(data):
        assert postgres.is_running(data)
    assert not postgres.is_running(data)


def test_a_pid_file_left_over_from_a_crash_does_not_stop_a_start(data: Path) -> None:
    postgres.start(data, durable=False)
    pid_file = paths.postgres_data(data) / "postmaster.pid"
    left = pid_file.read_text()
    postgres.stop(data)
    pid_file.write_text(left)
    assert postgres.start(data, durable=False)
    postgres.stop(data)


def test_a_running_cluster_is_left_running_by_whoever_found_it(data: Path) -> None:
    postgres.start(data, durable=False)
    with postgres.running(data):
        pass
    assert postgres.is_running(data)
    postgres.stop(data)


def test_a_server_that_cannot_start_names_its_log(data: Path) -> None:
    postgres.start(data, durable=False)
    postgres.stop(data)
    (paths.postgres_data(data) / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(StartFailed, match=r"postgres\.log"):
        postgres.start(data)


def test_valkey_answers_on_its_socket(data: Path) -> None:
    url = paths.embedded_valkey_url(data)
    assert not valkey.answers(url)
    process = spawn(valkey.command(data), output=subprocess.DEVNULL)
    try:
        assert wait_until(lambda: valkey.answers(url), within_s=10)
    finally:
        end(process)
    assert list(paths.valkey_data(data).iterdir())


def test_a_long_data_folder_gets_a_short_socket_folder(data: Path) -> None:
    long = data / ("x" * 120)
    assert len(os.fsencode(paths.socket_folder(long))) < 80
    assert paths.socket_folder(long) == paths.socket_folder(long)
    assert paths.socket_folder(data) == data / "run"


def test_a_key_is_made_once_and_read_by_its_owner_alone(data: Path) -> None:
    first = secrets.stored_key(data, "secret_key")
    assert secrets.stored_key(data, "secret_key") == first
    assert secrets.stored_key(data, "field_key") != first
    assert (data / "secrets" / "secret_key").stat().st_mode & 0o077 == 0


def test_a_second_holder_of_a_lock_waits_and_says_so(data: Path) -> None:
    path = data / "locks" / "x"
    with exclusive(path), pytest.raises(LockTimeout, match="another process"), exclusive(path, within_s=0.1):
        pass
    with exclusive(path, within_s=1):
        pass


def test_a_taken_port_is_told_with_advice() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        assert listens(port)
        with pytest.raises(PortTaken, match=f"PORT={port + 1}"):
            check_free(port)
    check_free(free_port())


def test_a_kept_port_stays_until_it_is_taken_or_unreadable(tmp_path: Path) -> None:
    file = tmp_path / "run" / "site.port"
    first = kept_port(file)
    assert kept_port(file) == first
    with socket.socket() as other:
        other.bind(("127.0.0.1", first))
        other.listen()
        second = kept_port(file)
    assert second != first
    assert kept_port(file) == second
    file.write_text("bost")
    assert kept_port(file) == int(file.read_text())


def sleeper(name: str = "lo") -> Service:
    return Service(name, SLEEP, lambda: True)


def test_a_supervisor_starts_logs_and_ends_its_children(data: Path) -> None:
    echo = io.StringIO()
    supervisor = Supervisor(data, echo=echo)
    log = data / "logs" / "lehia.log"
    service = Service("lo", SLEEP, lambda: b"up" in log.read_bytes())
    supervisor.start(service)
    supervisor.wait_ready(service)
    (pid,) = [process.pid for process in supervisor._children.values()]
    supervisor.stop()
    supervisor.stop()
    assert birth(pid) is None
    assert "lo is ready" in echo.getvalue()
    assert b"lo       | up" in log.read_bytes()


def test_a_child_that_dies_at_once_fails_the_start(data: Path) -> None:
    supervisor = Supervisor(data, echo=io.StringIO())
    service = Service("hil", [sys.executable, "-c", "raise SystemExit(3)"], lambda: False)
    supervisor.start(service)
    with pytest.raises(StartFailed, match="status 3"):
        supervisor.wait_ready(service)
    supervisor.stop()


def test_a_child_that_never_gets_ready_fails_the_start(data: Path) -> None:
    supervisor = Supervisor(data, echo=io.StringIO())
    service = Service("lo", SLEEP, lambda: False, within_s=0.1)
    supervisor.start(service)
    with pytest.raises(StartFailed, match="not ready"):
        supervisor.wait_ready(service)
    supervisor.stop()


def test_a_watch_ends_with_its_flag_or_with_a_child(data: Path) -> None:
    supervisor = Supervisor(data, echo=io.StringIO())
    supervisor.start(sleeper())
    stop = threading.Event()
    stop.set()
    assert supervisor.watch(stop) is None
    next(iter(supervisor._children.values())).kill()
    assert supervisor.watch(threading.Event()) == "lo"
    supervisor.stop()


def test_children_end_with_a_supervisor_that_is_killed(data: Path, repository: Path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from arena.embedded.supervisor import Service, Supervisor\n"
        f"s = Supervisor(Path({str(data)!r}))\n"
        f"s.start(Service('lo', {SLEEP!r}, lambda: True))\n"
        "print(s._children['lo'].pid, flush=True)\n"
        "import signal; signal.pause()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert birth(child)
        parent.kill()
    assert wait_until(lambda: birth(child) is None, within_s=10)
    assert end_leftovers(data) == []


def test_no_other_thread_than_the_main_one_starts_what_ends_with_it() -> None:
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(spawn, SLEEP, output=subprocess.DEVNULL)
        with pytest.raises(RuntimeError, match="from the main thread"):
            done.result()


def test_the_next_start_ends_what_was_left_over_and_nothing_else(data: Path) -> None:
    left = spawn(SLEEP, output=subprocess.DEVNULL, death_signal=None)
    supervisor = Supervisor(data, echo=io.StringIO())
    supervisor._record("utzia", left.pid)
    supervisor._record("bestea", os.getpid())
    other = data / "run" / "children" / "bestea"
    other.write_text(other.read_text().replace('"birth": "', '"birth": "9'))  # our pid, another birth
    supervisor.stop()
    reaper = threading.Thread(target=left.wait)
    reaper.start()
    assert end_leftovers(data) == ["utzia"]
    reaper.join(10)
    assert left.returncode == -signal.SIGTERM
    assert not list((data / "run" / "children").iterdir())
