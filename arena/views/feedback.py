"""What a volunteer marks in the answers after the vote; before it there is no such page."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from arena.errors import NoSuchPassage, TooManyPassages
from arena.feedback_form import FeedbackForm
from arena.models import Battle, SpanFeedback
from arena.selectors.feedback import feedback_view
from arena.services.feedback import add_feedback, delete_feedback, replace_feedback
from arena.types import BattleStatus
from arena.views.visitor import own_battle


@require_http_methods(["GET", "POST"])
@never_cache
def feedback(request: HttpRequest, battle_id: UUID) -> HttpResponse:
    return _told(request, _voted(request, battle_id), None)


@require_http_methods(["GET", "POST"])
@never_cache
def one(request: HttpRequest, battle_id: UUID, feedback_id: UUID) -> HttpResponse:
    """Change what was said before."""
    found = _voted(request, battle_id)
    own = next((each for each in feedback_view(found).marked if each.id == feedback_id), None)
    if own is None:
        raise Http404
    if request.method == "POST":
        return _told(request, found, feedback_id)
    before = {"span": own.value, "kind": own.kind, "comment": own.comment, "rewrite": own.rewrite}
    return _page(request, found, FeedbackForm(initial=before), feedback_id, 200)


@require_POST
def delete(request: HttpRequest, battle_id: UUID, feedback_id: UUID) -> HttpResponse:
    found = _voted(request, battle_id)
    try:
        delete_feedback(feedback_id=feedback_id, battle_id=found.pk, participant_id=found.participant_id)
    except SpanFeedback.DoesNotExist:
        raise Http404 from None
    return _done(request, found)


def _told(request: HttpRequest, found: Battle, feedback_id: UUID | None) -> HttpResponse:
    """The form, or what it said kept; where it cannot be, all that was written comes back in it."""
    form = FeedbackForm(request.POST if request.method == "POST" else None)
    if request.method == "GET":
        return _page(request, found, form, feedback_id, 200)
    if form.is_valid() and _kept(found, form, feedback_id):
        return _done(request, found)
    return _page(request, found, form, feedback_id, 422)


def _kept(found: Battle, form: FeedbackForm, feedback_id: UUID | None) -> bool:
    whose = {"battle_id": found.pk, "participant_id": found.participant_id}
    try:
        if feedback_id is None:
            add_feedback(said=form.said, **whose)
        else:
            replace_feedback(feedback_id=feedback_id, said=form.said, **whose)
    except NoSuchPassage:
        form.add_error("span", _("Choose the sentence that you mean."))
    except TooManyPassages:
        form.add_error(None, _("This battle has as many marks as it takes. Thank you."))
    return form.is_valid()


def _done(request: HttpRequest, found: Battle) -> HttpResponse:
    if _is_fetch(request):
        return render(request, "feedback/_section.html", context_of(found) | {"feedback_kept": True})
    return redirect(f"{reverse('battle', args=[found.pk])}#feedback")


def _page(
    request: HttpRequest, found: Battle, form: FeedbackForm, feedback_id: UUID | None, status: int
) -> HttpResponse:
    context = context_of(found) | {"feedback_form": form, "feedback_id": feedback_id}
    name = "feedback/_section.html" if _is_fetch(request) else "feedback/page.html"
    return render(request, name, context, status=status)


def context_of(found: Battle) -> dict[str, object]:
    """What the section needs; of a voted battle alone."""
    return {"feedback": feedback_view(found), "feedback_form": FeedbackForm(), "battle_id": found.pk}


def _voted(request: HttpRequest, battle_id: UUID) -> Battle:
    found = own_battle(request, battle_id)
    if BattleStatus(found.status) is not BattleStatus.VOTED:
        raise Http404
    return found


def _is_fetch(request: HttpRequest) -> bool:
    return request.headers.get("X-Requested-With") == "fetch"
