"""Steps of a login."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.account.stages import EmailVerificationStage
from django.http import HttpResponse


class KnownAddressStage(EmailVerificationStage):
    """As allauth's, but an account that never had an address (staff made on the command line) has none to prove."""

    def handle(self) -> tuple[HttpResponse | None, bool]:
        user = self.login.user
        if user is not None and not user.email and not EmailAddress.objects.filter(user=user).exists():
            return None, True
        handled: tuple[HttpResponse | None, bool] = super().handle()
        return handled
