"""How the site is doing: in one sentence for volunteers, in figures for Prometheus."""

from __future__ import annotations

import ipaddress
from hmac import compare_digest

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from arena.observing.site import SiteCollector
from inference import metrics
from inference.health.whole import Whole, whole

_SAID = {
    Whole.WELL: (_("Everything works"), _("Write a message: two models answer you side by side.")),
    Whole.SLOW: (_("Some models are slow"), _("Answers may take longer. What you write is not lost.")),
    Whole.TOO_FEW: (
        _("Not enough models at work"),
        _(
            "A battle needs two models, and they are not there now. Votes and battles so far are kept; come back later."
        ),
    ),
}
_FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


@require_GET
@never_cache
def status(request: HttpRequest) -> HttpResponse:
    """Only the whole: what told of one model would tell who answers slowly in an open battle."""
    state = whole()
    title, advice = _SAID[state]
    return render(request, "status.html", {"state": state.value, "said": title, "advice": advice})


@require_GET
@never_cache
def prometheus(request: HttpRequest) -> HttpResponse:
    """Figures by endpoint, which would unblind: only for the host itself, named networks, and holders of the token."""
    if not (_has_token(request) or _is_near(request)):
        return HttpResponse("not from here\n", status=403, content_type="text/plain")
    body, content_type = metrics.render(SiteCollector())
    return HttpResponse(body, content_type=content_type)


def _has_token(request: HttpRequest) -> bool:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.LEHIA_METRICS_TOKEN
    return bool(wanted) and scheme.lower() == "bearer" and compare_digest(given.encode(), wanted.encode())


def _is_near(request: HttpRequest) -> bool:
    """Loopback and the named networks. What a proxy on this host passes on comes from loopback too, and is not near."""
    if any(name in request.META for name in _FORWARDED):
        return False
    try:
        client = ipaddress.ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:  # a Unix socket, which proxies speak through
        return False
    return client.is_loopback or any(client in network for network in settings.LEHIA_METRICS_NETWORKS)
