"""torch's distributed checkpoint, read tensor by tensor in one process without a process group."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from training.errors import BadCheckpoint
from training.export.weights import Stored, plain

if TYPE_CHECKING:
    import torch
    from torch.distributed.checkpoint.filesystem import FileSystemReader
    from torch.distributed.checkpoint.metadata import Metadata

_TABLE = ".metadata"


class Sharded:
    """What ``fully_shard`` or FSDP1 wrote as shards, of however many processes.

    Each tensor is put together from its parts; no more than one is in memory. Optimizer states in the same folder are passed over.

    Parameters
    ----------
    folder
        With ``.metadata`` and the ``.distcp`` files.

    Raises
    ------
    BadCheckpoint
        Where a file is missing or too short, with one of the tensors that it holds; where the table is missing, the save did not end.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._metadata = _table(folder)
        _check_files(folder, self._metadata)

    @cached_property
    def _keys(self) -> dict[str, str]:
        from torch.distributed.checkpoint.metadata import TensorStorageMetadata

        paths: Mapping[str, tuple[str | int, ...]] = self._metadata.planner_data or {}
        keys: dict[str, str] = {}
        for key, entry in self._metadata.state_dict_metadata.items():
            path = paths.get(key, (key,))
            if isinstance(entry, TensorStorageMetadata) and (len(path) == 1 or path[0] == "model"):
                keys[plain(str(path[-1]))] = key
        return keys

    @cached_property
    def tensors(self) -> Mapping[str, Stored]:
        entries: dict[str, Any] = self._metadata.state_dict_metadata
        return {
            name: Stored(tuple(entries[key].size), entries[key].properties.dtype)
            for name, key in self._keys.items()
        }

    @cached_property
    def _reader(self) -> FileSystemReader:
        from torch.distributed.checkpoint.filesystem import FileSystemReader

        known = self._metadata

        class Reader(FileSystemReader):
            """Reads the table once, not once a tensor: that of 256 processes takes seconds."""

            def read_metadata(self, *args: object, **kwargs: object) -> Metadata:
                return known

        return Reader(self._folder)

    def read(self, name: str) -> torch.Tensor:
        import torch
        from torch.distributed.checkpoint.state_dict_loader import load

        stored = self.tensors[name]
        target = torch.empty(stored.shape, dtype=stored.dtype)
        with warnings.catch_warnings():
            # that there is no process group is what we want
            warnings.filterwarnings("ignore", message="torch.distributed is disabled")
            load({self._keys[name]: target}, storage_reader=self._reader, no_dist=True)
        return target


def _table(folder: Path) -> Metadata:
    from torch.distributed.checkpoint.filesystem import FileSystemReader

    try:
        return FileSystemReader(folder).read_metadata()
    except FileNotFoundError:
        raise BadCheckpoint(
            f"{folder / _TABLE}: missing; it is written last, so this save did not end"
        ) from None
    except (pickle.UnpicklingError, EOFError) as error:
        raise BadCheckpoint(f"{folder / _TABLE}: {error}") from None


def _check_files(folder: Path, metadata: Metadata) -> None:
    """Every part of a tensor lies within its file."""
    ends: dict[str, tuple[int, str]] = {}
    for index, part in (metadata.storage_data or {}).items():
        ends[part.relative_path] = max(
            ends.get(part.relative_path, (0, "")), (part.offset + part.length, index.fqn)
        )
    for file, (end, tensor) in sorted(ends.items()):
        path = folder / file
        if not path.is_file():
            raise BadCheckpoint(f"{path}: missing; it holds parts of {tensor} and others")
        if path.stat().st_size < end:
            raise BadCheckpoint(f"{path}: cut short at {path.stat().st_size} of {end} bytes, within {tensor}")
