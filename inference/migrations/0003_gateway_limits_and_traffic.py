import uuid

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inference", "0002_labels"),
    ]

    operations = [
        migrations.CreateModel(
            name="Circuit",
            fields=[
                (
                    "endpoint",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="circuit",
                        serialize=False,
                        to="inference.modelendpoint",
                    ),
                ),
                (
                    "state",
                    models.CharField(
                        choices=[("closed", "closed"), ("open", "open"), ("half_open", "half_open")],
                        default="closed",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("failures", models.PositiveIntegerField(default=0, verbose_name="failures in a row")),
                ("opened_at", models.DateTimeField(null=True, verbose_name="opened")),
                ("retry_at", models.DateTimeField(db_index=True, null=True, verbose_name="next trial")),
            ],
            options={
                "verbose_name": "circuit",
                "verbose_name_plural": "circuits",
            },
        ),
        migrations.CreateModel(
            name="EndpointUsage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                ("requests", models.PositiveBigIntegerField(default=0, verbose_name="requests")),
                (
                    "prompt_tokens",
                    models.PositiveBigIntegerField(default=0, verbose_name="tokens of prompts"),
                ),
                (
                    "completion_tokens",
                    models.PositiveBigIntegerField(default=0, verbose_name="tokens of answers"),
                ),
                (
                    "cost",
                    models.DecimalField(decimal_places=6, default=0, max_digits=14, verbose_name="cost"),
                ),
            ],
            options={
                "verbose_name": "use of an endpoint",
                "verbose_name_plural": "use of endpoints",
            },
        ),
        migrations.CreateModel(
            name="Generation",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("request_id", models.CharField(max_length=80, verbose_name="request")),
                ("ended_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="ended")),
                ("outcome", models.CharField(max_length=20, verbose_name="outcome")),
                ("attempts", models.PositiveSmallIntegerField(default=1, verbose_name="attempts")),
                ("queued_ms", models.PositiveIntegerField(default=0, verbose_name="in the queue (ms)")),
                ("first_token_ms", models.PositiveIntegerField(null=True, verbose_name="first token (ms)")),
                ("duration_ms", models.PositiveIntegerField(verbose_name="duration (ms)")),
                (
                    "prompt_tokens",
                    models.PositiveIntegerField(null=True, verbose_name="tokens of the prompt"),
                ),
                (
                    "completion_tokens",
                    models.PositiveIntegerField(null=True, verbose_name="tokens of the answer"),
                ),
            ],
            options={
                "verbose_name": "request",
                "verbose_name_plural": "requests",
            },
        ),
        migrations.CreateModel(
            name="UserUsage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("user", models.CharField(max_length=64, verbose_name="user")),
                ("day", models.DateField(db_index=True, verbose_name="day")),
                ("tokens", models.PositiveBigIntegerField(default=0, verbose_name="tokens")),
            ],
            options={
                "verbose_name": "use by a volunteer",
                "verbose_name_plural": "use by volunteers",
            },
        ),
        migrations.RemoveConstraint(
            model_name="modelendpoint",
            name="endpoint_provider_known",
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="between_tokens_s",
            field=models.FloatField(
                default=30.0,
                validators=[django.core.validators.MinValueValidator(0.001)],
                verbose_name="between tokens (s)",
            ),
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="budget_per_day",
            field=models.DecimalField(
                blank=True,
                decimal_places=4,
                help_text="In the currency of the prices; nothing is asked of the endpoint beyond it.",
                max_digits=10,
                null=True,
                verbose_name="most money a day",
            ),
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="canary_share",
            field=models.FloatField(
                default=0.1,
                help_text="Of the battles, while the status is canary: how many may draw it.",
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(1),
                ],
                verbose_name="share as a canary",
            ),
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="completion_price",
            field=models.DecimalField(
                blank=True,
                decimal_places=4,
                max_digits=10,
                null=True,
                verbose_name="price of a million answer tokens",
            ),
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="connect_s",
            field=models.FloatField(
                default=5.0,
                validators=[django.core.validators.MinValueValidator(0.001)],
                verbose_name="to connect (s)",
            ),
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="context_tokens",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="context (tokens)"),
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="first_token_s",
            field=models.FloatField(
                default=60.0,
                validators=[django.core.validators.MinValueValidator(0.001)],
                verbose_name="to the first token (s)",
            ),
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="key_set_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="key set"),
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="max_in_flight",
            field=models.PositiveSmallIntegerField(
                default=8,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="most answers at once",
            ),
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="probe",
            field=models.JSONField(default=dict, editable=False),
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="prompt_price",
            field=models.DecimalField(
                blank=True,
                decimal_places=4,
                max_digits=10,
                null=True,
                verbose_name="price of a million prompt tokens",
            ),
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="running",
            field=models.PositiveIntegerField(editable=False, null=True, verbose_name="requests at work"),
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="tokens_per_day",
            field=models.PositiveBigIntegerField(blank=True, null=True, verbose_name="most tokens a day"),
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="total_s",
            field=models.FloatField(
                default=300.0,
                validators=[django.core.validators.MinValueValidator(0.001)],
                verbose_name="in all (s)",
            ),
        ),
        migrations.AddField(
            model_name="modelendpoint",
            name="waiting",
            field=models.PositiveIntegerField(editable=False, null=True, verbose_name="requests waiting"),
        ),
        migrations.AlterField(
            model_name="modelendpoint",
            name="provider",
            field=models.CharField(
                choices=[
                    ("openai", "openai"),
                    ("gemini", "gemini"),
                    ("cohere", "cohere"),
                    ("vllm", "vllm"),
                    ("transformers", "transformers"),
                    ("ollama", "ollama"),
                    ("llama_cpp", "llama_cpp"),
                    ("anthropic", "anthropic"),
                ],
                default="openai",
                max_length=20,
                verbose_name="wire dialect",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "provider__in",
                        [
                            "openai",
                            "gemini",
                            "cohere",
                            "vllm",
                            "transformers",
                            "ollama",
                            "llama_cpp",
                            "anthropic",
                        ],
                    )
                ),
                name="endpoint_provider_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelendpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("between_tokens_s__gt", 0),
                    ("canary_share__gte", 0),
                    ("canary_share__lte", 1),
                    ("connect_s__gt", 0),
                    ("first_token_s__gt", 0),
                    ("max_in_flight__gte", 1),
                    ("total_s__gt", 0),
                ),
                name="endpoint_limits_in_range",
            ),
        ),
        migrations.AddConstraint(
            model_name="circuit",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["closed", "open", "half_open"])), name="circuit_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="circuit",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state", "closed"),
                    models.Q(("opened_at__isnull", False), ("retry_at__isnull", False)),
                    _connector="OR",
                ),
                name="circuit_says_when",
            ),
        ),
        migrations.AddField(
            model_name="endpointusage",
            name="endpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="usage",
                to="inference.modelendpoint",
            ),
        ),
        migrations.AddField(
            model_name="generation",
            name="endpoint",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="generations",
                to="inference.modelendpoint",
            ),
        ),
        migrations.AddConstraint(
            model_name="userusage",
            constraint=models.UniqueConstraint(fields=("user", "day"), name="user_usage_once_a_day"),
        ),
        migrations.AddConstraint(
            model_name="endpointusage",
            constraint=models.UniqueConstraint(fields=("endpoint", "day"), name="endpoint_usage_once_a_day"),
        ),
        migrations.AddIndex(
            model_name="generation",
            index=models.Index(fields=["endpoint", "ended_at"], name="generation_recent"),
        ),
    ]
