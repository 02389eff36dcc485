"""The two forms where password managers look first."""

from __future__ import annotations

from typing import Any

from allauth.account import forms as allauth_forms
from django.utils.translation import gettext_lazy as _

_NAME = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "inputmode": "email"}


class LoginForm(allauth_forms.LoginForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail address")
        self.fields["login"].widget.attrs = {**_NAME}
        self.fields["password"].widget.attrs = {"autocomplete": "current-password"}
        self.fields["password"].help_text = ""


class SignupForm(allauth_forms.SignupForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")
        self.fields["email"].widget.attrs = {**_NAME, "type": "email"}
        password = self.fields["password1"]
        password.label = _("Password, if you want one")
        password.help_text = _("8 characters or more. Without one, we send you a code each time.")
        password.widget.attrs = {"autocomplete": "new-password", "minlength": "8"}
