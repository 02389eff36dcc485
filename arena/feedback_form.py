"""The form of what a volunteer says of a passage."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from arena.models.feedback import MOST_COMMENT_CHARS, MOST_REWRITE_CHARS
from arena.services.feedback import Said
from arena.types import FeedbackKind

KINDS = [
    (FeedbackKind.GRAMMAR.value, _("Grammar or spelling")),
    (FeedbackKind.CALQUE.value, _("Calque: Basque words in another language's turn")),
    (FeedbackKind.INVENTED_WORD.value, _("Invented word")),
    (FeedbackKind.WRONG_REGISTER.value, _("Wrong register")),
    (FeedbackKind.FACTUAL.value, _("Not true")),
    (FeedbackKind.OTHER.value, _("Something else")),
]
_SPAN = re.compile(r"([0-9a-f-]{36}):(\d{1,7}):(\d{1,7})")


class FeedbackForm(forms.Form):
    span = forms.CharField(
        label=_("Sentence"), error_messages={"required": _("Choose the sentence that you mean.")}
    )
    kind = forms.ChoiceField(
        choices=KINDS,
        widget=forms.RadioSelect,
        label=_("What is wrong with it?"),
        error_messages={"required": _("Say what is wrong with it.")},
    )
    comment = forms.CharField(
        required=False,
        max_length=MOST_COMMENT_CHARS,
        widget=forms.Textarea(attrs={"rows": 2}),
        label=_("Comment"),
    )
    rewrite = forms.CharField(
        required=False,
        max_length=MOST_REWRITE_CHARS,
        widget=forms.Textarea(attrs={"rows": 3, "lang": "eu"}),
        label=_("How you would write it"),
    )

    def clean_span(self) -> tuple[UUID, int, int]:
        found = _SPAN.fullmatch(self.cleaned_data["span"])
        try:
            if found is not None:
                return UUID(found[1]), int(found[2]), int(found[3])
        except ValueError:
            pass
        raise forms.ValidationError(gettext("Choose the sentence that you mean."))

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or {}
        if told.get("kind") == FeedbackKind.OTHER.value and not (told.get("comment") or told.get("rewrite")):
            self.add_error("comment", gettext("Write what you mean, or how it would be right."))
        return told

    @property
    def said(self) -> Said:
        """What a valid form says."""
        told = self.cleaned_data
        answer_id, start, end = told["span"]
        return Said(answer_id, start, end, FeedbackKind(told["kind"]), told["comment"], told["rewrite"])
