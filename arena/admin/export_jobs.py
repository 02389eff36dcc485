"""Exports that are ordered here: looked at first, followed, downloaded, cancelled; and those of everybody else."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from arena.admin.readonly import ReadOnlyAdmin
from arena.errors import ExportRefused
from arena.export_form import PROBLEMS, StaffExportForm
from arena.models import ExportJob, User
from arena.services import export_jobs, exports
from arena.tasks import begin_export
from arena.views.exports import as_asked, given, told

_LIST = "admin:arena_exportjob_changelist"
_JOB = "admin:arena_exportjob_change"


@admin.register(ExportJob)
class ExportJobAdmin(ReadOnlyAdmin[ExportJob]):
    """To order, and to cancel what anybody ordered: may add. To see and to download all: may view."""

    list_display = ("created_at", "by", "layout", "format", "state", "progress", "problem", "expires_at")
    list_filter = ("state", "layout")
    list_select_related = ("by",)

    @admin.display(description=gettext_lazy("battles"))
    def progress(self, job: ExportJob) -> str:
        return f"{job.battles_done} / {job.battles}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.add_exportjob")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<uuid:job_id>/progress/", wrap(self.progress_view), name="export_progress"),
            path("<uuid:job_id>/file/", wrap(self.file_view), name="export_file"),
            path("<uuid:job_id>/cancel/", wrap(require_POST(self.cancel_view)), name="cancel_export"),
        ]
        return [*own, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The form; with its answers in the address also what the file would hold; by POST the order itself."""
        if not (self.has_add_permission(request) and isinstance(request.user, User)):
            raise PermissionDenied
        asked = request.POST if request.method == "POST" else request.GET
        may = request.user.has_perm("arena.export_any_licence")
        form = StaffExportForm(asked if "layout" in asked else None, may_any_licence=may)
        context: dict[str, Any] = {"title": _("Order an export"), "form": form}
        if form.is_valid():
            order = form.order(request.user)
            try:
                if request.method == "POST":
                    return self._ordered(request, order, request.user)
                context |= {"found": exports.preview(order), "asked": as_asked(request, order)}
            except ExportRefused as refusal:
                form.add_error(None, str(PROBLEMS[refusal.problem]))
        status = HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
        return self._page(request, "order", context, status)

    def _ordered(self, request: HttpRequest, order: exports.Order, user: User) -> HttpResponse:
        job = export_jobs.order_export(order, by=user, is_limited=False)
        begin_export(job.pk)
        self.log_addition(request, job, str(job))
        return redirect(_JOB, job.pk)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        job = self._found(request, object_id)
        return self._page(request, "job", {"title": str(job), **told(job, admin="admin:")})

    def progress_view(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        """The part of the page that moves."""
        context = told(self._found(request, job_id), admin="admin:")
        return TemplateResponse(request, "exports/_progress.html", context)

    def file_view(self, request: HttpRequest, job_id: UUID) -> HttpResponseBase:
        """The file or a part of it."""
        return given(request, self._found(request, job_id)) or redirect(_JOB, job_id)

    def cancel_view(self, request: HttpRequest, job_id: UUID) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        if export_jobs.cancel_export(job_id=job_id):
            self.log_change(request, get_object_or_404(ExportJob, pk=job_id), "cancelled")
        return redirect(_JOB, job_id)

    def _found(self, request: HttpRequest, job_id: UUID | str) -> ExportJob:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_object(request, str(job_id))  # none for what is no key either
        if found is None:
            raise Http404
        return found

    def _page(
        self,
        request: HttpRequest,
        page: str,
        context: dict[str, Any],
        status: HTTPStatus = HTTPStatus.OK,
    ) -> TemplateResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/exports/{page}.html", whole, status=status)
