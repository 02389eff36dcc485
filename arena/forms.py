"""The forms a volunteer sends."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from arena.appearance import Appearance
from arena.models import CheckQuestion
from arena.models.moderation import MOST_WORDS_CHARS
from arena.selectors.judgements import Judgements
from arena.types import Display, Education, LanguageLevel, ReportReason, TextSize, Theme
from ranking.types import Outcome
from ranking.verdict import InvalidJudgements

CHOICES = [
    (Outcome.A_BETTER.value, _("A is better")),
    (Outcome.TIE.value, _("Tie")),
    (Outcome.B_BETTER.value, _("B is better")),
    (Outcome.BOTH_BAD.value, _("Both are bad")),
]


class VoteForm(forms.Form):
    content = forms.ChoiceField(choices=CHOICES, widget=forms.RadioSelect, label=_("Quality of the content"))
    language = forms.ChoiceField(choices=CHOICES, widget=forms.RadioSelect, label=_("Quality of the Basque"))
    overall = forms.ChoiceField(choices=CHOICES, widget=forms.RadioSelect, label=_("Overall"), required=False)

    def judgements(self) -> Judgements | None:
        """The judgements if they are one of the 22 valid combinations; errors are on the form otherwise."""
        if not self.is_valid():
            return None
        chosen = self.cleaned_data
        judgements = Judgements(
            content=Outcome(chosen["content"]),
            language=Outcome(chosen["language"]),
            overall=Outcome(chosen["overall"]) if chosen["overall"] else None,
        )
        try:
            judgements.winner  # noqa: B018  # the check is in the reading
        except InvalidJudgements:
            self.add_error(
                "overall", _("Say which one is better overall, exactly when your two answers disagree.")
            )
            return None
        return judgements


class ConsentForm(forms.Form):
    adult = forms.BooleanField()


class DisplayForm(forms.Form):
    display = forms.ChoiceField(choices=[(each.value, each.value) for each in Display])


REPORT_REASONS = [
    (ReportReason.ILLEGAL.value, _("Something that the law forbids")),
    (ReportReason.SELF_HARM.value, _("Suicide or self-harm")),
    (ReportReason.PERSONAL_DATA.value, _("Personal data")),
    (ReportReason.ABUSE.value, _("Abuse, hatred or threats")),
    (ReportReason.OTHER.value, _("Something else")),
]


class ReportForm(forms.Form):
    reason = forms.ChoiceField(choices=REPORT_REASONS, widget=forms.RadioSelect, label=_("What is it?"))
    words = forms.CharField(
        required=False,
        max_length=MOST_WORDS_CHARS,
        widget=forms.Textarea(attrs={"rows": 4}),
        label=_("In your words, if you like"),
    )


LEVELS = [
    (LanguageLevel.C.value, _("C1–C2: Basque is my mother tongue, or as strong as my Spanish or French.")),
    (LanguageLevel.B.value, _("B1–B2: I manage fairly well, but less than in Spanish or French.")),
    (LanguageLevel.A.value, _("A1–A2: my Basque is very basic.")),
]
EDUCATIONS = [
    (Education.HIGH_SCHOOL.value, _("Secondary school or less")),
    (Education.VOCATIONAL.value, _("Vocational training")),
    (Education.BACHELOR.value, _("University")),
]
_NOT_SAID = ("", _("I would rather not say"))


class ProfileForm(forms.Form):
    level = forms.ChoiceField(
        choices=[*LEVELS, _NOT_SAID], required=False, widget=forms.RadioSelect, label=_("Language level")
    )
    education = forms.ChoiceField(
        choices=[*EDUCATIONS, _NOT_SAID],
        required=False,
        widget=forms.RadioSelect,
        label=_("Education, the highest you have completed"),
    )

    @property
    def chosen_level(self) -> LanguageLevel | None:
        said = self.cleaned_data["level"]
        return LanguageLevel(said) if said else None

    @property
    def chosen_education(self) -> Education | None:
        said = self.cleaned_data["education"]
        return Education(said) if said else None


class AppearanceForm(forms.Form):
    theme = forms.ChoiceField(
        choices=[
            (Theme.AUTO.value, _("As the device")),
            (Theme.LIGHT.value, _("Light")),
            (Theme.DARK.value, _("Dark")),
        ],
        widget=forms.RadioSelect,
        label=_("Theme"),
    )
    text_size = forms.ChoiceField(
        choices=[
            (TextSize.NORMAL.value, _("Normal")),
            (TextSize.LARGE.value, _("Large")),
            (TextSize.LARGER.value, _("Larger")),
        ],
        widget=forms.RadioSelect,
        label=_("Size of the text"),
    )
    shortcuts = forms.BooleanField(required=False, label=_("Keyboard shortcuts"))

    @property
    def appearance(self) -> Appearance:
        chosen = self.cleaned_data
        return Appearance(Theme(chosen["theme"]), TextSize(chosen["text_size"]), chosen["shortcuts"])


_NICKNAME = re.compile(r"[^\W_]+(?:[ '’·-][^\W_]+)*")


class NicknameForm(forms.Form):
    """Letters and digits, with single spaces, hyphens or apostrophes between: no room for an address or a link."""

    nickname = forms.CharField(
        min_length=2,
        max_length=24,
        label=_("Nickname"),
        help_text=_("From 2 to 24 letters and numbers. Not your name, if you would rather not be known."),
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
    )

    def clean_nickname(self) -> str:
        said = " ".join(unicodedata.normalize("NFKC", self.cleaned_data["nickname"]).split())
        if not _NICKNAME.fullmatch(said):
            raise forms.ValidationError(
                _("Letters and numbers alone, with a space, a hyphen or an apostrophe between; no address.")
            )
        return said


class WithdrawalForm(forms.Form):
    votes = forms.BooleanField(required=False, label=_("Also take my votes out of every ranking"))


class DeletionForm(forms.Form):
    sure = forms.BooleanField(label=_("Yes, delete everything that is mine."))


class CheckForm(forms.Form):
    """Every question of a Basque check, each with its options to choose one from."""

    def __init__(self, *args: Any, questions: Iterable[CheckQuestion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for each in questions:
            self.fields[str(each.pk)] = forms.TypedChoiceField(
                label=each.text,
                coerce=int,
                choices=list(enumerate(each.options, start=1)),
                widget=forms.RadioSelect,
                error_messages={"required": _("Choose one.")},
            )

    def chosen(self) -> dict[int, int]:
        """From a question's key to the number of the option."""
        return {int(key): option for key, option in self.cleaned_data.items()}
