"""Whether the cadence and sizes of frames tell which of two very different servers writes on a side.

Frames are recorded as a page gets them, on a virtual clock, while both sides are written: from the first piece to the first end. What comes later is left
out, since how long an answer is, and so how much of it goes on alone, is content; both servers draw their words and lengths alike.
"""

from __future__ import annotations

import asyncio
import random
import re
from dataclasses import dataclass, field

import numpy as np
import pytest
from scipy.optimize import minimize

from arena import protocol
from arena.pacing import Paced, Unpaced
from arena.protocol import ServerFrame, SideState
from arena.screen import Screen
from arena.types import AnswerStatus, BattleStatus, Display, Side
from tests.arena.turns import new_turn

Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
VOCABULARY = [
    "etxe",
    "mendi ",
    "eta ",
    " da",
    "tze",
    "ko ",
    "ra.\n\n",
    "**bat** ",
    "gaur ",
    "hizkuntza ",
    "ñ",
    "- ",
]


@dataclass(frozen=True)
class Server:
    """So many tokens a second, so many a chunk, so long to the first."""

    rate: float
    chunk: int
    first_s: float

    def chunks(self, chance: random.Random) -> list[tuple[float, str]]:
        at, found = self.first_s * chance.uniform(0.7, 1.3), []
        for _ in range(chance.randint(16, 32) // self.chunk):
            found.append((at, "".join(chance.choices(VOCABULARY, k=self.chunk))))
            at += self.chunk / self.rate * chance.uniform(0.8, 1.2)
        return found


SLOW, FAST = Server(10, 1, 1.5), Server(120, 8, 0.2)


@dataclass
class Recording:
    """Frames with their times, in virtual seconds."""

    frames: list[tuple[float, ServerFrame]] = field(default_factory=list)

    def while_both_write(self) -> list[tuple[float, ServerFrame]]:
        ends = [at for at, frame in self.frames if frame["type"] in {"done", "failed"}]
        return [(at, frame) for at, frame in self.frames if frame["type"] == "render" and at < min(ends)]

    def features(self) -> Array:
        """Of side A less those of side B."""
        frames = self.while_both_write()
        begin = frames[0][0] if frames else 0.0
        return _side_features(frames, Side.A, begin) - _side_features(frames, Side.B, begin)


def _side_features(frames: list[tuple[float, ServerFrame]], side: Side, begin: float) -> Array:
    own = [(at - begin, frame) for at, frame in frames if frame["side"] == side.value]
    times = [at for at, _ in own] or [99.0]
    shown, sealed = [0], ""
    for _, frame in own:
        sealed += "".join(frame["sealed"])  # type: ignore[arg-type]  # a render's blocks
        shown.append(len(re.sub(r"<[^>]*>|\s", "", sealed + str(frame["open"]))))
    sizes = np.diff(shown) if own else np.zeros(1)
    gaps = np.diff(times) if len(times) > 1 else np.zeros(1)
    bytes_ = [len(protocol.encode(frame)) for _, frame in own] or [0]
    figures = [len(own), times[0], shown[-1], np.mean(bytes_), np.std(bytes_)]
    for each in (gaps, sizes):
        figures += [each.mean(), each.std(), each.min(), each.max(), *np.quantile(each, [0.25, 0.5, 0.75])]
    return np.array(figures, dtype=np.float64)


async def recorded(display: Display, servers: dict[Side, Server], chance: random.Random) -> Recording:
    """One turn through the screen, as its page sees it."""
    live, recording, now = new_turn(), Recording(), 0.0
    pacing = Paced(Side, patience_s=60) if display is Display.PACED else Unpaced(Side)
    screen = Screen(live, attempts=dict.fromkeys(Side, 1), pacing=pacing)
    screen.open(set(Side), {})

    async def follow() -> None:
        async for frame in live.follow({}):
            recording.frames.append((now, frame))

    page = asyncio.create_task(follow())
    coming = {side: server.chunks(chance) for side, server in servers.items()}
    while not screen.shown.is_set():
        for side, chunks in coming.items():
            while chunks and chunks[0][0] <= now:
                screen.feed(side, chunks.pop(0)[1])
                if not chunks:
                    screen.end(side, SideState(AnswerStatus.COMPLETE, "stop"))
        screen.tick(now)
        await asyncio.sleep(0)
        now += chance.choice([0.03, 0.03, 0.04, 0.1])  # ticks stretch under load
    screen.close(BattleStatus.READY, {})
    await page
    return recording


async def battles(display: Display, count: int) -> tuple[Array, Array]:
    """Features of many battles, and in which of them the slow server was A."""
    chance = random.Random(4)
    features, labels = [], []
    for number in range(count):
        slow_is_a = number % 2 == 0
        servers = {Side.A: SLOW, Side.B: FAST} if slow_is_a else {Side.A: FAST, Side.B: SLOW}
        recording = await recorded(display, servers, chance)
        features.append(recording.features())
        labels.append(float(slow_is_a))
    return np.array(features), np.array(labels)


def auc(features: Array, labels: Array, *, folds: int = 10) -> float:
    """How well a logistic regression tells the label of battles that it has not seen: 0.5 is chance."""
    order = np.random.default_rng(0).permutation(len(labels))
    scores = np.zeros(len(labels))
    for held_out in np.array_split(order, folds):
        seen = np.setdiff1d(order, held_out)
        centre, scale = features[seen].mean(axis=0), features[seen].std(axis=0)
        standard = (features - centre) / np.where(scale > 1e-9, scale, np.inf)
        weights = fitted(standard[seen], 2 * labels[seen] - 1)
        scores[held_out] = standard[held_out] @ weights[1:] + weights[0]
    slow, fast = scores[labels == 1], scores[labels == 0]
    above = (slow[:, None] > fast).mean() + 0.5 * (slow[:, None] == fast).mean()
    return float(max(above, 1 - above))


def fitted(features: Array, signs: Array) -> Array:
    """Weights of a ridge logistic regression, the constant first."""
    design = np.column_stack([np.ones(len(signs)), features])

    def loss(weights: Array) -> tuple[float, Array]:
        margins = signs * (design @ weights)
        value = np.logaddexp(0, -margins).sum() + 0.5 * weights @ weights
        gradient = weights - design.T @ (signs * np.exp(-np.logaddexp(0, margins)))
        return float(value), gradient

    found: Array = minimize(loss, np.zeros(design.shape[1]), jac=True).x
    return found


async def test_paced_frames_do_not_tell_who_writes_and_unpaced_ones_do() -> None:
    paced, unpaced = await battles(Display.PACED, 600), await battles(Display.UNPACED, 100)
    assert auc(*paced) <= 0.6
    assert auc(*unpaced) >= 0.9


async def test_paced_sides_begin_in_the_same_tick_and_move_together() -> None:
    recording = await recorded(Display.PACED, {Side.A: SLOW, Side.B: FAST}, random.Random(1))
    first = {side: next(at for at, f in recording.frames if f.get("side") == side.value) for side in Side}
    assert first[Side.A] == first[Side.B]


@pytest.mark.parametrize("tell", ["gaps", "sizes"])
def test_the_classifier_sees_what_there_is_to_see(tell: str) -> None:
    chance = np.random.default_rng(1)
    labels = np.array([0.0, 1.0] * 100)
    features = chance.normal(size=(200, 8))
    assert auc(features, labels) <= 0.6
    features[:, 3 if tell == "gaps" else 6] += labels
    assert auc(features, labels) > 0.7
