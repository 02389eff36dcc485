"""allauth's hooks: who joins whom at a login, what an account is called, how its secrets are kept."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest, HttpResponse

from arena import appearance, sessions
from arena.models import User
from arena.services.audit import note_own
from arena.services.people import join_guest
from arena.services.sessions import end_all
from arena.visitors import address_of
from inference import crypto

_VERIFICATION = "allauth.account.stages.EmailVerificationStage"


class AccountAdapter(DefaultAccountAdapter):
    def login(self, request: HttpRequest, user: User) -> None:
        """Log in, and bring along what the guest of this browser did."""
        guest_id = sessions.participant_id(request.session)
        super().login(request, user)
        participant = join_guest(guest_id=guest_id, user=user)
        sessions.remember_participant(request.session, participant.pk)
        note_own(user, "login")

    def post_login(self, request: HttpRequest, user: User, **hooks: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **hooks)
        appearance.remember(response, appearance.preferred_by(user.participant))
        return response

    def get_client_ip(self, request: HttpRequest) -> str:
        """As all other limits count it. Visitors whose address is not known share one."""
        return address_of(request) or "unknown"

    def send_notification_mail(self, template_prefix: str, user: User, *args: Any, **kwargs: Any) -> None:
        """What somebody is written about how they log in, is noted where they are staff: passwords, addresses, second factors."""
        note_own(user, template_prefix.rpartition("/")[2])
        super().send_notification_mail(template_prefix, user, *args, **kwargs)

    def set_password(self, user: User, password: str) -> None:
        """Another password ends what the old one let in; the browser that changes it is given a session of its own afterwards."""
        super().set_password(user, password)
        end_all(account_id=user.pk)

    def populate_username(self, request: HttpRequest, user: User) -> None:
        """A name nobody sees and that says nothing; allauth would take it from the address."""
        if not user.username:
            user.username = uuid.uuid4().hex

    def get_login_stages(self) -> list[str]:
        known = "arena.accounts.stages.KnownAddressStage"
        return [known if stage == _VERIFICATION else stage for stage in super().get_login_stages()]


def display_name(user: User) -> str:
    """How allauth's e-mails call somebody."""
    return user.email or user.username


class SecondFactorAdapter(DefaultMFAAdapter):
    """Keeps the seeds of second factors as the keys of endpoints are kept."""

    def encrypt(self, text: str) -> str:
        return crypto.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return crypto.decrypt(encrypted_text)

    def build_totp_svg(self, url: str) -> str:
        """To stand in a page: the policy of the pages allows no address that holds its picture."""
        svg: str = super().build_totp_svg(url)
        return svg[svg.index("<svg") :]
