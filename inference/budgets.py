"""Budgets of a day: what was spent, what it cost, and whether more may be asked. Arithmetic only.

Nothing is reserved: a request passes while its endpoint's budget is not used up, and is settled at its end. The requests in flight
when the last token is spent may therefore exceed a budget, by what one answer each may take.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

# Texts in Basque run to fewer characters a token than English's usual four; the estimate errs on the dear side.
CHARACTERS_A_TOKEN = 3
_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Prices:
    """Of a million tokens; ``None`` is free."""

    prompt: Decimal | None = None
    completion: Decimal | None = None

    def of(self, use: Use) -> Decimal:
        """What *use* costs, in the currency of the prices."""
        prompt, completion = self.prompt or Decimal(0), self.completion or Decimal(0)
        return (prompt * use.prompt_tokens + completion * use.completion_tokens) / _MILLION


@dataclass(frozen=True, slots=True)
class Budget:
    """The most of a day; ``None`` sets no bound."""

    tokens: int | None = None
    money: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What went of a day."""

    tokens: int = 0
    money: Decimal = Decimal(0)

    def exhausts(self, budget: Budget) -> bool:
        """Whether nothing more may be asked for today."""
        return (budget.tokens is not None and self.tokens >= budget.tokens) or (
            budget.money is not None and self.money >= budget.money
        )

    def plus(self, use: Use, prices: Prices) -> Spent:
        return Spent(self.tokens + use.tokens, self.money + prices.of(use))


@dataclass(frozen=True, slots=True)
class Use:
    """The tokens of one request."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


def estimated_tokens(characters: int) -> int:
    """Tokens that *characters* probably are, rounded up."""
    return -(-characters // CHARACTERS_A_TOKEN)


def settled(
    *, prompt_tokens: int | None, completion_tokens: int | None, prompt_characters: int, characters: int
) -> Use:
    """The use of a request that the server began to answer.

    Parameters
    ----------
    prompt_tokens, completion_tokens
        The server's own counts, ``None`` where it told none: it was cut off, failed, or never tells.
    prompt_characters, characters
        What was sent and what was received, hidden reasoning included; they stand in for a missing count.
    """
    return Use(
        estimated_tokens(prompt_characters) if prompt_tokens is None else prompt_tokens,
        estimated_tokens(characters) if completion_tokens is None else completion_tokens,
    )
