"""systemd: a unit a server, and a target that holds them together."""

from __future__ import annotations

from collections.abc import Sequence

from inference.fleet.commands import health_url, unit_name
from inference.fleet.servers import Plan, Process
from inference.fleet.targets.shell import command

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@")


def render(plan: Plan) -> dict[str, str]:
    """``HOST/lehia-FLEET-NAME.service`` for every server and router, and ``HOST/lehia-FLEET.target``."""
    files = {}
    for host in plan.fleet.hosts:
        here = plan.on(host.name)
        for each in here:
            files[f"{host.name}/{unit_name(plan, each.name)}.service"] = _unit(plan, each)
        if here:
            files[f"{host.name}/lehia-{plan.fleet.fleet}.target"] = _target(plan, here)
    return files


def _target(plan: Plan, here: Sequence[Process]) -> str:
    wants = " ".join(f"{unit_name(plan, each.name)}.service" for each in here)
    return (
        f"[Unit]\nDescription=Lehia fleet {plan.fleet.fleet}\nWants={wants}\n\n"
        "[Install]\nWantedBy=multi-user.target\n"
    )


def _unit(plan: Plan, each: Process) -> str:
    """A server's unit counts as started once it answers, so that the next one on its GPU waits for it."""
    started = command(plan, each)
    after = [f"{unit_name(plan, name)}.service" for name in each.after]
    within_s = int(each.model.start_within_s)
    lines = [
        "[Unit]",
        f"Description=Lehia model server {each.name}",
        f"PartOf=lehia-{plan.fleet.fleet}.target",
        f"After={' '.join(['network-online.target', *after])}",
        "Wants=network-online.target",
        "StartLimitIntervalSec=1h",
        "StartLimitBurst=5",
        "",
        "[Service]",
        "Type=exec",
        f"User={plan.fleet.targets.user}",
        *([f"EnvironmentFile={_escaped(each.host.key_file)}"] if each.host.key_file else []),
        *(f"Environment={_word(f'{name}={value}')}" for name, value in sorted(started.env.items())),
        f"ExecStart={_command(started.argv)}",
        f"ExecStartPost={_command(_probe(each, within_s))}",
        f"TimeoutStartSec={within_s + 30}",
        "TimeoutStopSec=60",
        "Restart=on-failure",
        "RestartSec=10",
        "LimitMEMLOCK=infinity",
        "NoNewPrivileges=yes",
        "PrivateTmp=yes",
        "ProtectSystem=full",
    ]
    return "\n".join(lines) + "\n"


def _probe(each: Process, within_s: int) -> list[str]:
    asked = ["/usr/bin/curl", "--silent", "--fail", "--output", "/dev/null", "--retry-all-errors"]
    return [*asked, "--retry", str(within_s // 2), "--retry-delay", "2", health_url(each)]


def _command(argv: Sequence[str]) -> str:
    """A command line, one option a line; ``$`` would be read as a variable."""
    text = ""
    for word in argv:
        text += (" \\\n    " if word.startswith("--") else " ") + _word(word).replace("$", "$$")
    return text.strip()


def _word(word: str) -> str:
    """A word as systemd reads it: specifiers escaped, quoted where it has other signs."""
    escaped = _escaped(word)
    if set(word) <= _PLAIN:
        return escaped
    return '"' + escaped.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _escaped(text: str) -> str:
    return text.replace("%", "%%")
