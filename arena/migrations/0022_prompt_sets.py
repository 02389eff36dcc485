import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("arena", "0021_reports_of_battles"),
        ("inference", "0005_licences_of_answers"),
    ]

    operations = [
        migrations.CreateModel(
            name="Prompt",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField(verbose_name="number")),
                ("text", models.TextField(verbose_name="message")),
                ("task", models.CharField(blank=True, max_length=60, verbose_name="task")),
                ("register", models.CharField(blank=True, max_length=60, verbose_name="register")),
                ("dialect", models.CharField(blank=True, max_length=60, verbose_name="dialect")),
            ],
            options={
                "verbose_name": "prompt",
                "verbose_name_plural": "prompts",
                "ordering": ["position"],
            },
        ),
        migrations.CreateModel(
            name="PromptSet",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("slug", models.SlugField(unique=True, verbose_name="code")),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("content_digest", models.CharField(editable=False, max_length=64)),
                ("claimed_until", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="uploaded"
                    ),
                ),
            ],
            options={
                "verbose_name": "prompt set",
                "verbose_name_plural": "prompt sets",
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="SetAnswer",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "pending"), ("complete", "complete"), ("failed", "failed")],
                        default="pending",
                        max_length=12,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("text", models.TextField(blank=True)),
                (
                    "finish_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("stop", "stop"),
                            ("length", "length"),
                            ("stopped", "stopped"),
                            ("loop", "loop"),
                            ("other", "other"),
                        ],
                        max_length=12,
                    ),
                ),
                ("error_code", models.CharField(blank=True, max_length=20)),
                ("temperature", models.FloatField()),
                ("top_p", models.FloatField()),
                ("max_tokens", models.PositiveIntegerField()),
                ("stop", models.JSONField(default=list)),
                ("seed", models.BigIntegerField()),
                ("prompt_tokens", models.PositiveIntegerField(blank=True, null=True)),
                ("completion_tokens", models.PositiveIntegerField(blank=True, null=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "verbose_name": "answer to a prompt",
                "verbose_name_plural": "answers to prompts",
            },
        ),
        migrations.RemoveConstraint(
            model_name="battle",
            name="battle_shown_again_has_an_origin",
        ),
        migrations.AlterField(
            model_name="battle",
            name="source",
            field=models.CharField(
                choices=[("live", "live"), ("rejudged", "rejudged"), ("prompt_set", "prompt_set")],
                default="live",
                max_length=10,
                verbose_name="where its answers come from",
            ),
        ),
        migrations.AddField(
            model_name="battle",
            name="prompt",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="battles",
                to="arena.prompt",
                verbose_name="prompt",
            ),
        ),
        migrations.AddConstraint(
            model_name="battle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("prompt__isnull", False), ("source", "prompt_set")),
                    models.Q(models.Q(("source", "prompt_set"), _negated=True), ("prompt__isnull", True)),
                    _connector="OR",
                ),
                name="battle_of_a_prompt_set_has_its_prompt",
            ),
        ),
        migrations.AddConstraint(
            model_name="battle",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("origin__isnull", True), ("source", "live")),
                    models.Q(("origin__isnull", False), ("source", "rejudged")),
                    ("source", "prompt_set"),
                    _connector="OR",
                ),
                name="battle_shown_again_has_an_origin",
            ),
        ),
        migrations.AddField(
            model_name="promptset",
            name="campaign",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="prompt_sets",
                to="arena.campaign",
                verbose_name="campaign",
            ),
        ),
        migrations.AddField(
            model_name="promptset",
            name="staff",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="prompt",
            name="prompt_set",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="prompts", to="arena.promptset"
            ),
        ),
        migrations.AddField(
            model_name="setanswer",
            name="candidate",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="inference.candidate"
            ),
        ),
        migrations.AddField(
            model_name="setanswer",
            name="endpoint",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="inference.modelendpoint",
            ),
        ),
        migrations.AddField(
            model_name="setanswer",
            name="prompt",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="answers", to="arena.prompt"
            ),
        ),
        migrations.AddConstraint(
            model_name="prompt",
            constraint=models.UniqueConstraint(
                fields=("prompt_set", "position"), name="prompt_once_per_position"
            ),
        ),
        migrations.AddConstraint(
            model_name="prompt",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True), name="prompt_says_something"
            ),
        ),
        migrations.AddConstraint(
            model_name="setanswer",
            constraint=models.UniqueConstraint(
                fields=("prompt", "candidate"), name="set_answer_once_a_candidate"
            ),
        ),
        migrations.AddConstraint(
            model_name="setanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(("status__in", ["pending", "complete", "failed"])),
                name="set_answer_status_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="setanswer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("status", "complete"), _negated=True),
                    models.Q(
                        models.Q(("text", ""), _negated=True),
                        models.Q(("finish_reason", ""), _negated=True),
                        ("error_code", ""),
                    ),
                    _connector="OR",
                ),
                name="set_answer_complete_has_text",
            ),
        ),
    ]
