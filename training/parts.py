"""What a recipe consists of, part by part: pydantic models that know their keys and no others."""

from __future__ import annotations

from typing import Literal

import pydantic


class Strict(pydantic.BaseModel):
    """Frozen, and no key that it does not know."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class Backbone(Strict):
    """Weights to start from.

    Parameters
    ----------
    path
        A folder, under ``BASE/`` where the cluster keeps its models.
    name, licence
        For people: reports, model card, manifest.
    parameters_b
        Parameters, in units of 1e9.
    """

    path: str
    name: str
    licence: str
    parameters_b: float = pydantic.Field(gt=0)


class ModelShape(Strict):
    """A Llama from scratch, with tied embeddings and a tokenizer of its own."""

    vocabulary: int = pydantic.Field(ge=300)
    hidden: int = pydantic.Field(ge=8)
    layers: int = pydantic.Field(ge=1)
    intermediate: int = pydantic.Field(ge=8)
    heads: int = pydantic.Field(ge=1)
    kv_heads: int = pydantic.Field(ge=1)
    positions: int = pydantic.Field(ge=128)
    initial_spread: float = pydantic.Field(gt=0)

    @property
    def parameters(self) -> int:
        """Weights of a Llama with tied embeddings: the table, and a layer's attention, gated MLP and two norms each, and the last norm."""
        keys = self.hidden // self.heads * self.kv_heads
        layer = 2 * self.hidden * (self.hidden + keys) + 3 * self.hidden * self.intermediate + 2 * self.hidden
        return self.vocabulary * self.hidden + self.layers * layer + self.hidden


class Source(Strict):
    """One set of rows.

    Parameters
    ----------
    path
        A file, a folder of shards, ``DATA/...`` under the cluster's data folder, or ``builtin:NAME``, made by this package.
    kind
        ``documents`` (rows of ``text``, every token learnt) or ``chats`` (rows of ``conversations``, the assistant's words and end of turn learnt).
    factor
        The digit of the code that takes it in.
    """

    path: str
    kind: Literal["documents", "chats"]
    factor: Literal["corpus", "eu", "en"]


class Shares(Strict):
    """Shares of the learnt stream's tokens, by factor; they sum to one."""

    corpus: float = pydantic.Field(default=0, ge=0, le=1)
    eu: float = pydantic.Field(default=0, ge=0, le=1)
    en: float = pydantic.Field(default=0, ge=0, le=1)

    @pydantic.model_validator(mode="after")
    def _sum(self) -> Shares:
        if abs(self.corpus + self.eu + self.en - 1) > 1e-9:
            raise ValueError("the shares of corpus, eu and en do not sum to 1")
        return self


class Data(Strict):
    """What is learnt and what is measured on.

    Parameters
    ----------
    sources
        By name; the recipe's code says which are taken.
    shares
        Of the stream, by factor; left out, all sources make one shuffled stream without weights, as in the study.
    evaluation
        By name; never trained on.
    row_tokens
        Length of a packed row.
    """

    sources: dict[str, Source]
    shares: Shares | None = None
    evaluation: dict[str, Source] = {}
    row_tokens: int = pydantic.Field(ge=64)


class Batch(Strict):
    """A step sees ``rows * accumulation * processes`` rows of ``row_tokens`` tokens."""

    rows: int = pydantic.Field(ge=1)
    accumulation: int = pydantic.Field(default=1, ge=1)
    processes: int = pydantic.Field(default=1, ge=1)


class Optimizer(Strict):
    """Fused AdamW, or Muon for matrices inside the layers and AdamW for the rest (``docs/decisions/0005-muon.md``)."""

    name: Literal["adamw", "muon"]
    learning_rate: float = pydantic.Field(gt=0)
    beta1: float = pydantic.Field(ge=0, lt=1)
    beta2: float = pydantic.Field(ge=0, lt=1)
    epsilon: float = pydantic.Field(gt=0)
    weight_decay: float = pydantic.Field(ge=0)
    clip: float = pydantic.Field(gt=0)


