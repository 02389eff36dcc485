"""What each provider takes and tells: one row a provider, each with the page that says so.

All that shapes a sample is sent with each request. What is not sent is left out because a row says that the provider would refuse it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from inference.types import FinishReason, Provider

_FINISH_REASONS: Mapping[str, FinishReason] = MappingProxyType(
    {"stop": FinishReason.STOP, "length": FinishReason.LENGTH}
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One provider.

    Parameters
    ----------
    max_tokens, stop, seed
        The names of these parameters; ``None`` where there is no such parameter.
    sampling
        Whether temperature and top-p may be sent.
    fixed_sampling
        Models that refuse temperature and top-p although their provider takes them.
    most_stops
        How many stop strings are taken; the first ones are sent.
    stream_options
        Whether usage has to be asked for by ``stream_options``; where not, it comes unasked.
    reasoning
        Fields of a delta that hold hidden reasoning, the first that is filled counts.
    think_tags
        Whether ``<think>`` at the start of the text is reasoning too: servers without a parser for a model leave its tags in.
    system_role
        Whether the system prompt is a message; where not, it is a field of the request.
    request_id
        The header that carries our request's id.
    finish_reasons
        What the provider's reasons mean; any other is ``OTHER``.
    failures
        Reasons that mean that the server gave up.
    models_path
        The model list, below the base address; ``None`` where it does not tell what is served.
    health_path, metrics_path
        At the server's root, which is the base address without ``/v1``.
    """

    max_tokens: str = "max_tokens"
    stop: str = "stop"
    seed: str | None = "seed"
    sampling: bool = True
    fixed_sampling: re.Pattern[str] | None = None
    most_stops: int | None = None
    stream_options: bool = True
    reasoning: tuple[str, ...] = ("reasoning_content", "reasoning")
    think_tags: bool = True
    system_role: bool = True
    request_id: str | None = None
    finish_reasons: Mapping[str, FinishReason] = field(default_factory=lambda: _FINISH_REASONS)
    failures: frozenset[str] = frozenset({"error", "abort"})
    models_path: str | None = "models"
    health_path: str | None = None
    metrics_path: str | None = None

    def takes_sampling(self, model: str) -> bool:
        return self.sampling and not (self.fixed_sampling and self.fixed_sampling.fullmatch(model))


RULES: Mapping[Provider, Rule] = MappingProxyType(
    {
        # https://platform.openai.com/docs/api-reference/chat/create: max_tokens is deprecated and refused by reasoning models, seed is deprecated and
        # still taken, four stop strings (https://help.openai.com/en/articles/5072263). Reasoning models take no temperature: families tested one
        # by one in the zeroclaw project's docs/openai-temperature-compatibility.md. X-Client-Request-Id: .../docs/api-reference/debugging-requests.
        # The row also serves servers that nobody named, hence the reasoning fields and tags that OpenAI itself does not send.
        Provider.OPENAI: Rule(
            max_tokens="max_completion_tokens",
            fixed_sampling=re.compile(
                r"o\d.*|gpt-5(-mini|-nano|-pro)?(-\d{4}.*)?|gpt-5\.\d+-chat-latest|.*-search-(preview|api).*"
            ),
            most_stops=4,
            request_id="X-Client-Request-Id",
        ),
        # https://ai.google.dev/gemini-api/docs/openai; a seed is answered by 400 "Unknown name" (github.com/Vali-98/ChatterUI/issues/227,
        # github.com/mcpchecker/mcpchecker/pull/188). Thoughts come only to those who ask. Five stop strings, as in the native API.
        Provider.GEMINI: Rule(seed=None, most_stops=5, reasoning=(), think_tags=False),
        # https://docs.cohere.com/docs/compatibility-api lists what is taken; stream_options since August 2025
        # (github.com/cohere-ai/cohere-developer-experience/pull/606). The page has no model list. Finish reasons of the native API too.
        Provider.COHERE: Rule(
            most_stops=5,
            think_tags=False,
            finish_reasons=MappingProxyType(
                {
                    **_FINISH_REASONS,
                    "COMPLETE": FinishReason.STOP,
                    "STOP_SEQUENCE": FinishReason.STOP,
                    "MAX_TOKENS": FinishReason.LENGTH,
                }
            ),
            failures=frozenset({"error", "ERROR", "TIMEOUT"}),
            models_path=None,
        ),
        # https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html. The field is `reasoning`, formerly `reasoning_content`, and for a time both;
        # without --reasoning-parser the tags stay in the text.
        Provider.VLLM: Rule(
            reasoning=("reasoning", "reasoning_content"),
            request_id="X-Request-Id",
            health_path="/health",
            metrics_path="/metrics",
        ),
        # https://huggingface.co/docs/transformers/serve-cli/serving, and its source (cli/serving/chat_completion.py): stream_options is among the fields
        # that it warns of, usage comes unasked. Its model list is the hub's cache, which a model served from a folder is not in.
        Provider.TRANSFORMERS: Rule(
            stream_options=False,
            reasoning=("reasoning_content",),
            request_id="X-Request-Id",
            models_path=None,
            health_path="/health",
        ),
        # https://docs.ollama.com/api/openai-compatibility; `reasoning` as in openai/openai.go of its source. The root answers "Ollama is running".
        Provider.OLLAMA: Rule(reasoning=("reasoning",), health_path="/"),
        # https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md: --reasoning-format none leaves the tags in the text, deepseek-legacy
        # tells both; /metrics only with --metrics; a comment every 30 s keeps the stream open.
        Provider.LLAMA_CPP: Rule(
            reasoning=("reasoning_content",), health_path="/health", metrics_path="/metrics"
        ),
        # https://platform.claude.com/docs/en/api/messages: since the version of 2026-10-21, which the SDK sends, temperature and top_p are refused; there is
        # no seed. Thinking comes in blocks of its own. Ids of requests are the server's.
        Provider.ANTHROPIC: Rule(
            stop="stop_sequences",
            seed=None,
            sampling=False,
            reasoning=(),
            think_tags=False,
            system_role=False,
            finish_reasons=MappingProxyType(
                {
                    "end_turn": FinishReason.STOP,
                    "stop_sequence": FinishReason.STOP,
                    "max_tokens": FinishReason.LENGTH,
                    "model_context_window_exceeded": FinishReason.LENGTH,
                }
            ),
        ),
    }
)
