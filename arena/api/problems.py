"""What the API refuses, in one form: RFC 9457's problem objects, in English, for programs."""

from __future__ import annotations

from http import HTTPStatus

from django.http import JsonResponse
from ninja import Schema
from ninja.errors import ValidationError

MEDIA_TYPE = "application/problem+json"


class Fault(Schema):
    """One thing that is wrong with a request, and where."""

    where: str
    says: str


class ProblemOut(Schema):
    """What went wrong, and what to do about it."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[Fault]


class ApiProblem(Exception):
    """Ends a request with a problem object."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        faults: tuple[Fault, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.faults, self.headers = status, detail, faults, headers or {}

    def response(self) -> JsonResponse:
        body = ProblemOut(
            type="about:blank",
            title=self.status.phrase,
            status=self.status.value,
            detail=self.detail,
            errors=list(self.faults),
        )
        return JsonResponse(
            body.model_dump(),
            status=self.status.value,
            content_type=MEDIA_TYPE,
            headers={"Cache-Control": "no-store", "Content-Language": "en", **self.headers},
        )


def invalid(*faults: Fault) -> ApiProblem:
    detail = "Something in the address cannot be used. Mend what is listed under errors and ask again."
    return ApiProblem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, faults=faults)


def invalid_values(error: ValidationError) -> ApiProblem:
    """The problem of parameters that are not of their type; what was sent is not repeated."""
    return invalid(*(Fault(where=_place(each["loc"]), says=each["msg"]) for each in error.errors))


def not_found(detail: str) -> ApiProblem:
    return ApiProblem(HTTPStatus.NOT_FOUND, detail)


def _place(loc: tuple[str | int, ...]) -> str:
    """``query.limit`` of the place that pydantic names, which has our argument's name in its middle."""
    return f"{loc[0]}.{loc[-1]}"
