"""What a cleaning keeps and takes, with its defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from training.errors import BadData

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Language = Literal["eu", "es", "en", "fr"]
OWN_FIELDS = frozenset({"text", "source", "row"})


class Options(BaseModel):
    """Everything that shapes the output; the same options and inputs give the same bytes.

    The descriptions are the command's help and the table in ``docs/corpus.md``; a test holds that page to them.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    languages: tuple[Language, ...] = Field(default=("eu",), description="languages to keep")
    language_confidence: Share = Field(default=0.6, description="how sure a line's language must be to count")
    language_letters: Count = Field(
        default=25, description="letters a line needs for its language to be asked"
    )
    language_share: Share = Field(
        default=0.5, description="of a document's letters in languages to keep, or it goes whole"
    )
    line_letters_share: Share = Field(
        default=0.5, description="letters among a line's visible characters, or it goes"
    )
    menu_lines: Annotated[int, Field(ge=2)] = Field(
        default=6, description="short lines in a row that make a menu"
    )
    repeated_in: Annotated[int, Field(ge=2)] = Field(
        default=10, description="documents a line may not stand in: it stays in the first alone"
    )
    repeated_words: Count = Field(default=4, description="words a line needs to be counted so")
    min_words: Count = Field(default=10, description="words a document needs")
    max_characters: Count = Field(
        default=4_000_000, description="characters a document may have, or it is a bad row"
    )
    letters_share: Share = Field(default=0.7, description="letters among a document's visible characters")
    repeated_lines_share: Share = Field(
        default=0.3, description="of a document's characters in lines that stood in it before"
    )
    top_2_words_share: Share = Field(
        default=0.2, description="of a document's words in its most frequent 2 in a row"
    )
    top_3_words_share: Share = Field(default=0.18, description="the same for 3 in a row")
    top_4_words_share: Share = Field(default=0.16, description="the same for 4 in a row")
    again_5_words_share: Share = Field(
        default=0.15, description="of a document's 5 words in a row that stood in it before"
    )
    again_10_words_share: Share = Field(default=0.1, description="the same for 10 in a row")
    against_words: Annotated[int, Field(ge=8)] = Field(
        default=13, description="words in a row that a document may not share with an evaluation row"
    )
    near: bool = Field(default=True, description="look for near duplicates")
    near_words: Count = Field(default=3, description="words in a row that near duplicates are compared by")
    near_similarity: Share = Field(
        default=0.6, description="of those (Jaccard, estimated) that makes a near duplicate"
    )
    keep_fields: tuple[str, ...] = Field(default=(), description="fields of the rows to keep beside the text")
    text_unit: Literal["file", "paragraph"] = Field(
        default="file", description="what of a plain text is a document"
    )
    shard_mb: Count = Field(default=256, description="MB of text in a file of the output, before packing")
    batch_characters: Count = Field(
        default=4_000_000, description="characters cleaned together: memory goes by it"
    )

    @model_validator(mode="after")
    def _keeps_what_it_may(self) -> Options:
        taken = OWN_FIELDS & set(self.keep_fields)
        if taken:
            raise ValueError(f"the output's own fields cannot be kept: {', '.join(sorted(taken))}")
        if not self.languages:
            raise ValueError("there must be a language to keep")
        return self


def options(**values: object) -> Options:
    """Options by name.

    Raises
    ------
    BadData
        For a value that does not hold, naming it.
    """
    try:
        return Options.model_validate(values)
    except ValidationError as error:
        told = (
            f"--{'-'.join(map(str, each['loc'])).replace('_', '-')}: {each['msg']}" for each in error.errors()
        )
        raise BadData("; ".join(told)) from error
