"""The OpenAPI document: what every route may answer beside what it declares, said once."""

from __future__ import annotations

from typing import Any

from arena.api.problems import MEDIA_TYPE, ProblemOut

_PROBLEMS = {
    404: "Nothing is there.",
    422: "A parameter is unknown or cannot be used; errors say which.",
    429: "Too many requests; Retry-After says how many seconds to wait.",
}
_TOKEN_PROBLEMS = {401: "No token, or one that opens nothing.", 403: "The token lacks the scope."}
_REF = {"$ref": f"#/components/schemas/{ProblemOut.__name__}"}


def completed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with problems, ETags and 304 at each route, and the schema of problems; those that ask for a token say so."""
    schema = ProblemOut.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = schema.pop("$defs")
    document["components"]["schemas"] |= {**parts, ProblemOut.__name__: schema}
    for operation in operations_of(document):
        found = operation["responses"]
        found[200]["headers"] = {"ETag": {"schema": {"type": "string"}, "required": True}}
        found[304] = {"description": "As it was when the ETag in If-None-Match was given."}
        told = _PROBLEMS | (_TOKEN_PROBLEMS if "x-scope" in operation else {401: _TOKEN_PROBLEMS[401]})
        found |= {status: _problem(status, description) for status, description in told.items()}
    return document


def operations_of(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Each of them with its address as ``x-path``, in the document's order."""
    return [
        methods["get"].setdefault("x-path", path) and methods["get"]
        for path, methods in document["paths"].items()
    ]


def _problem(status: int, description: str) -> dict[str, Any]:
    whole: dict[str, Any] = {"description": description, "content": {MEDIA_TYPE: {"schema": _REF}}}
    if status == 429:
        whole["headers"] = {"Retry-After": {"schema": {"type": "string"}, "required": True}}
    return whole
