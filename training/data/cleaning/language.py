"""Which of eu, es, en and fr a text is in: py3langid's model, walked over many texts at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from py3langid.langid import MODEL_FILE, LanguageIdentifier

LANGUAGES = ("en", "es", "eu", "fr")
_TOGETHER = 1024  # texts walked at once: enough to hide numpy's overhead, few enough for the cache


class Identifier:
    """py3langid restricted to :data:`LANGUAGES`, five times as fast as text by text.

    Notes
    -----
    py3langid, a naive Bayes classifier over byte n-grams that an automaton finds (Lui and Baldwin, ACL 2012), steps through each text in Python. Here one
    numpy step moves the automata of all texts by a byte. Languages are those of ``LanguageIdentifier.classify``, confidences too, but for rounding; a
    test holds that.
    """

    def __init__(self) -> None:
        model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        model.set_languages(list(LANGUAGES))
        if tuple(model.labels) != LANGUAGES:
            raise RuntimeError(f"py3langid names its languages {model.labels}")
        self._next = np.frombuffer(model.tk_nextmove, dtype=np.int32)  # 39 MB, not copied
        self._row = np.frombuffer(model.tk_row, dtype=np.uint16).astype(np.int32) << 8
        self._feature = np.asarray(model.tk_output, dtype=np.int32)
        self._weights = model.nb_ptc.astype(np.float32)
        self._prior = model.nb_pc.astype(np.float32)

    def classify(self, texts: Sequence[bytes]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
        """The language of each text, as an index into :data:`LANGUAGES`, and how sure that is.

        Parameters
        ----------
        texts
            *n* texts in UTF-8, NFC. Time goes by the longest, memory by *n* times the longest of 1,024: cap them (:func:`sample`).

        Returns
        -------
        languages, confidences
            Of shape ``(n,)``; a confidence lies in [0.25, 1].
        """
        order = sorted(range(len(texts)), key=lambda at: -len(texts[at]))
        languages = np.zeros(len(texts), dtype=np.int8)
        sure = np.zeros(len(texts), dtype=np.float32)
        for start in range(0, len(order), _TOGETHER):
            chosen = order[start : start + _TOGETHER]
            scores = self._scores([texts[at] for at in chosen])
            languages[chosen] = scores.argmax(axis=1)
            sure[chosen] = scores.max(axis=1)
        return languages, sure

    def _scores(self, texts: list[bytes]) -> NDArray[np.float32]:
        """Probabilities of shape ``(n, 4)`` for texts in order of falling length."""
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
        found = self._walk(texts, lengths)
        found.sort(axis=1)  # numpy sorts many short rows ten times as fast as one long one
        first = found >= 0
        first[:, 1:] &= found[:, 1:] != found[:, :-1]
        owners, places = np.nonzero(first)
        scores = np.tile(self._prior, (len(texts), 1))
        if len(owners):
            features = found[owners, places]
            ends = np.append(places[1:], 0)
            ends[np.append(owners[1:] != owners[:-1], True)] = found.shape[1]  # -1 sorts to the front
            terms = np.log1p((ends - places).astype(np.float32))[:, None] * self._weights[features]
            starts = np.flatnonzero(np.diff(owners, prepend=-1))
            scores[owners[starts]] += np.add.reduceat(terms, starts, axis=0)
        scores[~first.any(axis=1)] = 0.0  # py3langid abstains so
        scores /= np.sqrt(np.maximum(lengths, 1)).astype(np.float32)[:, None]
        np.exp(scores - scores.max(axis=1, keepdims=True), out=scores)
        return np.asarray(scores / scores.sum(axis=1, keepdims=True), dtype=np.float32)

    def _walk(self, texts: list[bytes], lengths: NDArray[np.int64]) -> NDArray[np.int32]:
        """What the automata find after each byte, of shape ``(n, longest)``; -1 where that is nothing."""
        longest = int(lengths[0])
        padded = b"".join([text.ljust(longest) for text in texts])
        letters = np.frombuffer(padded, dtype=np.uint8).reshape(len(texts), longest).T.astype(np.int32)
        going = len(texts) - np.searchsorted(lengths[::-1], np.arange(longest), side="right")
        found = np.full((longest, len(texts)), -1, dtype=np.int32)
        state = np.zeros(len(texts), dtype=np.int32)
        for at, active in enumerate(going.tolist()):
            state = self._next[self._row[state[:active]] + letters[at, :active]]
            found[at, :active] = self._feature[state]
        return np.ascontiguousarray(found.T)


def sample(text: str, most: int) -> bytes:
    """The text's first and last *most* / 2 characters, or all of it if that is no more bytes, as the identifier takes it."""
    if text.isupper():
        text = text.lower()
    if len(text) <= most:
        raw = text.encode("utf-8", "surrogatepass")
        if len(raw) <= most:
            return raw
    half = most // 2
    head, tail = text[:half], text[-half:]
    return f"{head} {tail}".encode("utf-8", "surrogatepass")


@cache
def identifier() -> Identifier:
    """The one of this process: the model takes 0.5 s to load."""
    return Identifier()
