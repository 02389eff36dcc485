"""What a stream looks like on the wire, as OpenAI and as Anthropic write it."""

from __future__ import annotations

import json
from typing import Any, Protocol

from inference.fakes.faults import Fault


class Wire(Protocol):
    """The bytes of one answer. An object serves one answer, since a format may have to close what it opened."""

    @property
    def bodies(self) -> dict[Fault, bytes]:
        """What is sent in place of a stream."""

    def begin(self, model: str) -> bytes: ...
    def thought(self, text: str, index: int) -> bytes: ...
    def word(self, text: str) -> bytes: ...
    def finish(self, reason: str, prompt_tokens: int, completion_tokens: int) -> bytes: ...
    def end(self) -> bytes: ...
    def error(self) -> bytes: ...


def _data(payload: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(payload, ensure_ascii=False).encode() + b"\n\n"


class OpenAIWire:
    """``/v1/chat/completions``. Reasoning alternates between the two names that servers give it."""

    bodies: dict[Fault, bytes]

    def __init__(self, message: str) -> None:
        self._message = message
        self.bodies = {
            Fault.EMPTY_BODY: b"",
            Fault.GARBAGE: b"data: {not json\n\n",
            Fault.BAD_UTF8: b'data: {"choices": [{"delta": {"content": "\xc3"}}]}\n\n',
            Fault.CUT_UTF8: b'data: {"choices": [{"delta": {"content": "\xc3',
            Fault.NOT_A_STREAM: b'{"choices": [{"message": {"content": "Kaixo"}, "finish_reason": "stop"}]}',
            Fault.ERROR_BODY: json.dumps({"error": {"message": message, "code": 503}}).encode(),
            Fault.REFUSES_IN_BAND: _data({"error": message}),
        }

    def begin(self, model: str) -> bytes:
        return b": a comment\n\n" + _data(
            {"model": model, "choices": [{"index": 0, "delta": {"role": "assistant"}}]}
        )

    def thought(self, text: str, index: int) -> bytes:
        return _data({"choices": [{"delta": {("reasoning", "reasoning_content")[index % 2]: text}}]})

    def word(self, text: str) -> bytes:
        return _data({"choices": [{"delta": {"content": text}}]})

    def finish(self, reason: str, prompt_tokens: int, completion_tokens: int) -> bytes:
        usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
        return _data({"choices": [{"delta": {}, "finish_reason": reason}]}) + _data(
            {"choices": [], "usage": usage}
        )

    def end(self) -> bytes:
        return b"data: [DONE]\n\n"

    def error(self) -> bytes:
        return _data({"error": {"message": self._message}})


_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens"}


class AnthropicWire:
    """``/v1/messages``: named events, content in numbered blocks."""

    bodies: dict[Fault, bytes]

    def __init__(self, message: str) -> None:
        self._message = message
        self._blocks = 0
        self._open = ""
        self.bodies = {
            Fault.EMPTY_BODY: b"",
            Fault.GARBAGE: b"event: content_block_delta\ndata: {not json\n\n",
            Fault.BAD_UTF8: b'data: {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "\xc3"}}\n\n',
            Fault.CUT_UTF8: b'data: {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "\xc3',
            Fault.NOT_A_STREAM: b'{"type": "message", "content": [{"type": "text", "text": "Kaixo"}]}',
            Fault.ERROR_BODY: json.dumps({"type": "error", "error": {"message": message}}).encode(),
            Fault.REFUSES_IN_BAND: self.error(),
        }

    def begin(self, model: str) -> bytes:
        usage = {"input_tokens": 5, "output_tokens": 1}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": []}
        return self._event(
            "message_start", message=message | {"stop_reason": None, "usage": usage}
        ) + self._event("ping")

    def thought(self, text: str, index: int) -> bytes:
        signed = self._delta("signature_delta", signature="c2luYWR1cmE=") if index else b""
        return self._block("thinking", thinking="") + self._delta("thinking_delta", thinking=text) + signed

    def word(self, text: str) -> bytes:
        return self._block("text", text="") + self._delta("text_delta", text=text)

    def finish(self, reason: str, prompt_tokens: int, completion_tokens: int) -> bytes:
        delta = {"stop_reason": _STOP_REASONS.get(reason, reason), "stop_sequence": None}
        usage = {"input_tokens": prompt_tokens, "output_tokens": completion_tokens}
        return self._close() + self._event("message_delta", delta=delta, usage=usage)

    def end(self) -> bytes:
        return self._event("message_stop")

    def error(self) -> bytes:
        return self._event("error", error={"type": "overloaded_error", "message": self._message})

    def _event(self, kind: str, **fields: Any) -> bytes:
        return b"event: " + kind.encode() + b"\n" + _data({"type": kind, **fields})

    def _block(self, kind: str, **empty: str) -> bytes:
        if self._open == kind:
            return b""
        closed = self._close()
        self._open = kind
        return closed + self._event(
            "content_block_start", index=self._blocks, content_block={"type": kind, **empty}
        )

    def _close(self) -> bytes:
        if not self._open:
            return b""
        self._open = ""
        self._blocks += 1
        return self._event("content_block_stop", index=self._blocks - 1)

    def _delta(self, kind: str, **content: str) -> bytes:
        return self._event("content_block_delta", index=self._blocks, delta={"type": kind, **content})
