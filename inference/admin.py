"""Candidates and endpoints in the admin: what is added here serves without a restart."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inference import services
from inference.allow_list import check_endpoint_url
from inference.crypto import encrypt
from inference.errors import EndpointNotAllowed
from inference.models import Candidate, ModelEndpoint
from inference.types import EndpointStatus


class EndpointForm(ModelForm[ModelEndpoint]):
    """An endpoint with a key that can be written and never read."""

    api_key = forms.CharField(
        label=gettext_lazy("Key"),
        required=False,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}, render_value=False),
        help_text=gettext_lazy(
            "Stored encrypted and never shown again. Leave empty to keep the key that is set."
        ),
    )

    class Meta:
        model = ModelEndpoint
        fields = ("candidate", "base_url", "model", "provider", "status")

    def clean_base_url(self) -> str:
        try:
            return check_endpoint_url(self.cleaned_data["base_url"], hosts=settings.LEHIA_MODEL_HOSTS)
        except EndpointNotAllowed as error:
            raise forms.ValidationError(
                _("This address cannot be used: %(reason)s."), params={"reason": error}
            ) from None

    def save(self, commit: bool = True) -> ModelEndpoint:  # Django's signature
        if self.cleaned_data["api_key"]:
            self.instance.api_key_encrypted = encrypt(self.cleaned_data["api_key"])
        return super().save(commit)


@admin.register(Candidate)
class CandidateAdmin(admin.ModelAdmin[Candidate]):
    list_display = ("name", "code", "revision", "system_prompt_mode", "licence")
    search_fields = ("name", "code")


@admin.register(ModelEndpoint)
class ModelEndpointAdmin(admin.ModelAdmin[ModelEndpoint]):
    form = EndpointForm
    list_display = ("candidate", "base_url", "status", "health", "health_checked_at", "key_is_set")
    list_filter = ("status", "health")
    list_select_related = ("candidate",)
    readonly_fields = ("health", "health_detail", "health_checked_at", "probe_first_token_ms", "key_is_set")
    actions = ("probe_now", "disable", "activate")

    @admin.display(boolean=True, description=gettext_lazy("key set"))
    def key_is_set(self, endpoint: ModelEndpoint) -> bool:
        return bool(endpoint.api_key_encrypted)

    @admin.action(description=gettext_lazy("Probe now"))
    def probe_now(self, request: HttpRequest, chosen: QuerySet[ModelEndpoint]) -> None:
        for endpoint in chosen:
            seen = services.probe_endpoint(endpoint_id=endpoint.pk)
            text = _("%(endpoint)s: %(health)s") % {"endpoint": seen, "health": seen.health}
            self.message_user(request, text, messages.INFO)

    @admin.action(description=gettext_lazy("Disable"))
    def disable(self, request: HttpRequest, chosen: QuerySet[ModelEndpoint]) -> None:
        self._switch(chosen, EndpointStatus.DISABLED)

    @admin.action(description=gettext_lazy("Activate"))
    def activate(self, request: HttpRequest, chosen: QuerySet[ModelEndpoint]) -> None:
        self._switch(chosen, EndpointStatus.ACTIVE)

    @staticmethod
    def _switch(chosen: QuerySet[ModelEndpoint], status: EndpointStatus) -> None:
        for endpoint in chosen:
            services.set_endpoint_status(endpoint_id=endpoint.pk, status=status)
