"""Keys made at first start and kept under the data folder, readable by their owner alone."""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path


def stored_key(data: Path, name: str, *, of_bytes: int = 32) -> str:
    """The key of that name, made on first use; two processes that start together agree on one."""
    folder = data / "secrets"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / name
    if not path.exists():
        draft = folder / f".{name}.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(base64.urlsafe_b64encode(secrets.token_bytes(of_bytes)).decode())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its key stands
        finally:
            draft.unlink()
    return path.read_text()
