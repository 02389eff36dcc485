"""Bash, as two targets write it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from inference.fleet.commands import command_of, health_url, router_command
from inference.fleet.servers import Plan, Process, RouterServer
from inference.presets import ServeCommand

HOME = "/var/cache/lehia/huggingface"

FUNCTIONS = """\
healthy() {  # PID URL SECONDS: wait until a server answers
  local last=$((SECONDS + $3))
  until curl --silent --fail --output /dev/null "$2"; do
    kill -0 "$1" 2>/dev/null || { echo "a server ended before it was healthy: $2" >&2; return 1; }
    [ "$SECONDS" -lt "$last" ] || { echo "not healthy after $3 s: $2" >&2; return 1; }
    sleep 2
  done
}
"""


def command(plan: Plan, each: Process) -> ServeCommand:
    """The command and environment of a server or router of the plan."""
    if isinstance(each, RouterServer):
        return ServeCommand(router_command(each, executable=plan.fleet.targets.router), {})
    return command_of(each, python=Path(plan.fleet.targets.python), home=Path(HOME))


def with_environment(started: ServeCommand) -> str:
    """One line that sets the variables and starts the command."""
    variables = [f"{name}={value}" for name, value in sorted(started.env.items())]
    return joined([*(["env", *variables] if variables else []), *started.argv])


def joined(words: Sequence[str]) -> str:
    """Words for a shell, an option and its values a line."""
    lines: list[list[str]] = [[]]
    for word in words:
        if word.startswith("--") and lines[-1]:
            lines.append([])
        lines[-1].append(shlex.quote(word))
    return " \\\n    ".join(" ".join(line) for line in lines)


def sources_keys(key_file: str | None) -> str:
    """Lines that export a key file's variables, which so stay off all command lines."""
    if key_file is None:
        return ""
    return f"set -a\n. {shlex.quote(key_file)}\nset +a\n"


def wait_line(each: Process, pid: str) -> str:
    return f"healthy {pid} {shlex.quote(health_url(each))} {int(each.model.start_within_s)}"
