"""Trees of files that programs run in as if they were the whole machine, without a container engine."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.docker.rehearsal.recipes import Stage, Step

AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
_LENT = ("/etc/resolv.conf", "/etc/hosts")


def debian(folder: Path, codename: str) -> Path:
    """A clean Debian of that name, made once."""
    tree = folder / codename
    if not tree.exists():
        draft = folder / f".{codename}"
        shutil.rmtree(draft, ignore_errors=True)
        subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", codename, str(draft)], check=True)
        draft.rename(tree)
    return tree


@dataclass
class Tree:
    """What a stage has become so far, and what its next step runs with."""

    root: Path
    env: dict[str, str] = field(
        default_factory=lambda: {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    )
    cwd: str = "/"
    user: str = "0:0"
    shell: list[str] = field(default_factory=lambda: ["/bin/sh", "-c"])
    command: list[str] = field(default_factory=list)

    def inside(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def entered(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        binds: Mapping[str, Path] | None = None,
        scratch: Sequence[str] = (),
        read_only: bool = False,
    ) -> list[str]:
        """The command line that runs *argv* in the tree, in mounts of its own: folders and files lent, memory for scratch, the rest as it is or read-only.

        Everything is done before the last ``exec``: the process that is started is the program, and signals reach it.
        """
        root = str(self.root)
        steps = [
            "mount --make-rprivate /",
            f"mount --bind {root} {root}",
            f"mount -t proc proc {root}/proc",
            f"mount --rbind /dev {root}/dev",
        ]
        lent = {path: Path(path) for path in _LENT} | dict(binds or {})
        for target, source in lent.items():
            self._make_place(target, source)
            steps.append(f"mount --bind {shlex.quote(str(source))} {self.inside(target)}")
        for target in scratch:
            self.inside(target).mkdir(parents=True, exist_ok=True)
            steps.append(f"mount -t tmpfs -o mode=1777 tmpfs {self.inside(target)}")
        if read_only:
            steps.append(f"mount -o remount,bind,ro {root}")
        uid, gid = self.user.split(":")
        ordinary = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"] if uid != "0" else []
        known = {**self.env, **(env or {})}
        last = [
            *("chroot", root, "/usr/bin/env", "-i", *(f"{name}={value}" for name, value in known.items())),
            *("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *ordinary),
            *("/bin/sh", "-c", f'cd {shlex.quote(self.cwd)} && exec "$@"', "sh", *argv),
        ]
        return ["unshare", "--mount", "/bin/sh", "-ec", f"{'; '.join(steps)}; exec {shlex.join(last)}"]

    def _make_place(self, target: str, source: Path) -> None:
        place = self.inside(target)
        if source.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.touch()


class Built:
    """The stages of a Dockerfile, each in a tree of its own."""

    def __init__(self, base: Path, context: Path, folder: Path) -> None:
        self._base, self._context, self._folder = base, context, folder
        self._trees: dict[str, Tree] = {}

    def build(self, stage: Stage) -> Tree:
        root = self._folder / stage.name
        shutil.rmtree(root, ignore_errors=True)
        subprocess.run(["cp", "--archive", "--reflink=auto", str(self._base), str(root)], check=True)
        tree = self._trees[stage.name] = Tree(root)
        for step in stage.steps:
            sys.stderr.write(f"{stage.name}: {step.word} {step.rest[:100]}\n")
            self._do(tree, step)
        return tree

    def _do(self, tree: Tree, step: Step) -> None:
        match step.word:
            case "RUN":
                self._run(tree, step.rest)
            case "COPY":
                self._copy(tree, *step.copied())
            case "ENV":
                known = {
                    name: value.replace("$PATH", tree.env["PATH"]) for name, value in step.pairs().items()
                }
                tree.env |= known
            case "WORKDIR":
                tree.cwd = step.rest
                tree.inside(tree.cwd).mkdir(parents=True, exist_ok=True)
            case "USER":
                tree.user = step.rest
            case "SHELL":
                tree.shell = step.argv()
            case "CMD":
                tree.command = step.argv()
            case "EXPOSE" | "HEALTHCHECK":
                pass
            case _:
                raise ValueError(f"{step.word} is a step that the rehearsal does not know")

    def _run(self, tree: Tree, command: str) -> None:
        """With this machine's certificates and pip's settings lent: registries may stand behind them."""
        lent = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        binds = {"/run/authorities.crt": AUTHORITIES}
        env = lent | {"PIP_CERT": "/run/authorities.crt", "DEBIAN_FRONTEND": "noninteractive"}
        argv = tree.entered([*tree.shell, command], env=env, binds=binds)
        subprocess.run(argv, stdout=sys.stderr, check=True)
        tree.inside("/run/authorities.crt").unlink()

    def _copy(self, tree: Tree, stage: str | None, sources: list[str], target: str) -> None:
        """From the context only what is in the repository, as an engine that reads the list of what is ignored takes it."""
        place = tree.inside(target if target.startswith("/") else f"{tree.cwd}/{target}")
        for source in sources:
            if stage:
                subprocess.run(
                    [
                        "cp",
                        "--archive",
                        "--no-target-directory",
                        str(self._trees[stage].inside(source)),
                        str(place),
                    ],
                    check=True,
                )
                continue
            files = subprocess.run(
                ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", source],
                cwd=self._context,
                capture_output=True,
                text=True,
                check=True,
            ).stdout.split("\0")
            for file in filter(None, files):
                within = (
                    Path(file).relative_to(source)
                    if (self._context / source).is_dir()
                    else Path(Path(file).name)
                )
                into = place / within
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self._context / file, into)
