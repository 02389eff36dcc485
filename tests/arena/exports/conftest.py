"""What tests of exports share."""

from __future__ import annotations

from datetime import timedelta

import pytest


@pytest.fixture
def _a_while_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests need not wait until their votes are old enough."""
    monkeypatch.setattr("arena.services.exports.MARGIN", timedelta(seconds=-1))
