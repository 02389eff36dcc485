"""Whether a failed request is asked again, and after how long. Pure: the caller sleeps."""

from __future__ import annotations

import random
from dataclasses import dataclass

from inference.errors import ConnectFailed, RateLimited, ServerFailed, StreamError, StreamTimeout

# What another try may mend. A key, a name or a request that is wrong stays wrong; a server that accepted the request and then was
# slow is busy, and asking twice makes it busier.
_WORTH_IT = (ConnectFailed, RateLimited, ServerFailed)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how fast to ask again.

    Parameters
    ----------
    retries
        Most tries after the first.
    base_s
        Upper bound of the first pause; it doubles with each try.
    cap_s
        Upper bound of every pause that the server did not ask for.
    """

    retries: int = 2
    base_s: float = 0.25
    cap_s: float = 4.0


def pause_s(
    error: StreamError, *, tried: int, left_s: float, policy: RetryPolicy, rng: random.Random
) -> float | None:
    """How long to wait before the next try, or ``None`` to give up with *error*.

    Parameters
    ----------
    error
        What the last try ended with, before its first token.
    tried
        How many tries there were, the first included.
    left_s
        Until the answer must have begun. A pause that ends later is not worth starting.
    rng
        Draws the jitter.

    Notes
    -----
    Exponential back-off with full jitter: uniform between nothing and the bound, so that callers that failed together do not come
    back together. A server's own Retry-After is a floor below which nobody comes back; jitter of one base step goes on top.
    """
    if tried > policy.retries or not _is_worth_it(error):
        return None
    told_s = error.retry_after_s if isinstance(error, RateLimited) else None
    if told_s is not None:
        pause = max(0.0, told_s) + rng.uniform(0, policy.base_s)
        return pause if pause < left_s else None
    pause = rng.uniform(0, min(policy.cap_s, policy.base_s * 2 ** (tried - 1)))
    return pause if pause < left_s else None


def _is_worth_it(error: StreamError) -> bool:
    return isinstance(error, _WORTH_IT) or (isinstance(error, StreamTimeout) and error.connecting)
