"""Tokens of the API: issued here and shown once, revoked here, and who read what by day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.admin.readonly import ReadOnlyAdmin, ReadOnlyInline
from arena.models import ApiToken, ApiTokenUse, User
from arena.services.tokens import issue, revoke
from arena.types import ApiScope

SCOPES = {
    ApiScope.CANDIDATES: _("candidates: how each is asked, and from what it was made"),
    ApiScope.VOTES: _("votes: how many do not count, by reason"),
}


class IssueForm(forms.Form):
    """For whom, what for, what they may read, and for how long."""

    owner = forms.CharField(label=_("Researcher"), help_text=_("E-mail address or name of their account."))
    name = forms.CharField(label=_("What for"), max_length=80)
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        required=False,
        choices=[(scope.value, text) for scope, text in SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("None: what is public, with the limit of a token."),
    )
    days = forms.IntegerField(label=_("Days until it expires"), min_value=1, max_value=730, initial=365)

    def clean_owner(self) -> User:
        said = self.cleaned_data["owner"]
        found = User.objects.filter(Q(username=said) | Q(email__iexact=said), is_active=True)[:2]
        if len(found) != 1:
            raise forms.ValidationError(_("No active account is called so."))
        return found[0]


class UseInline(ReadOnlyInline[ApiTokenUse, ApiToken]):
    model = ApiTokenUse
    fields = ("day", "scope", "requests")


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin[ApiToken]):
    list_display = ("prefix", "name", "owner", "told_scopes", "expires_at", "revoked_at", "last_used")
    fields = ("prefix", "name", "owner", "told_scopes", "created_at", "expires_at", "revoked_at")
    list_select_related = ("owner",)
    inlines = (UseInline,)
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        return super().get_queryset(request).annotate(last_day=Max("uses__day"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.add_apitoken")

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.change_apitoken")

    @admin.display(description=_("scopes"))
    def told_scopes(self, token: ApiToken) -> str:
        return ", ".join(token.scopes) or "—"

    @admin.display(description=_("last used"), ordering="last_day")
    def last_used(self, token: Any) -> Any:
        """The day, no closer."""
        return token.last_day

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form, and by POST the token itself, which is nowhere afterwards."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = IssueForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._issued(request, form.cleaned_data)
        return self._page(request, "issue", {"title": _("Issue a token"), "form": form})

    def _issued(self, request: HttpRequest, chosen: dict[str, Any]) -> HttpResponse:
        made = issue(
            owner=chosen["owner"],
            name=chosen["name"],
            scopes=[ApiScope(each) for each in chosen["scopes"]],
            expires_at=timezone.now() + timedelta(days=chosen["days"]),
        )
        self.log_addition(request, made.token, made.token.prefix)
        return self._page(request, "issued", {"title": _("Token issued"), "issued": made})

    def _page(self, request: HttpRequest, page: str, context: dict[str, Any]) -> TemplateResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/tokens/{page}.html", whole)

    @admin.action(description=_("Revoke, at once and for good"), permissions=["revoke"])
    def revoke(self, request: HttpRequest, chosen: QuerySet[ApiToken]) -> None:
        for token in chosen:
            revoke(token_id=token.pk)
            self.log_change(request, token, "revoked")
        self.message_user(request, _("Done."), messages.SUCCESS)
