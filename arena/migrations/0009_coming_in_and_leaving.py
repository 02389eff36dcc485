from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("arena", "0008_display_and_replacements"),
    ]

    operations = [
        migrations.CreateModel(
            name="Session",
            fields=[
                (
                    "session_key",
                    models.CharField(
                        max_length=40, primary_key=True, serialize=False, verbose_name="session key"
                    ),
                ),
                ("session_data", models.TextField(verbose_name="session data")),
                ("expire_date", models.DateTimeField(db_index=True, verbose_name="expire date")),
                ("account_id", models.BigIntegerField(db_index=True, null=True)),
                ("participant_id", models.UUIDField(db_index=True, null=True)),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "abstract": False,
            },
        ),
        migrations.RemoveConstraint(
            model_name="consent",
            name="consent_once_per_version",
        ),
        migrations.AddField(
            model_name="consent",
            name="text_digest",
            field=models.CharField(
                blank=True, help_text="SHA-256 of the sentences that were shown.", max_length=64
            ),
        ),
        migrations.AddField(
            model_name="consent",
            name="withdrawn_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="withdrawn"),
        ),
        migrations.AddField(
            model_name="participant",
            name="erased_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When this volunteer asked to be deleted; nothing of theirs is exported since.",
                null=True,
                verbose_name="deleted",
            ),
        ),
        migrations.AddField(
            model_name="participant",
            name="profile_asked_at",
            field=models.DateTimeField(
                blank=True,
                editable=False,
                help_text="When this volunteer answered, or skipped, the questions after the first vote.",
                null=True,
                verbose_name="asked about themselves",
            ),
        ),
        migrations.AddField(
            model_name="participant",
            name="shortcuts",
            field=models.BooleanField(default=True, verbose_name="keyboard shortcuts"),
        ),
        migrations.AddField(
            model_name="participant",
            name="text_size",
            field=models.CharField(
                choices=[("normal", "normal"), ("large", "large"), ("larger", "larger")],
                default="normal",
                max_length=6,
                verbose_name="size of the text",
            ),
        ),
        migrations.AddField(
            model_name="participant",
            name="theme",
            field=models.CharField(
                choices=[("auto", "auto"), ("light", "light"), ("dark", "dark")],
                default="auto",
                max_length=5,
                verbose_name="theme",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.UniqueConstraint(
                condition=models.Q(("withdrawn_at__isnull", True)),
                fields=("participant", "version"),
                name="consent_stands_once_per_version",
            ),
        ),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("withdrawn_at__isnull", True),
                    ("withdrawn_at__gte", models.F("given_at")),
                    _connector="OR",
                ),
                name="consent_withdrawn_after_it_was_given",
            ),
        ),
        migrations.AddConstraint(
            model_name="participant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("text_size__in", ["normal", "large", "larger"]), ("theme__in", ["auto", "light", "dark"])
                ),
                name="participant_appearance_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="participant",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("erased_at__isnull", True),
                    models.Q(
                        ("display", ""), ("education", ""), ("language_level", ""), ("user__isnull", True)
                    ),
                    _connector="OR",
                ),
                name="participant_deleted_is_nobody",
            ),
        ),
        migrations.AddConstraint(
            model_name="vote",
            constraint=models.CheckConstraint(
                condition=models.Q(("language_level__in", ["", "A1-A2", "B1-B2", "C1-C2"])),
                name="vote_level_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="vote",
            constraint=models.CheckConstraint(
                condition=models.Q(("education__in", ["", "High School", "Vocational ed", "Bachelor"])),
                name="vote_education_known",
            ),
        ),
        # Django's cache in the database, as createcachetable makes it: rate limits hold for all processes of the site
        migrations.RunSQL(
            sql="""
                CREATE TABLE arena_cache (
                    cache_key varchar(255) NOT NULL PRIMARY KEY,
                    value text NOT NULL,
                    expires timestamp with time zone NOT NULL
                );
                CREATE INDEX arena_cache_expires ON arena_cache (expires);
            """,
            reverse_sql="DROP TABLE arena_cache",
        ),
    ]
