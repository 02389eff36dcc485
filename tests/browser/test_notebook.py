"""The notebook of the docs, run against the demo as a researcher runs it."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

pytestmark = pytest.mark.model_server
NOTEBOOKS = "docs/notebooks/*.ipynb"


def code(path: Path) -> list[nbformat.NotebookNode]:
    book = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    nbformat.validate(book)
    return [cell for cell in book.cells if cell.cell_type == "code"]


def test_notebooks_run_from_top_to_bottom_against_the_demo(
    repository: Path, site: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LEHIA", site)
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    paths = sorted(repository.glob(NOTEBOOKS))
    assert paths
    for path in paths:
        book = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
        NotebookClient(book, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
        said = [output for cell in book.cells for output in cell.get("outputs", ())]
        assert any("image/png" in each.get("data", {}) for each in said)
        assert any("ratings differ by at most" in each.get("text", "") for each in said)


def test_notebooks_are_stored_without_what_they_said(repository: Path) -> None:
    for path in repository.glob(NOTEBOOKS):
        assert all(not cell.outputs and cell.execution_count is None for cell in code(path))
