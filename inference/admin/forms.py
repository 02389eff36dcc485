"""Forms of endpoints. Keys go in and never come out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.forms import ModelForm
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inference.admin.wording import MODES, STATUSES, Text
from inference.allow_list import check_endpoint_url
from inference.errors import EndpointNotAllowed
from inference.models import Candidate, EndpointDraft, ModelEndpoint
from inference.services.endpoints import key_fields
from inference.types import EndpointStatus, Provider, SystemPromptMode
from inference.wizard.transitions import may_become

OTHER = ""
SERVER = ("candidate", "base_url", "model", "provider", "context_tokens")
LIMITS = ("max_in_flight", "canary_share", "connect_s", "first_token_s", "between_tokens_s", "total_s")
BUDGETS = ("tokens_per_day", "prompt_price", "completion_price", "budget_per_day")
FIELDS = (*SERVER, *LIMITS, *BUDGETS)


def allowed_url(url: str) -> str:
    """The address in its normal form. Raises :class:`forms.ValidationError` with what to do."""
    try:
        return check_endpoint_url(url, hosts=settings.LEHIA_MODEL_HOSTS)
    except EndpointNotAllowed as error:
        raise forms.ValidationError(
            _("This address cannot be used: %(reason)s."), params={"reason": error}
        ) from None


class KeyField(forms.CharField):
    """A key: nobody who looks over a shoulder or into the page reads it."""

    def __init__(self, *, label: Text, help_text: Text) -> None:
        widget = forms.PasswordInput(attrs={"autocomplete": "off"}, render_value=False)
        super().__init__(label=label, help_text=help_text, required=False, max_length=1000, widget=widget)


class EndpointForm(ModelForm[ModelEndpoint]):
    """All that may be changed of an endpoint but its status and its key, which have pages of their own."""

    class Meta:
        model = ModelEndpoint
        fields: tuple[str, ...] = FIELDS

    def clean_base_url(self) -> str:
        return allowed_url(self.cleaned_data["base_url"])


class NewEndpointForm(EndpointForm):
    """An endpoint added by hand: a shadow, which serves once it passed the checks."""

    api_key = KeyField(
        label=gettext_lazy("Key"), help_text=gettext_lazy("Stored encrypted and never shown again.")
    )

    def save(self, commit: bool = True) -> ModelEndpoint:  # Django's signature
        self.instance.status = EndpointStatus.SHADOW.value
        for name, value in key_fields(self.cleaned_data["api_key"]).items():
            setattr(self.instance, name, value)
        return super().save(commit)


class StartForm(forms.Form):
    base_url = forms.CharField(
        label=gettext_lazy("Address of the model server"),
        max_length=300,
        help_text=gettext_lazy("Up to the version, such as http://127.0.0.1:8000/v1"),
        widget=forms.TextInput(attrs={"size": 60, "autocomplete": "off"}),
    )
    provider = forms.ChoiceField(
        label=gettext_lazy("Server"),
        choices=[(each.value, each.value) for each in Provider],
        initial=Provider.VLLM.value,
        help_text=gettext_lazy("Choose openai where nothing else fits."),
    )
    api_key = KeyField(
        label=gettext_lazy("Key"),
        help_text=gettext_lazy(
            "Stored encrypted and never shown again. Leave it empty if the server asks for none."
        ),
    )

    def clean_base_url(self) -> str:
        return allowed_url(self.cleaned_data["base_url"])


class ModelChoiceForm(forms.Form):
    """Which model of a server, and whose candidate it is."""

    model = forms.ChoiceField(label=gettext_lazy("Model"), required=False)
    other_model = forms.CharField(
        label=gettext_lazy("Another model"),
        required=False,
        max_length=400,
        help_text=gettext_lazy("Its name as the server knows it, where the list lacks it."),
    )
    candidate = forms.ModelChoiceField(
        label=gettext_lazy("Candidate"),
        required=False,
        queryset=Candidate.objects.all(),
        empty_label=gettext_lazy("a new one"),
        help_text=gettext_lazy(
            "Choose one only if this server gives the very same model: answers of both count as one."
        ),
    )
    name = forms.CharField(
        label=gettext_lazy("Name of the new candidate"),
        required=False,
        max_length=120,
        help_text=gettext_lazy(
            "Shown to volunteers after they vote. Leave it empty to name it like the model."
        ),
    )
    context_tokens = forms.IntegerField(
        label=gettext_lazy("Context (tokens)"),
        required=False,
        min_value=1,
        help_text=gettext_lazy("Leave it empty to take what the server says."),
    )

    def __init__(self, *args: Any, draft: EndpointDraft, **options: Any) -> None:
        super().__init__(*args, **options)
        self._served = {each["name"]: each["context_tokens"] for each in draft.seen.get("served", [])}
        self.fields["model"] = forms.ChoiceField(
            label=self.fields["model"].label,
            required=False,
            initial=next(iter(self._served), OTHER),
            choices=[*((name, name) for name in self._served), (OTHER, _("another, named below"))],
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        model = cleaned.get("other_model") or cleaned.get("model", "")
        if model:
            cleaned["model"] = model
            cleaned["context_tokens"] = cleaned.get("context_tokens") or self._served.get(model)
        else:
            self.add_error("model", _("Choose a model, or write its name."))
        return cleaned


class KeyForm(forms.Form):
    api_key = KeyField(
        label=gettext_lazy("New key"),
        help_text=gettext_lazy("The server is asked with it first. Leave it empty to remove the key."),
    )


class OpenForm(forms.Form):
    """The status that an endpoint gets."""

    status = forms.ChoiceField(label=gettext_lazy("Status"), widget=forms.RadioSelect)
    canary_share = forms.FloatField(
        label=gettext_lazy("Share as a canary"),
        min_value=0,
        max_value=1,
        help_text=gettext_lazy("Of the battles, from 0 to 1; it only matters for a canary."),
    )
    system_prompt_mode = forms.ChoiceField(
        label=gettext_lazy("System prompt"),
        choices=[(mode.value, label) for mode, label in MODES.items()],
        help_text=gettext_lazy(
            "How the candidate is given it; the checks preselect what worked, unless it has served before."
        ),
    )
    has_read_warnings = forms.BooleanField(
        label=gettext_lazy("I have read the warnings of the checks, and it may serve nevertheless."),
        required=False,
    )

    def __init__(self, *args: Any, endpoint: ModelEndpoint, **options: Any) -> None:
        super().__init__(*args, **options)
        old = EndpointStatus(endpoint.status)
        self.fields["status"] = forms.ChoiceField(
            label=self.fields["status"].label,
            widget=forms.RadioSelect,
            choices=[(each.value, label) for each, label in STATUSES.items() if may_become(old, each)],
        )

    def chosen(self) -> tuple[EndpointStatus, SystemPromptMode]:
        return EndpointStatus(self.cleaned_data["status"]), SystemPromptMode(
            self.cleaned_data["system_prompt_mode"]
        )
