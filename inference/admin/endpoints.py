"""Endpoints in the admin: their form, their list, and the pages that guide through adding one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from inference import services
from inference.admin.forms import BUDGETS, LIMITS, SERVER, EndpointForm, NewEndpointForm
from inference.admin.pages import status_urls
from inference.admin.wizard import wizard_urls
from inference.admin.wording import HEALTHS
from inference.errors import IllegalTransition
from inference.models import ModelEndpoint
from inference.services.endpoints import key_fields
from inference.types import EndpointHealth, EndpointStatus

_SEEN = (
    *("status", "health", "health_detail", "health_checked_at", "probe_first_token_ms"),
    *("running", "waiting", "key_is_set", "key_set_at"),
)


@admin.register(ModelEndpoint)
class ModelEndpointAdmin(admin.ModelAdmin[ModelEndpoint]):
    form = EndpointForm
    change_form_template = "admin/endpoints/change_form.html"
    change_list_template = "admin/endpoints/change_list.html"
    list_display = ("candidate", "base_url", "status", "health", "health_checked_at", "key_is_set")
    list_filter = ("status", "health", "provider")
    list_select_related = ("candidate",)
    readonly_fields = _SEEN
    actions = ("probe_now", "disable", "activate", "retire")

    def get_form(
        self, request: HttpRequest, obj: ModelEndpoint | None = None, change: bool = False, **options: Any
    ) -> type[ModelForm[ModelEndpoint]]:
        if obj is None:
            options["form"] = NewEndpointForm
        return super().get_form(request, obj, change, **options)

    def get_readonly_fields(self, request: HttpRequest, obj: ModelEndpoint | None = None) -> tuple[str, ...]:
        return _SEEN if obj is not None else ()

    def get_fieldsets(self, request: HttpRequest, obj: ModelEndpoint | None = None) -> Any:
        server = SERVER if obj is not None else (*SERVER, "api_key")
        sets = [
            (None, {"fields": server}),
            (gettext_lazy("Limits and deadlines"), {"fields": LIMITS}),
            (gettext_lazy("Prices and budgets"), {"fields": BUDGETS}),
        ]
        return [(gettext_lazy("State"), {"fields": _SEEN}), *sets] if obj is not None else sets

    def save_model(
        self, request: HttpRequest, obj: ModelEndpoint, form: ModelForm[ModelEndpoint], change: bool
    ) -> None:
        """A key is for one server: another address loses it, so that nobody sends it to a server of their own."""
        if change and {"base_url", "provider"} & set(form.changed_data) and obj.api_key_encrypted:
            for name, value in key_fields("").items():
                setattr(obj, name, value)
            said = _("The key was removed, since the server is another one now. Set it again.")
            self.message_user(request, said, messages.WARNING)
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        return [*status_urls(self), *wizard_urls(self), *super().get_urls()]

    @admin.display(boolean=True, description=gettext_lazy("key set"))
    def key_is_set(self, endpoint: ModelEndpoint) -> bool:
        return bool(endpoint.api_key_encrypted)

    @admin.action(description=gettext_lazy("Probe now"), permissions=["change"])
    def probe_now(self, request: HttpRequest, chosen: QuerySet[ModelEndpoint]) -> None:
        for endpoint in chosen:
            seen = services.probe_endpoint(endpoint_id=endpoint.pk)
            health = HEALTHS[EndpointHealth(seen.health)]
            text = _("%(endpoint)s: %(health)s") % {"endpoint": seen, "health": health}
            self.message_user(request, text, messages.INFO)

    @admin.action(description=gettext_lazy("Disable"), permissions=["change"])
    def disable(self, request: HttpRequest, chosen: QuerySet[ModelEndpoint]) -> None:
        self._switch(request, chosen, EndpointStatus.DISABLED)

    @admin.action(description=gettext_lazy("Activate"), permissions=["change"])
    def activate(self, request: HttpRequest, chosen: QuerySet[ModelEndpoint]) -> None:
        self._switch(request, chosen, EndpointStatus.ACTIVE)

    @admin.action(description=gettext_lazy("Retire; votes stay"), permissions=["change"])
    def retire(self, request: HttpRequest, chosen: QuerySet[ModelEndpoint]) -> None:
        self._switch(request, chosen, EndpointStatus.RETIRED)

    def _switch(self, request: HttpRequest, chosen: QuerySet[ModelEndpoint], status: EndpointStatus) -> None:
        for endpoint in chosen:
            is_unchecked = status is EndpointStatus.ACTIVE and endpoint.status == EndpointStatus.SHADOW.value
            if is_unchecked and services.missing_checks(endpoint, has_read_warnings=False):
                said = _("%(endpoint)s was not changed: a shadow is activated at the end of its checks.")
                self.message_user(request, said % {"endpoint": endpoint}, messages.ERROR)
                continue
            try:
                services.set_endpoint_status(endpoint_id=endpoint.pk, status=status)
            except IllegalTransition as error:
                self.message_user(request, refusal(endpoint, error), messages.ERROR)
            else:
                self.log_change(request, endpoint, f"status: {endpoint.status} -> {status.value}")


def refusal(endpoint: ModelEndpoint, error: IllegalTransition) -> str:
    said = _("%(endpoint)s was not changed: what is %(old)s cannot become %(new)s.")
    return said % {"endpoint": endpoint, "old": error.old, "new": error.new}
