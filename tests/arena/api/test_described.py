"""The API against its own description: whatever is asked, answers are among those described, and none is a failure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from arena.api.site import api
from arena.types import ApiScope
from tests.arena.api.callers import token
from tests.arena.api.worlds import World

pytestmark = pytest.mark.django_db

schema = schemathesis.openapi.from_dict(json.loads(json.dumps(api.get_openapi_schema())))
schema.app = get_wsgi_application()


@pytest.fixture(autouse=True)
def in_the_tests_transaction() -> Iterator[None]:
    """Requests keep the connection that the test holds, as those of Django's own client do."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@schema.parametrize()
@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_asked_is_answered_as_described(case: schemathesis.Case[Any], world: World) -> None:
    """As it was made up, and then of what there is."""
    headers = {"Authorization": f"Bearer {token(*ApiScope).secret}"}
    # a cursor is a text, but not every text is a cursor
    case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])
    there = {"slug": world.campaign.board.slug, "snapshot_id": str(world.snapshot.pk), "code": world.code}
    case.path_parameters = {name: there[name] for name in case.path_parameters}
    case.call_and_validate(
        headers=headers, excluded_checks=[positive_data_acceptance, negative_data_rejection]
    )
