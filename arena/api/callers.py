"""Who asks: somebody with a token, or an address."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import cast

from django.conf import settings
from django.http import HttpRequest
from ninja.security.http import HttpAuthBase

from arena.addresses import household
from arena.api.problems import ApiProblem
from arena.models import ApiToken
from arena.selectors.tokens import good_token
from arena.services.limits import seconds_to_wait
from arena.types import ApiScope
from arena.visitors import address_of

_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="lehia"'}
_BAD_TOKEN = {"WWW-Authenticate": 'Bearer realm="lehia", error="invalid_token"'}
_NARROW_TOKEN = {"WWW-Authenticate": 'Bearer realm="lehia", error="insufficient_scope"'}


@dataclass(frozen=True, slots=True)
class Caller:
    token: ApiToken | None


class ApiRequest(HttpRequest):
    """A request that was admitted."""

    caller: Caller


def admit(request: HttpRequest) -> Caller:
    """Find out who asks, and count the request. Two queries with a token, else one.

    Raises ``ApiProblem``: 401 for a token that opens nothing, which counts for the address that tries it; 429 beyond the limit.
    """
    secret = _secret_of(request)
    token = good_token(secret) if secret is not None else None
    if token is not None:
        _count(f"token {token.pk}", settings.LEHIA_API_PER_TOKEN)
    else:
        _count(f"address {household(address_of(request))}", settings.LEHIA_API_PER_ADDRESS)
    if secret is not None and token is None:
        detail = (
            "This token is not known, was revoked or has expired. Ask staff for another one, or leave it out."
        )
        raise ApiProblem(HTTPStatus.UNAUTHORIZED, detail, headers=_BAD_TOKEN)
    return Caller(token)


def _count(who: str, most: int) -> None:
    wait_s = seconds_to_wait(who, most=most)
    if wait_s is not None:
        raise ApiProblem(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"At most {most} requests a minute. Ask again in {wait_s} s.",
            headers={"Retry-After": str(wait_s)},
        )


def _secret_of(request: HttpRequest) -> str | None:
    """What stands after ``Bearer``; empty for another way to log in, which none is."""
    sent = request.headers.get("Authorization")
    if sent is None:
        return None
    scheme, _, secret = sent.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else ""


class Bearer(HttpAuthBase):
    """Asks for a token, of a scope if one is named."""

    openapi_scheme = "bearer"

    def __init__(self, scope: ApiScope | None) -> None:
        super().__init__()
        self.scope = scope

    def __call__(self, request: HttpRequest) -> Caller:
        caller = cast(ApiRequest, request).caller
        if caller.token is None:
            detail = "Send a token: Authorization: Bearer lehia_... Staff issue them."
            raise ApiProblem(HTTPStatus.UNAUTHORIZED, detail, headers=_CHALLENGE)
        if self.scope is not None and self.scope.value not in caller.token.scopes:
            detail = f"This token lacks the scope {self.scope.value}. Ask staff for one that has it."
            raise ApiProblem(HTTPStatus.FORBIDDEN, detail, headers=_NARROW_TOKEN)
        return caller
