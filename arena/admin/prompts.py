"""Prompt sets: uploaded here, answered by the worker."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from arena.errors import BadPrompts, PromptSetTaken
from arena.models import PromptSet, User
from arena.prompt_files import PromptRow, digest, parse
from arena.selectors.prompt_sets import errors_of
from arena.services.prompt_sets import create_set, progress_of
from arena.tasks import answer_prompts

PROBLEMS: dict[str, str | Promise] = {
    "too_large": _("The file is larger than 2 MB."),
    "too_many": _("There are more than 2,000 prompts."),
    "empty": _("The file holds no prompts."),
    "not_utf8": _("This is not UTF-8."),
    "no_header": _("The first line must name the columns: text, and if wanted task, register, dialect."),
    "bad_csv": _("This is not CSV."),
    "bad_json": _("This is not JSON."),
    "no_object": _("This is no object."),
    "unknown_column": _("Columns are text, task, register and dialect; nothing else."),
    "no_text": _("The text lacks, or is no text."),
    "too_long": _("The prompt has more than 4,000 characters."),
    "label_too_long": _("A label has more than 60 characters."),
    "twice": _("The same prompt comes twice."),
}


class PromptSetForm(forms.ModelForm[PromptSet]):
    file = forms.FileField(
        label=_("file"), help_text=_("CSV with a header, or JSON lines: text, task, register, dialect.")
    )

    class Meta:
        model = PromptSet
        fields = ("name", "slug", "campaign")

    def clean_file(self) -> list[PromptRow]:
        sent: UploadedFile[bytes] = self.cleaned_data["file"]
        try:
            return parse(sent.name or "", sent.read())
        except BadPrompts as error:
            raise ValidationError([_located(*each) for each in error.problems]) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        rows, slug = cleaned.get("file"), cleaned.get("slug")
        standing = PromptSet.objects.filter(slug=slug).first()
        if rows and standing is not None and standing.content_digest != digest(rows):
            self.add_error("slug", _("Another list has this code."))
        return cleaned


def _located(line: int, problem: str) -> str | Promise:
    said = PROBLEMS[problem]
    return format_lazy(_("Line {line}: {problem}"), line=line, problem=said) if line else said


@admin.register(PromptSet)
class PromptSetAdmin(admin.ModelAdmin[PromptSet]):
    form = PromptSetForm
    list_display = ("name", "slug", "campaign", "n_prompts", "answered", "created_at")
    readonly_fields = ("n_prompts", "answered", "errors")
    prepopulated_fields: ClassVar = {"slug": ("name",)}
    actions = ("answer",)

    def get_fields(self, request: HttpRequest, obj: PromptSet | None = None) -> tuple[str, ...]:
        asked = ("name", "slug", "campaign")
        return (*asked, "file") if obj is None else (*asked, *self.readonly_fields)

    @admin.display(description=_("prompts"))
    def n_prompts(self, prompt_set: PromptSet) -> int:
        return prompt_set.prompts.count()

    @admin.display(description=_("answers"))
    def answered(self, prompt_set: PromptSet) -> str:
        """Complete, of how many, and those that failed for good."""
        progress = progress_of(prompt_set)
        failed = f" (−{progress.failed})" if progress.failed else ""
        return f"{progress.complete} / {progress.wanted}{failed}"

    @admin.display(description=_("why answers lack"))
    def errors(self, prompt_set: PromptSet) -> str:
        """By the error's code, as in the table of errors of ``docs/admin.md``."""
        return ", ".join(f"{code}: {n}" for code, n in errors_of(prompt_set).items()) or "—"

    @admin.action(description=_("Have every candidate answer"), permissions=["add"])
    def answer(self, request: HttpRequest, chosen: QuerySet[PromptSet]) -> None:
        for prompt_set in chosen:
            answer_prompts.delay(str(prompt_set.pk))
        self.message_user(
            request,
            _("The worker asks them one after the other; reload to see how far it is."),
            messages.SUCCESS,
        )

    def save_model(self, request: HttpRequest, obj: PromptSet, form: Any, change: bool) -> None:
        staff = request.user if isinstance(request.user, User) else None
        try:
            made = create_set(
                slug=obj.slug,
                name=obj.name,
                campaign=obj.campaign,
                rows=form.cleaned_data["file"],
                staff=staff,
            )
        except PromptSetTaken:  # between the check and here
            self.message_user(request, _("Another list has this code."), messages.ERROR)
            return
        obj.pk = made.pk

    def has_change_permission(self, request: HttpRequest, obj: PromptSet | None = None) -> bool:
        """A list stays as it was uploaded."""
        return False
