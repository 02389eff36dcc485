"""Erasing people from a list of the admin, after a page that says what that does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from arena.errors import StaffStays
from arena.services.accounts import ERASED

PersonT = TypeVar("PersonT", bound=Model)


class ErasingAdmin(admin.ModelAdmin[PersonT]):
    actions: Sequence[str] = ("erase",)

    def erase_one(self, one: PersonT) -> None:
        raise NotImplementedError

    def has_erase_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.delete_user")

    @admin.action(description=_("Erase, at their request"), permissions=["erase"])
    def erase(self, request: HttpRequest, chosen: QuerySet[PersonT]) -> TemplateResponse | None:
        """The question, and with its answer the deed. What cannot be undone is asked first."""
        if "sure" not in request.POST:
            whole = {
                **self.admin_site.each_context(request),
                "opts": self.opts,
                "title": _("Erase, at their request"),
                "chosen": chosen,
                "field": ACTION_CHECKBOX_NAME,
            }
            return TemplateResponse(request, "admin/erase.html", whole)
        for one in chosen:
            self._erased(request, one)
        return None

    def _erased(self, request: HttpRequest, one: PersonT) -> None:
        key = one.pk
        try:
            self.erase_one(one)
        except StaffStays:
            self.message_user(
                request, _("This is an account of staff: end its being one first."), messages.ERROR
            )
            return
        LogEntry.objects.create(  # Django's own way writes down what it was called
            user_id=int(request.user.pk or 0),
            content_type=ContentType.objects.get_for_model(self.model),
            object_id=str(key),
            object_repr=ERASED,
            action_flag=DELETION,
        )
        self.message_user(request, _("Erased: %(key)s.") % {"key": key}, messages.SUCCESS)
