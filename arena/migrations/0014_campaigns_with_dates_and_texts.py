import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("arena", "0013_consent_to_licences_and_control_battles"),
        ("inference", "0004_checks_of_endpoints"),
        ("ranking", "0005_reports_of_snapshots"),
    ]

    operations = [
        migrations.CreateModel(
            name="CampaignText",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "language",
                    models.CharField(
                        choices=[("eu", "Euskara"), ("es", "Español"), ("fr", "Français"), ("en", "English")],
                        max_length=2,
                        verbose_name="language",
                    ),
                ),
                ("title", models.CharField(max_length=120, verbose_name="title")),
                ("introduction", models.TextField(blank=True, max_length=2000, verbose_name="introduction")),
                ("prizes", models.TextField(blank=True, max_length=2000, verbose_name="prizes")),
                (
                    "content_question",
                    models.CharField(blank=True, max_length=200, verbose_name="question on the content"),
                ),
                (
                    "language_question",
                    models.CharField(blank=True, max_length=200, verbose_name="question on the Basque"),
                ),
                (
                    "overall_question",
                    models.CharField(blank=True, max_length=200, verbose_name="question on the whole"),
                ),
            ],
            options={
                "verbose_name": "text of a campaign",
                "verbose_name_plural": "texts of a campaign",
            },
        ),
        migrations.AddField(
            model_name="campaign",
            name="candidates",
            field=models.ManyToManyField(
                blank=True,
                help_text="None chosen: all that are at work.",
                related_name="+",
                to="inference.candidate",
                verbose_name="pool of candidates",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="closes_at",
            field=models.DateTimeField(
                blank=True,
                help_text="Answered battles can be voted for one more hour.",
                null=True,
                verbose_name="ends",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="goal",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="Of all volunteers together; shown with progress.",
                null=True,
                verbose_name="goal (votes)",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="opens_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="begins"),
        ),
        migrations.AddField(
            model_name="campaign",
            name="registration",
            field=models.CharField(
                choices=[("nothing", "for nothing"), ("vote", "to vote"), ("battle", "to begin a battle")],
                default="nothing",
                max_length=8,
                verbose_name="an account is needed",
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="status",
            field=models.CharField(
                choices=[
                    ("draft", "in preparation"),
                    ("open", "open"),
                    ("paused", "paused"),
                    ("closed", "closed"),
                ],
                default="draft",
                editable=False,
                max_length=8,
                verbose_name="status",
            ),
        ),
        migrations.AlterField(
            model_name="campaign",
            name="is_default",
            field=models.BooleanField(
                default=False,
                editable=False,
                help_text="The campaign that runs whenever no dated one does.",
                verbose_name="default",
            ),
        ),
        migrations.RunSQL(
            "UPDATE arena_campaign SET status = 'open' WHERE is_default", migrations.RunSQL.noop
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["draft", "open", "paused", "closed"])),
                name="campaign_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(("registration__in", ["nothing", "vote", "battle"])),
                name="campaign_registration_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("opens_at__isnull", True),
                    ("closes_at__isnull", True),
                    ("closes_at__gt", models.F("opens_at")),
                    _connector="OR",
                ),
                name="campaign_ends_after_it_begins",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("is_default", True),
                    ("status", "draft"),
                    models.Q(("closes_at__isnull", False), ("opens_at__isnull", False)),
                    _connector="OR",
                ),
                name="campaign_has_dates_once_open",
            ),
        ),
        migrations.AddField(
            model_name="campaigntext",
            name="campaign",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="texts",
                to="arena.campaign",
                verbose_name="campaign",
            ),
        ),
        migrations.AddConstraint(
            model_name="campaigntext",
            constraint=models.UniqueConstraint(
                fields=("campaign", "language"), name="campaign_text_once_a_language"
            ),
        ),
    ]
