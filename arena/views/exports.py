"""Pages on which researchers order exports of their own, follow them and download them."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Concatenate, ParamSpec
from uuid import UUID

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from arena.accounts.staff import lacks_factor
from arena.errors import ExportRefused
from arena.export_form import PROBLEMS, ExportForm
from arena.models import ExportJob, User
from arena.selectors.export_jobs import job_of, jobs_of
from arena.services import export_jobs, exports
from arena.services.data_log import note_download
from arena.tasks import begin_export
from arena.types import ExportProblem, ExportState
from arena.views.files import download, kind_of

PERMISSION = "arena.order_exports"
SHOWN = 50
_LIMITS = (ExportProblem.RUNNING_ALREADY, ExportProblem.TOO_MANY)
_Given = ParamSpec("_Given")


def for_researchers(
    view: Callable[Concatenate[HttpRequest, User, _Given], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Gives the view the account; others are led to the login, staff to their second factor too, or told who gives the permission."""

    @wraps(view)
    def shown(request: HttpRequest, *args: _Given.args, **kwargs: _Given.kwargs) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return redirect_to_login(request.get_full_path())
        if request.user.is_staff and lacks_factor(request):
            return redirect_to_login(request.get_full_path(), reverse("admin:login"))
        if not request.user.has_perm(PERMISSION):
            return render(request, "exports/closed.html", status=HTTPStatus.FORBIDDEN)
        return view(request, request.user, *args, **kwargs)

    return shown


@require_safe
@never_cache
@for_researchers
def index(request: HttpRequest, user: User) -> HttpResponse:
    context = {"jobs": jobs_of(user)[:SHOWN], "a_day": settings.LEHIA_EXPORTS_A_DAY}
    return render(request, "exports/list.html", {**context, "days": settings.LEHIA_EXPORT_DAYS})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@for_researchers
def new(request: HttpRequest, user: User) -> HttpResponse:
    """The form; with its answers in the address also what the file would hold; by POST the order itself."""
    asked = request.POST if request.method == "POST" else request.GET
    form = ExportForm(asked if "layout" in asked else None)
    status = HTTPStatus.OK
    if form.is_valid():
        order = form.order(user)
        try:
            if request.method == "POST":
                job = export_jobs.order_export(order, by=user, is_limited=True)
                begin_export(job.pk)
                return redirect("export", job.pk)
            found = exports.preview(order)
        except ExportRefused as refusal:
            form.add_error(None, str(PROBLEMS[refusal.problem]))
            is_limit = refusal.problem in _LIMITS
            status = HTTPStatus.TOO_MANY_REQUESTS if is_limit else HTTPStatus.UNPROCESSABLE_ENTITY
        else:
            asked_again = as_asked(request, order)
            return render(request, "exports/new.html", {"form": form, "found": found, "asked": asked_again})
    elif form.is_bound:
        status = HTTPStatus.UNPROCESSABLE_ENTITY
    return render(request, "exports/new.html", {"form": form}, status=status)


def as_asked(request: HttpRequest, order: exports.Order) -> list[tuple[str, str]]:
    """Names and values of the same order, its cut-off said: what is ordered is what was looked at."""
    kept = [(name, str(value)) for name, value in request.GET.items() if name != "cutoff"]
    return [*kept, ("cutoff", order.filters.cutoff.isoformat())]


@require_safe
@never_cache
@for_researchers
def export(request: HttpRequest, user: User, job_id: UUID) -> HttpResponse:
    return render(request, "exports/page.html", told(_own(job_id, user)))


@require_safe
@never_cache
@for_researchers
def progress(request: HttpRequest, user: User, job_id: UUID) -> HttpResponse:
    """The part of the page that moves."""
    return render(request, "exports/_progress.html", told(_own(job_id, user)))


@require_POST
@for_researchers
def cancel(request: HttpRequest, user: User, job_id: UUID) -> HttpResponse:
    export_jobs.cancel_export(job_id=_own(job_id, user).pk)
    return redirect("export", job_id)


@require_safe
@for_researchers
def file(request: HttpRequest, user: User, job_id: UUID) -> HttpResponseBase:
    job = _own(job_id, user)
    if job.state == ExportState.EXPIRED.value:
        return render(request, "exports/page.html", told(job), status=HTTPStatus.GONE)
    return given(request, job) or redirect("export", job_id)


def _own(job_id: UUID, user: User) -> ExportJob:
    """For everybody but who ordered it there is none."""
    job = job_of(job_id, user)
    if job is None:
        raise Http404
    return job


def told(job: ExportJob, *, admin: str = "") -> dict[str, Any]:
    """What pages and their moving part say of an export; *admin* begins the names of the admin's addresses."""
    order = export_jobs.order_of(job)
    return {
        "job": job,
        "filters": order.filters,
        "name": job.path.name,
        "problem": PROBLEMS.get(job.problem, ""),
        "page_url": reverse("admin:arena_exportjob_change" if admin else "export", args=[job.pk]),
        "progress_url": reverse(f"{admin}export_progress", args=[job.pk]),
        "file_url": reverse(f"{admin}export_file", args=[job.pk]),
        "cancel_url": reverse(f"{admin}cancel_export", args=[job.pk]),
    }


def given(request: HttpRequest, job: ExportJob) -> HttpResponseBase | None:
    """The file or a part of it, which is noted. ``None`` where there is none yet, and where something in it was taken back: its page says which."""
    if job.state != ExportState.DONE.value or job.export is None or not export_jobs.still_stands(job):
        return None
    name = job.path.name
    sha256 = job.export.sha256
    answer = download(request, job.path, name=name, kind=kind_of(name), sha256=sha256, is_public=False)
    if answer.streaming and isinstance(request.user, User):
        note_download(job, by=request.user, size_bytes=int(answer["Content-Length"]))
    return answer