class Schedule(Strict):
    """Cosine with a floor, for so many epochs, steps or seconds: exactly one of them.

    Parameters
    ----------
    epochs, steps, seconds
        How long. Seconds are of wall clock: the schedule follows the time that has passed, so that the floor is reached when it ends.
    warmup
        Share of the whole, from 0 linearly to the learning rate.
    floor
        The learning rate at the end, as a share of the highest.
    seed
        Of weights, order, dropout and noise.
    """

    epochs: int | None = pydantic.Field(default=None, ge=1)
    steps: int | None = pydantic.Field(default=None, ge=1)
    seconds: int | None = pydantic.Field(default=None, ge=1)
    warmup: float = pydantic.Field(ge=0, le=1)
    floor: float = pydantic.Field(ge=0, le=1)
    seed: int

    @pydantic.model_validator(mode="after")
    def _one_length(self) -> Schedule:
        if sum(each is not None for each in (self.epochs, self.steps, self.seconds)) != 1:
            raise ValueError(
                "give exactly one of epochs, steps and seconds; null takes an inherited one back"
            )
        return self


class Lora(Strict):
    """Low-rank adapters on the named matrices; the backbone itself stays as it is."""

    rank: int = pydantic.Field(ge=1)
    alpha: float = pydantic.Field(gt=0)
    dropout: float = pydantic.Field(ge=0, lt=1)
    matrices: tuple[str, ...]


class Method(Strict):
    """How a step is computed.

    Parameters
    ----------
    attention
        ``flash_attention_2`` (a package) and ``varlen`` (torch's own) attend inside each document and compute no more; the others build a mask from position
        ids that isolates the same.
    precision
        Of the forward pass; weights of a fully trained model and the optimizer's state stay in float32 where ``bf16`` is autocast.
    neftune_alpha
        Noise of NEFTune on the embeddings; null for none.
    neftune_length
        What its scale counts as length: each token's ``document``, as in its paper, the packed ``row``, or all rows of a ``batch`` end to end, as the study
        ran it; see :mod:`training.neftune`.
    liger
        Liger's fused kernels, on a GPU where the package is present.
    """

    attention: Literal["eager", "sdpa", "flex_attention", "flash_attention_2", "varlen"]
    precision: Literal["fp32", "bf16"]
    gradient_checkpointing: bool
    neftune_alpha: float | None = pydantic.Field(default=None, gt=0)
    neftune_length: Literal["document", "row", "batch"] = "document"
    liger: bool
    compile: bool
    lora: Lora | None = None


class Parallel(Strict):
    """How weights lie over processes: on each whole (``ddp``), sharded over all (``full``), or sharded in groups of ``shard`` and copied ``copies`` times."""

    kind: Literal["ddp", "full", "hybrid"]
    shard: int | None = pydantic.Field(default=None, ge=1)
    copies: int | None = pydantic.Field(default=None, ge=1)

    @pydantic.model_validator(mode="after")
    def _groups(self) -> Parallel:
        if (self.kind == "hybrid") != (self.shard is not None and self.copies is not None):
            raise ValueError("shard and copies belong to kind: hybrid, and to it alone")
        return self


class Cadence(Strict):
    """How often a run is measured, saved and written of; null for never, saves at the end apart."""

    evaluations_an_epoch: int | None = pydantic.Field(default=None, ge=1)
    saves_an_epoch: int | None = pydantic.Field(default=None, ge=1)
    kept: int = pydantic.Field(ge=1)
    steps_a_log: int = pydantic.Field(ge=1)


class Preferences(Strict):
    """Pairs of answers that a run learns from instead of rows: direct preference optimisation, see :mod:`training.dpo`.

    Parameters
    ----------
    path
        Of rows as ``data preferences`` writes them, ``docs/schemas/preferences.schema.json``; read as a source's path is.
    beta
        How dearly the run pays for leaving the model that it starts from; the smaller, the freer.
    loss
        ``sigmoid`` is DPO's own (arXiv 2305.18290), ``ipo`` does not trust pairs as certain (arXiv 2310.12036).
    label_smoothing
        The share of votes taken to be slips of the hand.
    """

    path: str
    beta: float = pydantic.Field(default=0.1, gt=0)
    loss: Literal["sigmoid", "ipo", "hinge"] = "sigmoid"
    label_smoothing: float = pydantic.Field(default=0, ge=0, lt=0.5)


class Sampling(Strict):
    """How the candidate is asked to write in the arena."""

    temperature: float = pydantic.Field(ge=0, le=2)
    top_p: float = pydantic.Field(gt=0, le=1)
    max_tokens: int = pydantic.Field(ge=1)
    stop: tuple[str, ...] = ()
