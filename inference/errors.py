"""What can go wrong between the site and a model server.

InferenceError
├── BadManifest          a candidate's manifest does not hold what it must; located
├── EndpointNotAllowed   the address is not on the allow-list
│   └── HostUnknown      or its name did not resolve, which may be the resolver's trouble
├── KeyUnreadable        an endpoint's key was encrypted with a key that is gone
├── KeyNotTaken          the server did not answer with the new key, so the old one stays; ``code`` says what it did
├── EndpointExists       this candidate has this model at this address already
├── CandidateExists      a new candidate would get the code of another
├── IllegalTransition    an endpoint's status cannot become that one from where it is
├── ChecksMissing        guided checks are missing or failed; ``steps`` names them
└── StreamError          a generation failed; carries a :class:`StreamErrorCode`
    ├── ConnectFailed    refused, reset, no such host, or a redirect
    ├── Unauthorized     401 or 403
    ├── ModelNotFound    404
    ├── RateLimited      429; ``retry_after_s`` where the server said it
    ├── ServerFailed     5xx, or an error inside the stream
    ├── BadRequest       another 4xx: the request is at fault
    ├── StreamTimeout    connect, first token, between tokens, or total; ``connecting`` where no server had the request yet
    ├── MalformedStream  not the wire format, or cut before its end
    ├── EmptyAnswer      a good stream without a word
    ├── QueueFull        the endpoint's queue is as long as it may get, or the wait in it was too long
    ├── CircuitOpen      the endpoint failed too often; it is left alone for a while
    └── BudgetSpent      the endpoint's tokens or money of the day are used up
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class StreamErrorCode(StrEnum):
    CONNECT = "connect"
    UNAUTHORIZED = "unauthorized"
    MODEL_NOT_FOUND = "model_not_found"
    RATE_LIMITED = "rate_limited"
    SERVER = "server"
    BAD_REQUEST = "bad_request"
    TIMEOUT = "timeout"
    MALFORMED = "malformed"
    EMPTY = "empty"
    QUEUE_FULL = "queue_full"
    CIRCUIT_OPEN = "circuit_open"
    BUDGET = "budget"


class InferenceError(Exception):
    """The root of what this package raises on purpose."""


class BadManifest(InferenceError):
    pass


class EndpointNotAllowed(InferenceError):
    pass


class HostUnknown(EndpointNotAllowed):
    pass


class KeyUnreadable(InferenceError):
    pass


class KeyNotTaken(InferenceError):
    """*code* is what the probe with the new key ended with."""

    def __init__(self, code: str) -> None:
        super().__init__(f"the probe with the new key ended with {code}")
        self.code = code


class EndpointExists(InferenceError):
    pass


class CandidateExists(InferenceError):
    pass


class IllegalTransition(InferenceError):
    """From one status to another that cannot follow it."""

    def __init__(self, old: str, new: str) -> None:
        super().__init__(f"an endpoint that is {old} cannot become {new}")
        self.old, self.new = old, new


class ChecksMissing(InferenceError):
    """*steps* are missing or failed."""

    def __init__(self, steps: tuple[str, ...]) -> None:
        super().__init__(f"these checks are missing or failed: {', '.join(steps)}")
        self.steps = steps


class StreamError(InferenceError):
    """A generation failed. The text is for logs: it names no address and no key."""

    code: ClassVar[StreamErrorCode]


class ConnectFailed(StreamError):
    code = StreamErrorCode.CONNECT


class Unauthorized(StreamError):
    code = StreamErrorCode.UNAUTHORIZED


class ModelNotFound(StreamError):
    code = StreamErrorCode.MODEL_NOT_FOUND


class RateLimited(StreamError):
    code = StreamErrorCode.RATE_LIMITED

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ServerFailed(StreamError):
    code = StreamErrorCode.SERVER


class BadRequest(StreamError):
    code = StreamErrorCode.BAD_REQUEST


class StreamTimeout(StreamError):
    code = StreamErrorCode.TIMEOUT

    def __init__(self, message: str, *, connecting: bool = False) -> None:
        super().__init__(message)
        self.connecting = connecting


class MalformedStream(StreamError):
    code = StreamErrorCode.MALFORMED


class EmptyAnswer(StreamError):
    code = StreamErrorCode.EMPTY


class QueueFull(StreamError):
    code = StreamErrorCode.QUEUE_FULL


class CircuitOpen(StreamError):
    code = StreamErrorCode.CIRCUIT_OPEN


class BudgetSpent(StreamError):
    code = StreamErrorCode.BUDGET
