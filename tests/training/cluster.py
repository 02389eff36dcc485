"""A Slurm cluster's edge: its commands as small scripts on ``PATH``, which write down how they were called."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

FAKES = {
    # numbers its jobs; refuses a file whose name is in refuse
    "sbatch": """
        for last; do :; done
        if [[ -f $HERE/refuse ]] && [[ $last == *"$(<"$HERE/refuse")"* ]]; then echo "sbatch: error: Invalid qos" >&2; exit 1; fi
        number=$(($(cat "$HERE/number" 2>/dev/null || echo 100) + 1)); echo "$number" >"$HERE/number"; echo "$number;cluster" """,
    "scancel": """
        if [[ $1 == --signal=KILL && -f $HERE/srun.pid ]]; then kill -KILL "$(<"$HERE/srun.pid")"; fi""",
    "squeue": """cat "$HERE/queue" 2>/dev/null || { echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1; }""",
    "scontrol": """[[ $1 != show ]] || printf 'node-01\\nnode-02\\n'""",
    # the run's step: what it does is in the file step
    "srun": """echo $$ >"$HERE/srun.pid"; source "$HERE/step" """,
}


_SCRIPT = """#!/bin/bash
HERE='{here}'
echo "{name} $*" >>"$HERE/calls"
{body}
"""


@dataclass
class Cluster:
    """Where the commands lie, and what they were asked."""

    here: Path

    @classmethod
    def at(cls, folder: Path) -> Cluster:
        folder.mkdir(parents=True, exist_ok=True)
        for name, body in FAKES.items():
            path = folder / name
            path.write_text(_SCRIPT.format(here=folder, name=name, body=body))
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return cls(folder)

    @property
    def path(self) -> str:
        return f"{self.here}:{os.environ['PATH']}"

    @property
    def calls(self) -> list[str]:
        """Commands with their arguments, in the order in which they came."""
        path = self.here / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def asked(self, command: str) -> list[str]:
        return [call for call in self.calls if call.startswith(f"{command} ")]

    @contextmanager
    def job(self, script: Path, step: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """A job's batch script as a node runs it; whatever is left of it goes with the end of the block."""
        (self.here / "step").write_text(step)
        (self.here / "srun.pid").unlink(missing_ok=True)
        given = {"SLURM_JOB_ID": "101", "SLURM_JOB_NODELIST": "node-[01-02]", "SLURM_CPUS_PER_TASK": "2"}
        with subprocess.Popen(
            ["bash", str(script)],
            env=os.environ | given | environment | {"PATH": self.path},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                yield process
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)

    def run(self, script: Path, step: str, **environment: str) -> tuple[int, str]:
        """A job's script from start to end: its status, and what it said."""
        with self.job(script, step, **environment) as process:
            return ended(process)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Status and words of a script that is about to end."""
    out, errors = process.communicate(timeout=120)
    return process.returncode, out + errors
