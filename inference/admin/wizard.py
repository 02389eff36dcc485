"""The guided way to a new endpoint: address, model, checks, status. Each page posts to itself and leads to the next; what was found stays."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters

from inference import services
from inference.admin.forms import KeyForm, ModelChoiceForm, OpenForm, StartForm
from inference.admin.pages import Admin, View, allow, found, page, probed_steps
from inference.admin.shown import shown
from inference.admin.wording import OUTCOMES, STEPS, advice
from inference.errors import (
    CandidateExists,
    ChecksMissing,
    EndpointExists,
    EndpointNotAllowed,
    IllegalTransition,
    KeyNotTaken,
    KeyUnreadable,
)
from inference.models import EndpointDraft, ModelEndpoint
from inference.types import EndpointStatus, Provider, SystemPromptMode
from inference.wizard.types import CheckOutcome, CheckStep

_ORDER = list(CheckStep)


def wizard_urls(own: Admin) -> list[URLPattern]:
    pages = Wizard(own)
    wrap = own.admin_site.admin_view
    views: list[tuple[str, View, str]] = [
        ("new/", sensitive_post_parameters("api_key")(pages.start), "start"),
        ("new/<uuid:draft_id>/", pages.choose, "choose"),
        ("<uuid:endpoint_id>/checks/<slug:step>/", pages.check, "check"),
        ("<uuid:endpoint_id>/open/", pages.open, "open"),
        ("<uuid:endpoint_id>/key/", sensitive_post_parameters("api_key")(pages.key), "key"),
    ]
    return [path(route, wrap(view), name=f"inference_endpoint_{name}") for route, view, name in views]


class Wizard:
    """The pages, for one admin site."""

    def __init__(self, own: Admin) -> None:
        self._own = own

    def start(self, request: HttpRequest) -> HttpResponseBase:
        allow(self._own.has_add_permission(request))
        form = StartForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            draft = services.start_draft(
                base_url=form.cleaned_data["base_url"],
                provider=Provider(form.cleaned_data["provider"]),
                api_key=form.cleaned_data["api_key"],
            )
            return redirect("admin:inference_endpoint_choose", draft.pk)
        unfinished = ModelEndpoint.objects.filter(status=EndpointStatus.SHADOW.value).select_related(
            "candidate"
        )
        context = {"form": form, "drafts": EndpointDraft.objects.all(), "unfinished": unfinished}
        return page(self._own, request, "start", context | {"title": _("Add an endpoint"), "at": "start"})

    def choose(self, request: HttpRequest, draft_id: UUID) -> HttpResponseBase:
        """What the server said, and which of its models is whose."""
        allow(self._own.has_add_permission(request))
        draft = get_object_or_404(EndpointDraft, pk=draft_id)
        if "again" in request.POST:
            return self._look_again(request, draft)
        form = ModelChoiceForm(request.POST or None, draft=draft)
        if request.method == "POST" and form.is_valid():
            endpoint = self._adopted(request, draft, form)
            if endpoint is not None:
                self._log(request, endpoint, "added by the guided checks")
                return redirect("admin:inference_endpoint_check", endpoint.pk, CheckStep.SERVER)
        steps = probed_steps(draft.seen.get("steps", []))
        context = {"form": form, "draft": draft, "steps": steps, "load": draft.seen.get("load")}
        return page(self._own, request, "choose", context | {"title": _("Choose the model"), "at": "choose"})

    def _look_again(self, request: HttpRequest, draft: EndpointDraft) -> HttpResponse:
        try:
            services.look_again(draft_id=draft.pk)
        except EndpointNotAllowed as error:
            said = _("This address cannot be used: %(reason)s.") % {"reason": error}
            self._own.message_user(request, said, messages.ERROR)
        except KeyUnreadable:
            self._own.message_user(request, str(_advice_text("key_unreadable")), messages.ERROR)
        return redirect("admin:inference_endpoint_choose", draft.pk)

    def _adopted(
        self, request: HttpRequest, draft: EndpointDraft, form: ModelChoiceForm
    ) -> ModelEndpoint | None:
        chosen = {name: form.cleaned_data[name] for name in ("model", "candidate", "name", "context_tokens")}
        try:
            return services.adopt_draft(draft_id=draft.pk, **chosen)
        except EndpointExists:
            form.add_error("model", _("This candidate has this model at this address already."))
        except CandidateExists:
            form.add_error(
                "name",
                _(
                    "There is a candidate of that name: choose it above if it is the same model, or write another name."
                ),
            )
        except EndpointNotAllowed as error:
            form.add_error(None, _("This address cannot be used: %(reason)s.") % {"reason": error})
        return None

    def check(self, request: HttpRequest, endpoint_id: UUID, step: str) -> HttpResponseBase:
        """The last finding of a step; by POST the check is made."""
        endpoint = found(endpoint_id)
        allow(self._own.has_change_permission(request, endpoint))
        if step not in _ORDER:
            return redirect("admin:inference_endpoint_check", endpoint_id, CheckStep.SERVER)
        this = CheckStep(step)
        if request.method == "POST":
            made = services.run_check(endpoint_id=endpoint_id, step=this)
            self._log(request, endpoint, f"check {this.value}: {made.outcome}")
            return redirect("admin:inference_endpoint_check", endpoint_id, this)
        last = services.last_checks(endpoint)
        context = {
            "title": STEPS[this],
            "endpoint": endpoint,
            "check": last.get(this),
            "shown": shown(last[this]) if this in last else None,
            "next": _ORDER[_ORDER.index(this) + 1] if this is not _ORDER[-1] else None,
        }
        return page(self._own, request, "check", context | self._trail(endpoint, at=this))

    def open(self, request: HttpRequest, endpoint_id: UUID) -> HttpResponseBase:
        """The status at the end; later pages of the same endpoint come back here to change it."""
        endpoint = found(endpoint_id)
        allow(self._own.has_change_permission(request, endpoint))
        initial = {
            "status": endpoint.status,
            "canary_share": endpoint.canary_share,
            "system_prompt_mode": _mode_to_choose(endpoint),
        }
        form = OpenForm(request.POST or None, endpoint=endpoint, initial=initial)
        if request.method == "POST" and form.is_valid() and self._opened(request, endpoint, form):
            return redirect("admin:inference_status")
        context = {"title": _("Status"), "endpoint": endpoint, "form": form}
        return page(self._own, request, "open", context | self._trail(endpoint, at="open"))

    def _opened(self, request: HttpRequest, endpoint: ModelEndpoint, form: OpenForm) -> bool:
        status, mode = form.chosen()
        try:
            services.open_endpoint(
                endpoint_id=endpoint.pk,
                status=status,
                canary_share=form.cleaned_data["canary_share"],
                system_prompt_mode=mode,
                has_read_warnings=form.cleaned_data["has_read_warnings"],
            )
        except ChecksMissing as error:
            steps = ", ".join(str(STEPS[CheckStep(step)]) for step in error.steps)
            said = _("Before it may serve, these checks must pass, or their warnings be read: %(steps)s.")
            form.add_error("status", said % {"steps": steps})
            return False
        except IllegalTransition as error:
            said = _("What is %(old)s cannot become %(new)s.") % {"old": error.old, "new": error.new}
            form.add_error("status", said)
            return False
        self._log(
            request, endpoint, f"status: {endpoint.status} -> {status.value}; system prompt: {mode.value}"
        )
        said = _("%(name)s is now %(status)s.") % {"name": endpoint.candidate.name, "status": status.value}
        self._own.message_user(request, said, messages.SUCCESS)
        return True

    def key(self, request: HttpRequest, endpoint_id: UUID) -> HttpResponseBase:
        """A new key, asked of the server before it replaces the old one."""
        endpoint = found(endpoint_id)
        allow(self._own.has_change_permission(request, endpoint))
        form = KeyForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                services.rotate_key(endpoint_id=endpoint_id, api_key=form.cleaned_data["api_key"])
            except KeyNotTaken as error:
                said = _("The old key stays, since the server did not answer with the new one.")
                form.add_error("api_key", f"{said} {_advice_text(error.code)}")
            else:
                self._log(request, endpoint, "key replaced")
                self._own.message_user(request, _("The key was replaced."), messages.SUCCESS)
                return redirect("admin:inference_modelendpoint_change", endpoint_id)
        context = {"title": _("Replace the key"), "endpoint": endpoint, "form": form}
        return page(self._own, request, "key", context)

    def _trail(self, endpoint: ModelEndpoint, *, at: str) -> dict[str, Any]:
        """The steps of an endpoint with what each found, for the head of its pages."""
        last = services.last_checks(endpoint)
        trail = [
            {
                "step": step.value,
                "label": STEPS[step],
                "outcome": OUTCOMES[CheckOutcome(last[step].outcome)] if step in last else "",
                "code": last[step].outcome if step in last else "",
            }
            for step in CheckStep
        ]
        return {"trail": trail, "at": str(at)}

    def _log(self, request: HttpRequest, endpoint: ModelEndpoint, message: str) -> None:
        self._own.log_change(request, endpoint, message)


def _advice_text(code: str) -> str:
    known = advice(code)
    return f"{known.meaning} {known.action}" if known else code


def _mode_to_choose(endpoint: ModelEndpoint) -> str:
    """What the checks recommend, as long as no endpoint of the candidate serves: later another mode would be another candidate."""
    last = services.last_checks(endpoint).get(CheckStep.TEMPLATE)
    others = endpoint.candidate.endpoints.exclude(status=EndpointStatus.SHADOW.value)
    if last is None or "recommended" not in last.detail or others.exists():
        return endpoint.candidate.system_prompt_mode
    return SystemPromptMode(last.detail["recommended"]).value
