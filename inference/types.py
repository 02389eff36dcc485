"""The words of a generation: what is asked of a model server, and what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Provider(StrEnum):
    """Dialects of the OpenAI wire format; see :mod:`inference.providers`."""

    OPENAI = "openai"
    GEMINI = "gemini"
    COHERE = "cohere"
    VLLM = "vllm"
    TRANSFORMERS = "transformers"
    OLLAMA = "ollama"
    LLAMA_CPP = "llama_cpp"
    ANTHROPIC = "anthropic"


class SystemPromptMode(StrEnum):
    """How a candidate is given the campaign's system prompt."""

    SYSTEM = "system"
    USER_TURN = "user_turn"
    NONE = "none"


class OutputsLicence(StrEnum):
    """Under which terms a candidate's answers may be passed on. ``unknown`` where nobody has looked: then they are not published."""

    CC0 = "CC0-1.0"
    CC_BY = "CC-BY-4.0"
    LLAMA = "llama3.1"
    OPENAI = "openai-terms"
    OTHER = "other"
    UNKNOWN = "unknown"


class FinishReason(StrEnum):
    """``stopped`` by the volunteer; ``loop``: cut since it went on repeating itself."""

    STOP = "stop"
    LENGTH = "length"
    STOPPED = "stopped"
    LOOP = "loop"
    OTHER = "other"


class EndpointStatus(StrEnum):
    SHADOW = "shadow"
    CANARY = "canary"
    ACTIVE = "active"
    DISABLED = "disabled"
    RETIRED = "retired"


class EndpointHealth(StrEnum):
    LIVE = "live"
    DEGRADED = "degraded"
    DOWN = "down"
    UNKNOWN = "unknown"


class CircuitState(StrEnum):
    """Of a circuit breaker: ``open`` asks nothing of the endpoint, ``half_open`` lets one trial through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Sampling:
    """Everything that shapes a sample; all of it is sent with each request.

    Parameters
    ----------
    temperature, top_p
        As in the OpenAI API.
    max_tokens
        Most new tokens.
    seed
        Sent with each request, since a server's first sample after a restart repeats otherwise.
    stop
        Strings that end the answer.
    """

    temperature: float
    top_p: float
    max_tokens: int
    seed: int
    stop: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long each step of a stream may take, in seconds."""

    connect_s: float = 5.0
    first_token_s: float = 60.0
    between_tokens_s: float = 30.0
    total_s: float = 300.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where a candidate answers. The key never appears in the representation.

    *addresses* are those that the host resolved to when it was checked; connections go there and nowhere else. Without them a target is on loopback.
    """

    endpoint_id: UUID
    base_url: str
    model: str
    provider: Provider
    api_key: str = field(default="", repr=False)
    deadlines: Deadlines = Deadlines()
    max_in_flight: int = 8
    addresses: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One answer to ask for. *user* is whom the queue is fair to: a name that only the caller can read."""

    target: Target
    messages: tuple[Message, ...] = field(repr=False)
    sampling: Sampling
    request_id: str
    user: str = ""


@dataclass(frozen=True, slots=True)
class Queued:
    """The endpoint is full; *position* 1 is next. Told again when it changes."""

    position: int


@dataclass(frozen=True, slots=True)
class Reasoning:
    """Text that the model thinks and does not say; kept from the volunteer until the vote. Never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Delta:
    """More text of the answer; never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class Done:
    """The end of a good stream. Token counts are the server's own, where it told them."""

    finish_reason: FinishReason
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


StreamEvent = Queued | Reasoning | Delta | Done

_ACKNOWLEDGED = "Ados."


def with_system_prompt(
    messages: Sequence[Message], prompt: str, mode: SystemPromptMode
) -> tuple[Message, ...]:
    """Put the system prompt before the chat in the way that the candidate understands.

    Parameters
    ----------
    messages
        The chat, the volunteer's message last.
    prompt
        The campaign's prompt; nothing is added for an empty one.
    mode
        ``SYSTEM`` sends a system message, ``USER_TURN`` a first user turn with an acknowledgement
        (for templates without a system role), ``NONE`` leaves the chat as it is.
    """
    if not prompt or mode is SystemPromptMode.NONE:
        return tuple(messages)
    if mode is SystemPromptMode.SYSTEM:
        return (Message(Role.SYSTEM, prompt), *messages)
    return (Message(Role.USER, prompt), Message(Role.ASSISTANT, _ACKNOWLEDGED), *messages)
