"""Training runs: to look at; their exports can be registered as candidates."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from arena.admin.readonly import ReadOnlyAdmin
from arena.errors import NotExported
from arena.models import TrainingRun
from arena.runs import folder, metrics
from arena.runs.curves import curves, shown
from arena.runs.folder import Run, RunState
from arena.services.runs import EXPORT, export_of, register_run
from inference.allow_list import check_endpoint_url
from inference.errors import BadManifest, EndpointNotAllowed
from inference.types import Provider

STATES = {
    RunState.PREPARED: gettext_lazy("prepared"),
    RunState.RUNNING: gettext_lazy("running"),
    RunState.DONE: gettext_lazy("done"),
    RunState.FAILED: gettext_lazy("failed"),
    RunState.INTERRUPTED: gettext_lazy("interrupted"),
    RunState.LOST: gettext_lazy("lost"),
    RunState.BROKEN: gettext_lazy("broken"),
}

MEANT = {
    RunState.INTERRUPTED: gettext_lazy("It was stopped after saving, and goes on when it is resumed."),
    RunState.LOST: gettext_lazy("No heartbeat for ten minutes: its processes hang or are gone."),
    RunState.BROKEN: gettext_lazy("Its run.json cannot be read."),
}
"""What some states mean, where their word does not say it."""


class RegisterForm(forms.Form):
    """Where the exported model is served."""

    base_url = forms.CharField(
        label=gettext_lazy("Address of the model server"),
        help_text=gettext_lazy("Such as http://127.0.0.1:8100/v1; the server must hold this model already."),
    )
    provider = forms.ChoiceField(
        label=gettext_lazy("Server"),
        choices=[(each.value, each.value) for each in Provider],
        initial=Provider.VLLM.value,
    )

    def clean_base_url(self) -> str:
        try:
            return check_endpoint_url(self.cleaned_data["base_url"], hosts=settings.LEHIA_MODEL_HOSTS)
        except EndpointNotAllowed as error:
            raise forms.ValidationError(
                _("This address cannot be used: %(reason)s."), params={"reason": error}
            ) from None


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnlyAdmin[TrainingRun]):
    """Pages over folders instead of rows: no address of Django's own remains that would look for a table."""

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("", wrap(self.changelist_view), name="arena_trainingrun_changelist"),
            path("<str:name>/", wrap(self.run_view), name="arena_trainingrun_run"),
            path("<str:name>/register/", wrap(self.register_view), name="arena_trainingrun_register"),
        ]

    def has_view_permission(self, request: HttpRequest, obj: TrainingRun | None = None) -> bool:
        return request.user.has_perm("arena.view_trainingrun")

    def has_register_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request) and request.user.has_perm("arena.register_trainingrun")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._allow(self.has_view_permission(request))
        found = [_row(run) for run in folder.runs(settings.LEHIA_RUNS)]
        context = {"title": _("Training runs"), "rows": found, "folder": settings.LEHIA_RUNS}
        return self._page(request, "list", context)

    def run_view(self, request: HttpRequest, name: str) -> HttpResponse:
        self._allow(self.has_view_permission(request))
        run = _found(name)
        measured = _metrics(run)
        context = {
            "title": run.name,
            "run": run,
            "row": _row(run),
            "curves": curves(measured),
            "is_sampled": measured.is_sampled,
            "recipe": _text(run, "recipe.yaml"),
            "log": _text(run, "log.txt"),
            "names": {},
            "may_register": self.has_register_permission(request) and run.file(EXPORT) is not None,
        }
        return self._page(request, "run", context)

    def register_view(self, request: HttpRequest, name: str) -> HttpResponseBase:
        """The confirmation, and by POST the deed."""
        self._allow(self.has_register_permission(request))
        run = _found(name)
        try:
            manifest = export_of(run.name)
        except (NotExported, BadManifest) as error:
            return self._refuse(request, run, error)
        form = RegisterForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            return self._registered(request, run, form.cleaned_data)
        title = _("Register as candidate")
        context = {"title": title, "run": run, "manifest": manifest, "form": form}
        return self._page(request, "register", context)

    def _registered(self, request: HttpRequest, run: Run, chosen: dict[str, str]) -> HttpResponse:
        provider = Provider(chosen["provider"])
        try:
            endpoint = register_run(name=run.name, base_url=chosen["base_url"], provider=provider)
        except (NotExported, BadManifest, EndpointNotAllowed) as error:
            return self._refuse(request, run, error)
        self.log_addition(request, endpoint.candidate, f"training run {run.name}")  # type: ignore[arg-type]  # a row of another table
        said = _("Registered: %(name)s. It is drawn into battles once its server answers the probe.")
        self.message_user(request, said % {"name": endpoint.candidate.name}, messages.SUCCESS)
        return redirect("admin:inference_modelendpoint_change", endpoint.pk)

    def _refuse(self, request: HttpRequest, run: Run, error: Exception) -> HttpResponse:
        said = _("This run has no export yet: python -m training export makes one.")
        if not isinstance(error, NotExported):
            said = _("This export cannot be registered: %(reason)s") % {"reason": error}
        self.message_user(request, said, messages.ERROR)
        return redirect("admin:arena_trainingrun_run", run.name)

    def _page(self, request: HttpRequest, page: str, context: dict[str, Any]) -> TemplateResponse:
        whole = {**self.admin_site.each_context(request), "opts": self.opts, **context}
        return TemplateResponse(request, f"admin/runs/{page}.html", whole)

    @staticmethod
    def _allow(is_allowed: bool) -> None:
        if not is_allowed:
            raise PermissionDenied


def _found(name: str) -> Run:
    run = folder.find(settings.LEHIA_RUNS, name)
    if run is None:
        raise Http404
    return run


def _row(run: Run) -> dict[str, Any]:
    """What the list shows of a run."""
    state, facts = run.state(timezone.now()), run.facts
    path = run.file("metrics.jsonl")
    line = (metrics.last(path) if path else None) or {}
    return {
        "name": run.name,
        "state": state.value,
        "status": STATES[state],
        "meant": MEANT.get(state, ""),
        "loss": shown(facts.get("loss")),
        "tokens_per_s": shown(metrics.number(line, "tokens_per_s")),
        **{key: facts.get(key) for key in ("recipe", "step", "steps", "device", "processes", "started_at")},
    }


def _metrics(run: Run) -> metrics.Metrics:
    path = run.file("metrics.jsonl")
    return metrics.read(path) if path else metrics.Metrics()


def _text(run: Run, name: str) -> str:
    path = run.file(name)
    return folder.tail(path) if path else ""
