import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("inference", "0003_gateway_limits_and_traffic"),
    ]

    operations = [
        migrations.CreateModel(
            name="EndpointDraft",
            fields=[
                (
                    "id",
                    models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False),
                ),
                ("base_url", models.CharField(max_length=300, verbose_name="address")),
                (
                    "provider",
                    models.CharField(
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
                        max_length=20,
                        verbose_name="wire dialect",
                    ),
                ),
                ("api_key_encrypted", models.TextField(blank=True, editable=False)),
                ("seen", models.JSONField(default=dict, editable=False)),
                (
                    "created_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, editable=False, verbose_name="since"
                    ),
                ),
            ],
            options={
                "verbose_name": "endpoint that is being added",
                "verbose_name_plural": "endpoints that are being added",
                "ordering": ["-created_at"],
            },
        ),
        migrations.CreateModel(
            name="EndpointCheck",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "step",
                    models.CharField(
                        choices=[
                            ("server", "server"),
                            ("smoke", "smoke"),
                            ("template", "template"),
                            ("identity", "identity"),
                        ],
                        max_length=10,
                        verbose_name="step",
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("passed", "passed"),
                            ("warned", "warned"),
                            ("failed", "failed"),
                            ("unchecked", "unchecked"),
                        ],
                        max_length=10,
                        verbose_name="outcome",
                    ),
                ),
                ("detail", models.JSONField(default=dict)),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="checked")),
                (
                    "endpoint",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="checks",
                        to="inference.modelendpoint",
                    ),
                ),
            ],
            options={
                "verbose_name": "check of an endpoint",
                "verbose_name_plural": "checks of endpoints",
                "indexes": [models.Index(fields=["endpoint", "step", "-at"], name="check_last")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("step__in", ["server", "smoke", "template", "identity"])),
                        name="check_step_known",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("outcome__in", ["passed", "warned", "failed", "unchecked"])),
                        name="check_outcome_known",
                    ),
                ],
            },
        ),
    ]
