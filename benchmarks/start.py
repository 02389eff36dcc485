"""``python -m benchmarks.start``: how long the demo takes to be ready, the second time."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from arena.embedded.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
READY = b"Lehia is at"


def time_start(folder: str) -> float:
    """Seconds until the demo says its address; it is stopped afterwards."""
    env = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    env |= {
        "LEHIA_DATA": folder,
        "LEHIA_MODELS": os.environ.get("LEHIA_MODELS", str(ROOT / "var" / "models")),
    }
    command = [sys.executable, "manage.py", "demo", "--port", str(free_port())]
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, env=env, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as demo:
        assert demo.stderr is not None
        for line in demo.stderr:
            if READY in line:
                break
        elapsed = time.perf_counter() - started
        demo.send_signal(signal.SIGTERM)
        demo.stderr.read()
    if demo.returncode:
        raise SystemExit(f"the demo ended with status {demo.returncode}")
    return elapsed


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="lehia-s-") as folder:
        Path(folder).chmod(0o711)
        rows = [
            {"case": case, "who": "lehia", "seconds": round(time_start(folder), 1)}
            for case in ("first start, models trained", "second start", "third start")
        ]
    for row in rows:
        print(f"{row['case']:<30} {row['seconds']:>6} s")
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(json.dumps({"bench": "start", "machine": machine, "rows": rows}))


if __name__ == "__main__":
    main()
