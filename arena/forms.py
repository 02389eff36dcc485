"""The forms a volunteer sends."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from arena.selectors.judgements import Judgements
from arena.types import Display
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
