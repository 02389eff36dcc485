"""The site's addresses."""

from django.contrib import admin
from django.urls import include, path, register_converter

from arena.converters import ModelName
from arena.views import (
    battles,
    boards,
    campaigns,
    feedback,
    judging,
    lines,
    me,
    models,
    pages,
    raffles,
    reporting,
    reports,
    snapshots,
    status,
)

register_converter(ModelName, "model")

urlpatterns = [
    path("", battles.start, name="start"),
    path("consent/", battles.consent, name="consent"),
    path("display/", battles.prefer_display, name="prefer_display"),
    path("line/", lines.line, name="line"),
    path("line/<uuid:battle_id>/", lines.line, name="battle_line"),
    path("battle/<uuid:battle_id>/", battles.battle, name="battle"),
    path("battle/<uuid:battle_id>/vote/", battles.vote, name="vote"),
    path("battle/<uuid:battle_id>/feedback/", feedback.feedback, name="feedback"),
    path("battle/<uuid:battle_id>/feedback/<uuid:feedback_id>/", feedback.one, name="feedback_one"),
    path(
        "battle/<uuid:battle_id>/feedback/<uuid:feedback_id>/delete/",
        feedback.delete,
        name="delete_feedback",
    ),
    path("battle/<uuid:battle_id>/report/", reporting.report, name="report_battle"),
    path("battle/<uuid:battle_id>/abandon/", battles.abandon, name="abandon"),
    path("judge/", judging.judge, name="judge"),
    path("judge/<uuid:battle_id>/", judging.pair, name="judged_pair"),
    path("leaderboard/", boards.leaderboard, name="leaderboard"),
    path("leaderboard/<slug:slug>/", boards.leaderboard, name="board"),
    path("leaderboard/<slug:slug>/<slug:page>/", reports.report, name="report"),
    path("leaderboard/<slug:slug>/snapshots/<uuid:snapshot_id>/", snapshots.snapshot, name="snapshot"),
    path("leaderboard/<slug:slug>/models/<model:name>/", models.model, name="model"),
    path("campaigns/", campaigns.index, name="campaigns"),
    path("campaigns/<slug:slug>/", campaigns.campaign, name="campaign"),
    path("campaigns/<slug:slug>/draw/", raffles.draw, name="draw"),
    path("me/", me.me, name="me"),
    path("me/battles/", me.battles, name="my_battles"),
    path("me/profile/", me.profile, name="profile"),
    path("me/nickname/", me.nickname, name="nickname"),
    path("me/appearance/", me.prefer_appearance, name="prefer_appearance"),
    path("me/consent/withdraw/", me.withdraw, name="withdraw_consent"),
    path("me/data.json", me.data, name="my_data"),
    path("me/delete/", me.delete, name="delete_me"),
    path("accounts/", include("allauth.account.urls")),
    path("accounts/second-factor/", include("allauth.mfa.urls")),
    path("manifest.webmanifest", pages.manifest, name="manifest"),
    path("about/", pages.about, name="about"),
    path("privacy/", pages.privacy, name="privacy"),
    path("terms/", pages.terms, name="terms"),
    path("methodology/", pages.methodology, name="methodology"),
    path("healthz", pages.healthz, name="healthz"),
    path("status/", status.status, name="status"),
    path("metrics", status.prometheus, name="metrics"),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
]
